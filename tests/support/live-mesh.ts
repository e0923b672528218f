/**
 * A mesh of real processes to break: started through the command line, watched by a client of the
 * owner's in this process, killed by pid, and its journal audited from outside. Not a mesh under a
 * seed: see `tests/sim`.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { prepareSweep } from "../../client/sweep/prepare-sweep.ts";
import type { SweepOverrides } from "../../spec/sweep/override.ts";
import { connectMesh, type Connected } from "../../client/connect/connect-mesh.ts";
import { ensureCredential } from "../../mesh/admission.ts";
import { openHome } from "../../mesh/home.ts";
import type { MeshClient, QueryValue } from "../../protocol/client.ts";
import type { QueryBody, QueryName } from "../../protocol/command.ts";
import { meshOwner } from "../../protocol/program.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { AgentView, MeshView, SweepView, TrialView } from "../../protocol/view.ts";
import { CliMesh, type CliProcess } from "./cli-mesh.ts";
import type { Journal } from "../../coordinator/journal/journal.ts";
import { auditHome, readHomeJournal } from "./audit-home.ts";
import type { JournalAudit, Watch } from "./journal-audit.ts";
import { mainFile, type CliResult } from "./run-cli.ts";
import { until } from "./until.ts";

/** What `up` starts, as its own lines name them. */
export type PartLabel = "server" | "coordinator" | "agent";

export interface SweepOptions {
  readonly name: string;
  readonly trials: number;
  readonly epochs: number;
  /** Length of an epoch. */
  readonly milliseconds: number;
  /** Stands still in this epoch until its process ends; what goes on from its checkpoint runs through. */
  readonly stallAt?: number;
  /** Sweeps that are to train anew need seeds of their own. */
  readonly seed: number;
  /** Further lines of the file. */
  readonly more?: string;
}

/** A sweep that costs time but no processor. */
export function noopSweep({
  name,
  trials,
  epochs,
  milliseconds,
  stallAt = 0,
  seed,
  more = "",
}: SweepOptions): string {
  return `name: ${name}
task: noop
search: {method: random, trials: ${trials}, seed: ${seed}}
stopping: {policy: none, max: ${epochs}}
models:
  noop: {x: {distribution: uniform, min: 0, max: 1}, milliseconds: ${milliseconds}, stallAtEpoch: ${stallAt}}
${more}`;
}

