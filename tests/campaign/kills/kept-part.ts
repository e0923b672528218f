/** A long-lived command that somebody starts again whenever it has ended, as an owner would; it keeps how each run ended. */
import { setTimeout as sleep } from "node:timers/promises";
import type { CliProcess } from "../../support/cli-mesh.ts";

const againMs = 500;

export class KeptPart {
  readonly name: string;
  /** How each run that nobody asked to end has ended: its status, and its last line. */
  readonly ends: string[] = [];
  readonly #start: (() => CliProcess | null) | (() => Promise<CliProcess | null>);
  readonly #said: string[] = [];
  #process: CliProcess | null = null;
  #kept = true;
  #isOver: Promise<void>;

  /** `start` gives null where it cannot be started just now, and is asked again. */
  constructor(name: string, start: (() => CliProcess | null) | (() => Promise<CliProcess | null>)) {
    this.name = name;
    this.#start = start;
    this.#isOver = this.#keep();
  }

  get pid(): number | null {
    return this.#process === null || this.#process.isOver ? null : this.#process.pid;
  }

  /** Of every run so far. */
  get said(): string {
    return [...this.#said, this.#process?.said ?? ""].join("\n");
  }

  /** Asks it to end, and starts it again. */
  async restart(): Promise<void> {
    await this.#process?.end("SIGTERM");
  }

  /** Asks it to end, for good. */
  async stop(): Promise<number | null> {
    this.#kept = false;
    const code = (await this.#process?.end("SIGTERM")) ?? null;
    await this.#isOver;
    return code;
  }

  async #keep(): Promise<void> {
    while (this.#kept) {
      const started = await this.#start();
      if (started !== null) {
        this.#process = started;
        const code = await started.ended;
        const last = started.said.trimEnd().split("\n").at(-1) ?? "";
        this.ends.push(`${code ?? "killed"}: ${last}`);
        this.#said.push(started.said);
        this.#process = null;
      }
      if (this.#kept) await sleep(againMs);
    }
  }
}
