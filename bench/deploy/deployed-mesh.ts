/** A mesh of processes on this machine for a measurement: `up`, a second agent, a gateway, two versions of one model, and a deployment of two replicas. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { mainFile } from "../../cli/shell/main-file.ts";
import { openModel } from "../../client/model/open-model.ts";
import { connectMesh, type Connected } from "../../client/connect/connect-mesh.ts";
import type { DeploymentView } from "../../protocol/deployment-view.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { ChildProgram } from "../shared/child-program.ts";
import { valueOf } from "../shared/value-of.ts";

export const deployment = "answers";
const model = "served";
const pollMs = 25;

const sweepText = (seed: number) => `name: served
task: text-classification
dataset: language-id
objective: {metric: accuracy, goal: maximize}
search: {method: random, trials: 1, seed: ${seed}}
stopping: {policy: none, max: 1}
models: {linear: {}}
register: {model: ${model}, alias: ${seed === 1 ? "champion" : "challenger"}}
`;

export class DeployedMesh {
  readonly #folder = mkdtempSync(join(tmpdir(), "trialmesh-bench-"));
  readonly #say: (line: string) => void;
  #up: ChildProgram | null = null;
  #second: ChildProgram | null = null;
  #gateway: ChildProgram | null = null;
  #connected: Connected | null = null;
  url = "";

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  async open(): Promise<void> {
    this.#up = this.#start("one", "up", "--port", "0", "--name", "one", "--slots", "1", "--no-gateway");
    await this.#up.line(/mesh mesh is up/);
    this.#connected = valueOf(await connectMesh(this.#environment("one")));
    for (const seed of [1, 2]) {
      const file = join(this.#folder, `${seed}.yaml`);
      writeFileSync(file, sweepText(seed));
      await this.#run("one", "sweep", "run", file);
    }
    const invited = await this.#run("one", "invite", "agent", "two");
    const words = /^trialmesh (.+)$/m.exec(invited)?.[1]?.split(" ") ?? [];
    this.#second = this.#start("two", ...words, "--slots", "1");
    await this.#second.line(/agent two lends/);
    this.#gateway = this.#start("one", "gateway", "--listen", "127.0.0.1:0");
    this.url = (await this.#gateway.line(/gateway at (\S+)/))[1] ?? "";
    await this.#run("one", "deploy", deployment, `${model}@champion`, "--replicas", "2");
    await this.untilWhole(2);
    this.#say(`two replicas answer at ${this.url}`);
  }

  /** Moves the alias; ms until every replica that answers does so with the new version. */
  async swapTo(version: number): Promise<number> {
    const { client } = this.#mesh();
    const before = await this.view();
    const began = performance.now();
    const { from } = valueOf(
      await client.query("resolve", { of: "promote", model, alias: "champion", version }),
    );
    const expect = { from, version };
    valueOf(await client.command("model-promote", { model, alias: "champion", version, expect }));
    for (;;) {
      const { replicas, revision } = await this.view();
      const ready = replicas.filter(({ state }) => state === "ready");
      if (revision > before.revision && ready.length > 0 && ready.every((one) => one.revision === revision))
        return performance.now() - began;
      await sleep(pollMs);
    }
  }

  /** Kills the process of a replica, or with it the whole second agent, which is started again; resolves when there are two again. */
  async kill(what: "replica" | "agent", draw: number): Promise<void> {
    if (what === "agent") {
      const agent = this.#second;
      if (agent !== null) process.kill(agent.pid, "SIGKILL");
      await agent?.ended;
      this.#second = this.#start("two", "agent", "--slots", "1");
    } else {
      const pids = [this.#up, this.#second].flatMap((part) => (part === null ? [] : replicaPids(part.pid)));
      const pid = pids[Math.floor(draw * pids.length)];
      if (pid !== undefined) process.kill(pid, "SIGKILL");
    }
    await this.untilWhole(2);
  }

  async view(): Promise<DeploymentView> {
    return valueOf(await this.#mesh().client.query("deployment", { deployment }));
  }

  async untilWhole(wanted: number): Promise<void> {
    for (;;) {
      const { replicas } = await this.view();
      if (replicas.filter(({ state }) => state === "ready").length >= wanted) return;
      await sleep(pollMs);
    }
  }

  /** The versions as this process computes them, by number. */
  async models(): Promise<ReadonlyMap<number, ServedModel>> {
    const surroundings = { environment: this.#environment("one"), say: this.#say };
    const opened = new Map<number, ServedModel>();
    for (const version of [1, 2])
      opened.set(version, valueOf(await openModel(this.#mesh(), `${model}@${version}`, surroundings)));
    return opened;
  }

  async close(): Promise<void> {
    await this.#connected?.bus.close();
    for (const part of [this.#gateway, this.#second, this.#up]) await part?.stop();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #mesh(): Connected {
    if (this.#connected === null) throw new Error("the mesh is not open");
    return this.#connected;
  }

  #environment(home: string): Readonly<Record<string, string | undefined>> {
    return { ...process.env, CI: "1", TRIALMESH_HOME: join(this.#folder, home) };
  }

  #start(home: string, ...words: readonly string[]): ChildProgram {
    return new ChildProgram(process.execPath, [mainFile, ...words], this.#environment(home));
  }

  async #run(home: string, ...words: readonly string[]): Promise<string> {
    const program = this.#start(home, ...words);
    await program.ended;
    return program.said;
  }
}

/** Children of a process, and theirs, that run jobs of an agent. */
function replicaPids(pid: number): number[] {
  let children = "";
  let words = "";
  try {
    children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
    words = readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return [];
  }
  const below = children === "" ? [] : children.split(" ").flatMap((child) => replicaPids(Number(child)));
  return words.includes("agent/child/child.") ? [pid, ...below] : below;
}