export class LiveMesh {
  readonly cli: CliMesh;
  readonly #started: CliProcess[] = [];
  readonly #paused = new Set<number>();
  #connected: Connected | null = null;
  readonly #people = new Map<string, Connected>();
  #up: CliProcess | null = null;
  /** Ends what runs when the test's own process is told to end before its clean-up. */
  readonly #endAll = (): void => {
    this.goOn();
    for (const { pid } of this.#started) {
      try {
        process.kill(pid, "SIGTERM");
      } catch {
        // It has ended already.
      }
    }
  };
  readonly #exit = (): void => process.exit(1);

  constructor(leaseMs?: number) {
    this.cli = new CliMesh(leaseMs);
    process.once("exit", this.#endAll);
    process.once("SIGTERM", this.#exit);
  }

  /** The home in which `up` runs; others are named by the caller. */
  static readonly home = "one";

  homePath(home: string): string {
    return join(this.cli.folder, home);
  }

  async up(...flags: readonly string[]): Promise<CliProcess> {
    this.#up = this.start(LiveMesh.home, "up", "--name", LiveMesh.home, ...flags);
    await this.#up.saidLine(/mesh mesh is up/);
    const connected = valueOf(await connectMesh(this.cli.environment(LiveMesh.home)));
    await this.#connected?.client.close();
    this.#connected = connected;
    return this.#up;
  }

  /** As by a power cut of `up` alone: it can end none of its parts. */
  async killUp(): Promise<void> {
    await (this.#up ?? assert.fail("no mesh is up")).end("SIGKILL");
  }

  /** The process hangs, its connections open, until `goOn`. */
  pause(pid: number): void {
    process.kill(pid, "SIGSTOP");
    this.#paused.add(pid);
  }

  goOn(): void {
    for (const pid of this.#paused) process.kill(pid, "SIGCONT");
    this.#paused.clear();
  }

  /** A long-lived command in that home. */
  start(home: string, ...words: readonly string[]): CliProcess {
    return this.startOf(mainFile, home, ...words);
  }

  /** As `start`, of the version whose command line is `main`. */
  startOf(main: string, home: string, ...words: readonly string[]): CliProcess {
    const started = this.cli.startOf(main, home, ...words);
    this.#started.push(started);
    return started;
  }

  /** Runs a command to its end; it must succeed. */
  async ok(home: string, ...words: readonly string[]): Promise<CliResult> {
    const result = await this.cli.run(home, ...words);
    assert.equal(result.code, 0, `${words.join(" ")}: ${result.err}`);
    return result;
  }

  /** Runs a command to its end; it must refuse with status 1 in one sentence, which is returned. */
  async refused(home: string, ...words: readonly string[]): Promise<string> {
    const { code, err, out } = await this.cli.run(home, ...words);
    assert.equal(code, 1, `${words.join(" ")}: ${err}`);
    assert.equal(out, "");
    assert.match(err, /^[^\n]+\n$/, "one line");
    return err.trimEnd();
  }

  /** As `up`, of the version whose command line is `main`: a mesh that this process cannot enter. */
  async upOf(main: string, ...flags: readonly string[]): Promise<CliProcess> {
    const up = this.startOf(main, LiveMesh.home, "up", "--name", LiveMesh.home, ...flags);
    await up.saidLine(/mesh mesh is up/);
    return up;
  }

  /** Runs a command of the version whose command line is `main` to its end; what it said. */
  async okOf(main: string, home: string, ...words: readonly string[]): Promise<string> {
    const run = this.startOf(main, home, ...words);
    assert.equal(await run.ended, 0, run.said);
    return run.said;
  }

  /** Invites into a home of the same name; gives the words to join with, without `trialmesh`. */
  async invite(role: "agent" | "coordinator" | "requester" | "viewer", name: string): Promise<string[]> {
    const { out } = await this.ok(LiveMesh.home, "invite", role, name);
    return joiningWords(out);
  }

  async joinAgent(name: string, ...flags: readonly string[]): Promise<CliProcess> {
    const words = await this.invite("agent", name);
    const agent = this.start(name, ...words, ...flags);
    await this.agentThat(name, ({ state }) => state !== "silent");
    return agent;
  }

  /** Submits a sweep and returns its id at once. */
  async submit(options: SweepOptions, ...flags: readonly string[]): Promise<string> {
    const { out } = await this.ok(LiveMesh.home, "sweep", "run", this.file(options), "--detach", ...flags);
    return out.trim();
  }

  /** Whether that agent gets new trials. */
  async cordon(agent: string, hold: boolean): Promise<void> {
    valueOf(await this.client.command("agent-cordon", { agent, cordon: hold }));
  }

  /** A requester who works at the owner's machine, connected from this process. */
  async person(requester: string): Promise<Connected> {
    const known = this.#people.get(requester);
    if (known !== undefined) return known;
    if (requester !== meshOwner) {
      const home = valueOf(openHome(this.homePath(LiveMesh.home)));
      valueOf(await ensureCredential(home, "requester", requester, Math.floor(Date.now() / 1000)));
    }
    const connected = valueOf(await connectMesh(this.cli.environment(LiveMesh.home), requester));
    this.#people.set(requester, connected);
    return connected;
  }

  /** Submits for that requester from this process, which is sooner done than by a command; the sweep's id, or why not. */
  async launch(
    requester: string,
    options: SweepOptions,
    overrides: SweepOverrides = {},
  ): Promise<Outcome<string>> {
    const connected = await this.person(requester);
    const environment = this.cli.environment(LiveMesh.home);
    const file = this.file(options);
    const spec = await prepareSweep({ file, overrides, environment, connected, progress: () => undefined });
    const answer = await connected.client.command("sweep-run", { spec: valueOf(spec) });
    return answer.ok ? accept(answer.value.sweep) : answer;
  }

  file(options: SweepOptions): string {
    return this.cli.write(`${options.name}.yaml`, noopSweep(options));
  }

  get client(): MeshClient {
    return this.#connected?.client ?? assert.fail("no mesh is up");
  }

  /** Where the server is reached. */
  get url(): string {
    return this.#connected?.home.url ?? assert.fail("no mesh is up");
  }

  mesh(): Promise<MeshView> {
    return this.#answer("mesh", {});
  }

  sweep(sweep: string): Promise<SweepView> {
    return this.#answer("sweep", { sweep, order: "number", limit: 1000 });
  }

  /** While nobody leads nobody answers, and how long that takes is for the test to judge. */
  #answer<N extends QueryName>(name: N, body: Partial<QueryBody<N>>): Promise<QueryValue<N>> {
    return until(`an answer to ${name}`, async () => {
      const answer = await this.client.query(name, body);
      return !answer.ok && answer.refusal.code === "unavailable" ? null : valueOf(answer);
    });
  }

  agentThat(name: string, holds: (agent: AgentView) => boolean): Promise<AgentView> {
    return until(`agent ${name}`, async () => {
      const found = (await this.mesh()).agents.find((one) => one.agent === name);
      return found !== undefined && holds(found) ? found : null;
    });
  }

  trialThat(sweep: string, what: string, holds: (trial: TrialView) => boolean): Promise<TrialView> {
    return until(what, async (note) => {
      const { trials } = await this.sweep(sweep);
      note(trials);
      return trials.find(holds) ?? null;
    });
  }

  /** Waits for the end of a sweep. */
  ended(sweep: string): Promise<SweepView> {
    return until(`the end of ${sweep}`, async (note) => {
      const view = await this.sweep(sweep);
      note(view.trials);
      return view.summary.state === "done" || view.summary.state === "stopped" ? view : null;
    });
  }

  /** The process of a part of `up` that was started last. */
  partPid(label: PartLabel): number {
    const said = (this.#up ?? assert.fail("no mesh is up")).said;
    const pids = [...said.matchAll(new RegExp(`^${label}: process (\\d+)`, "gm"))];
    return Number(pids.at(-1)?.[1] ?? assert.fail(said));
  }

  /** Waits until `up` has started a part again after `dead`. */
  startedAgain(label: PartLabel, dead: number): Promise<number> {
    return until(`${label} to be started again`, async () => {
      const pid = this.partPid(label);
      return pid === dead ? null : pid;
    });
  }

  /** Waits until the coordinator that `up` started last has its connection. */
  coordinatorConnected(): Promise<true> {
    return until("the coordinator to connect", async () => {
      const { said } = this.#up ?? assert.fail("no mesh is up");
      const since = said.slice(said.lastIndexOf("coordinator: process "));
      return /^coordinator: coordinator .* connected/m.test(since) ? true : null;
    });
  }

  /** Reads the whole journal with a coordinator's credential and replays it, event by event; `watch` sees each. */
  audit(watch?: Watch): Promise<JournalAudit> {
    return auditHome(this.homePath(LiveMesh.home), watch);
  }

  /** The journal, opened with a coordinator's credential for as long as `read` takes. */
  readJournal<T>(read: (journal: Journal) => Promise<T>): Promise<T> {
    return readHomeJournal(this.homePath(LiveMesh.home), read);
  }

  async close(): Promise<void> {
    this.goOn();
    for (const { client } of this.#people.values()) await client.close();
    await this.#connected?.client.close();
    await this.cli.close();
    process.off("exit", this.#endAll);
    process.off("SIGTERM", this.#exit);
  }
}

/** The words to join with in what `trialmesh invite` said, without `trialmesh`. */
export function joiningWords(said: string): string[] {
  const line = /^trialmesh (.+)$/m.exec(said)?.[1] ?? assert.fail(said);
  return line.split(" ");
}

export function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) assert.fail(`refused: ${outcome.refusal.message}`);
  return outcome.value;
}
