/** A whole mesh as people start it, through the command line: real processes, a home of its own, ended by pid. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../system/environment.ts";
import { guardedEnvironment } from "../../system/own-guard.ts";
import { killIfThere } from "./home-process.ts";
import { findNatsServer } from "./nats-server.ts";
import { mainFile, runCli, runHere, type CliResult } from "./run-cli.ts";
import { processesUnder } from "./process-tree.ts";
import { until } from "./until.ts";

/** A long-lived `trialmesh` command and what it said so far. */
export class CliProcess {
  said = "";
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;

  /** `main`: the command line's own file, of whatever version; `within`: words that run it elsewhere, as the same process. */
  constructor(
    parameters: readonly string[],
    environment: Readonly<Record<string, string | undefined>>,
    main: string = mainFile,
    within: readonly string[] = [],
  ) {
    const [program = process.execPath, ...words] = [...within, process.execPath, main, ...parameters];
    this.#child = spawn(program, words, {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.said += text));
    }
    this.ended = new Promise((resolve) => this.#child.once("close", resolve));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the process did not start");
    return this.#child.pid;
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits until it has said something that matches; the match's first group, or the whole. */
  async saidLine(pattern: RegExp): Promise<string> {
    return until(`"${String(pattern)}"`, (note) => {
      note(this.said);
      const found = pattern.exec(this.said);
      if (found !== null) return found[1] ?? found[0];
      if (this.#child.exitCode !== null)
        throw new Error(`it ended with ${this.#child.exitCode} after saying:\n${this.said}`);
      return null;
    });
  }

  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    return this.ended;
  }
}

/** A busy machine may hold an agent up for a third of it, and no more; what runs out must not take a test's whole time. */
const leaseDefaultMs = 6_000;

export class CliMesh {
  readonly folder: string = mkdtempSync(join(tmpdir(), "trialmesh-cli-"));
  readonly leaseMs: number;
  /** What a home's machine has in its environment besides. */
  readonly ofHome = new Map<string, Environment>();
  /** Words before the commands of a home whose machine has a network of its own: `network-space.ts`. */
  readonly within = new Map<string, readonly string[]>();
  readonly #processes: CliProcess[] = [];

  constructor(leaseMs: number = leaseDefaultMs) {
    this.leaseMs = leaseMs;
  }

  /** Where the test is killed, nothing of the mesh stays behind. */
  environment(home: string): Environment {
    return guardedEnvironment({
      ...process.env,
      CI: "1",
      TRIALMESH_HOME: join(this.folder, home),
      TRIALMESH_NATS_SERVER: findNatsServer(),
      TRIALMESH_LEASE_MS: String(this.leaseMs),
      ...this.ofHome.get(home),
    });
  }

  /** In this process. */
  run(home: string, ...words: readonly string[]): Promise<CliResult> {
    return runHere(words, this.environment(home));
  }

  /** In a process of its own, which takes a second or so. */
  runProcess(home: string, ...words: readonly string[]): Promise<CliResult> {
    return runCli(words, this.environment(home), this.within.get(home));
  }

  start(home: string, ...words: readonly string[]): CliProcess {
    return this.startOf(mainFile, home, ...words);
  }

  /** As `start`, of the version whose command line is `main`. */
  startOf(main: string, home: string, ...words: readonly string[]): CliProcess {
    const started = new CliProcess(words, this.environment(home), main, this.within.get(home));
    this.#processes.push(started);
    return started;
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  async close(): Promise<void> {
    // How they end when they are asked to is tested where that is the question.
    for (const { pid } of this.#processes) for (const each of processesUnder(pid)) killIfThere(each);
    for (const started of this.#processes) await started.end("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
