/** A program a bench starts and ends by its process id: its lines, one at a time, and its end. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

const stopTimeoutMs = 15_000;
const lastLines = 20;

export class ChildProgram {
  readonly #child: ChildProcess;
  readonly #said: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  readonly ended: Promise<void>;

  constructor(
    program: string,
    parameters: readonly string[],
    environment: Readonly<Record<string, string | undefined>> = process.env,
  ) {
    this.#child = spawn(program, [...parameters], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", (line) => this.#hear(line));
    }
    this.ended = new Promise((resolve) => {
      this.#child.once("close", () => resolve());
      this.#child.once("error", (error) => {
        this.#hear(error.message);
        resolve();
      });
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("it did not start");
    return this.#child.pid;
  }

  /** The last of what it said. */
  get said(): string {
    return this.#said.join("\n");
  }

  /** The next line that matches; throws with what it said last where the program ends before. */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const listen = (line: string) => {
        const found = pattern.exec(line);
        if (found === null) return;
        this.#listeners.delete(listen);
        resolve(found);
      };
      this.#listeners.add(listen);
      void this.ended.then(() => reject(new Error(`it ended early:\n${this.#said.join("\n")}`)));
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), stopTimeoutMs);
    await this.ended;
    clearTimeout(late);
  }

  #hear(line: string): void {
    this.#said.push(line);
    if (this.#said.length > lastLines) this.#said.shift();
    for (const listener of [...this.#listeners]) listener(line);
  }
}
