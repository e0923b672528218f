/**
 * Work of several kinds, always some of it under way: sweeps of a cheap model, of a program, judged by ASHA, proposed by TPE,
 * of somebody who is short of tokens, on a dataset that an agent builds. It keeps what was promised: each sweep and grant
 * that the mesh has acknowledged.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { meshOwner } from "../../../protocol/program.ts";
import { milliTokensPerToken } from "../../../protocol/token.ts";
import { prepareSweep } from "../../../client/sweep/prepare-sweep.ts";
import type { CliProcess } from "../../support/cli-mesh.ts";
import { ownHome, type KillMesh } from "./kill-mesh.ts";

const poor = "poor";
const poorGrantTokens = 1;
/** Sweeps that are not over at a time. */
const underWayMax = 4;

interface Kind {
  readonly name: string;
  readonly requester: string;
  readonly text: (seed: number) => string;
}

const objective = "objective: { metric: score, goal: maximize }";
const cheap = (milliseconds: number) =>
  `models: { noop: { x: { distribution: uniform, min: 0, max: 1 }, milliseconds: ${milliseconds} } }`;

const kinds: readonly Kind[] = [
  {
    name: "cheap",
    requester: meshOwner,
    text: (seed) =>
      `task: noop\nsearch: { method: random, trials: 4, seed: ${seed} }\nstopping: { policy: none, max: 8 }\n${cheap(150)}\n`,
  },
  {
    name: "asha",
    requester: meshOwner,
    text: (seed) =>
      `task: noop\nsearch: { method: random, trials: 9, seed: ${seed} }\nstopping: { policy: asha, min: 1, max: 9, eta: 3 }\n${cheap(100)}\n`,
  },
  {
    name: "learning",
    requester: meshOwner,
    text: (seed) =>
      `task: noop\nsearch: { method: tpe, trials: 8, seed: ${seed} }\nstopping: { policy: none, max: 3 }\n${cheap(150)}\n`,
  },
  {
    name: "short-of-tokens",
    requester: poor,
    text: (seed) =>
      `task: noop\nsearch: { method: random, trials: 3, seed: ${seed} }\nstopping: { policy: none, max: 6 }\n${cheap(200)}\n`,
  },
  {
    name: "program",
    requester: meshOwner,
    text: (seed) =>
      `command: [sh, run.sh, "\${args}"]\n${objective}\nparameters: { rate: { distribution: uniform, min: 0, max: 1 } }\nsearch: { trials: 3, seed: ${seed} }\n`,
  },
  {
    name: "dataset",
    requester: meshOwner,
    text: (seed) =>
      `task: text-classification\ndataset: ${datasetFile(seed)}\nsearch: { method: random, trials: 2, seed: ${seed} }\nstopping: { policy: none, max: 2 }\nmodels: { linear: {} }\n`,
  },
];

/** Goes on where it was, as scripts do. */
const program = `state="$TRIALMESH_CHECKPOINT_DIR/done"
done=$(cat "$state" 2>/dev/null || echo 0)
while [ "$done" -lt 6 ]; do
  sleep 0.3
  done=$((done+1))
  echo "$done" > "$state.part" && mv "$state.part" "$state"
  echo "score=0.$done"
done
`;

export class Workload {
  /** Acknowledged, by id. */
  readonly sweeps = new Set<string>();
  /** Milli-tokens that somebody was told they have. */
  readonly granted = new Map<string, number>();
  /** The same where no answer came: it may be so or not. */
  readonly perhapsGranted = new Map<string, number>();
  readonly refusals = new Map<string, number>();
  readonly #mesh: KillMesh;
  readonly #folder: string;
  #next = 0;

  constructor(mesh: KillMesh) {
    this.#mesh = mesh;
    this.#folder = join(mesh.folder, "files");
    mkdirSync(this.#folder);
    writeFileSync(join(this.#folder, "run.sh"), program);
  }

  async begin(): Promise<void> {
    const { client } = await this.#mesh.owner();
    const grant = poorGrantTokens * milliTokensPerToken;
    const opened = await client.command("account-open", { requester: poor, weight: 1, grant });
    if (!opened.ok) throw new Error(opened.refusal.message);
    this.granted.set(poor, grant);
  }

  /** One more sweep where there is room for it; the next kind each time. */
  async submit(): Promise<void> {
    if ((await this.underWay()) >= underWayMax) return;
    const number = (this.#next += 1);
    const kind = kinds[number % kinds.length];
    if (kind === undefined) return;
    const file = this.#write(kind, number);
    const { requester } = kind;
    const connected = await this.#mesh.person(requester);
    if (connected === null) return;
    const environment = this.#mesh.environment(ownHome);
    const spec = await prepareSweep({
      file,
      overrides: requester === poor ? { beyondBudget: true } : {},
      environment,
      connected,
      progress: () => undefined,
    });
    const answer = spec.ok ? await connected.client.command("sweep-run", { spec: spec.value }) : spec;
    if (answer.ok) this.sweeps.add(answer.value.sweep);
    else this.#note(`${kind.name}: ${answer.refusal.message}`);
  }

  /** A command of somebody's, in a process of its own that may be killed; what it says it has done is promised. */
  command(): CliProcess {
    const number = (this.#next += 1);
    const [detached, followed] = [kinds[0], kinds[4]];
    if (number % 3 === 0 || detached === undefined || followed === undefined)
      return this.#mesh.start(ownHome, "dataset", "add", this.#writeDataset(number));
    if (number % 3 === 1) return this.#mesh.start(ownHome, "sweep", "run", this.#write(followed, number));
    const started = this.#mesh.start(ownHome, "sweep", "run", this.#write(detached, number), "--detach");
    void started.ended.then((code) => {
      const id = code === 0 ? /^s\d+$/m.exec(started.said)?.[0] : undefined;
      if (id !== undefined) this.sweeps.add(id);
    });
    return started;
  }

  /** A little for who is short of tokens. */
  async grant(): Promise<void> {
    const { client } = await this.#mesh.owner();
    const amount = poorGrantTokens * milliTokensPerToken;
    const answer = await client.command("budget-grant", { requester: poor, amount, note: "" });
    const to = answer.ok ? this.granted : this.perhapsGranted;
    to.set(poor, (to.get(poor) ?? 0) + amount);
  }

  /** How many sweeps are not over; as many as may be where nobody answers. */
  async underWay(): Promise<number> {
    const { client } = await this.#mesh.owner();
    const answer = await client.query("sweeps", { limit: 500 });
    if (!answer.ok) return underWayMax;
    return answer.value.sweeps.filter(({ state }) => state !== "done" && state !== "stopped").length;
  }

  #note(why: string): void {
    this.refusals.set(why, (this.refusals.get(why) ?? 0) + 1);
  }

  #write({ name, text }: Kind, number: number): string {
    const file = join(this.#folder, `${name}-${number}.yaml`);
    if (name === "dataset") this.#writeDataset(number);
    writeFileSync(file, `name: ${name}-${number}\n${text(number)}`);
    return file;
  }

  #writeDataset(number: number): string {
    const rows = Array.from({ length: 120 }, (_, row) => {
      const [label, word] = row % 2 === 0 ? ["good", "sunny"] : ["bad", "rainy"];
      return `${label},"a ${word} day, number ${String.fromCodePoint(0x4e00 + row)} of ${number}"`;
    });
    writeFileSync(join(this.#folder, `days-${number}.csv`), ["label,text", ...rows, ""].join("\n"));
    const file = join(this.#folder, datasetFile(number));
    writeFileSync(
      file,
      `name: days-${number}
sources: [{ path: days-${number}.csv }]
plan: [{ split: { train: 0.8, validation: 0.1, test: 0.1, stratify: label } }]
text: text
label: label
`,
    );
    return file;
  }
}

function datasetFile(number: number): string {
  return `days-${number}.data.yaml`;
}
