/** A machine of the bench: its process, in a network of its own where one is named, told what to do and asked what it measured. */
import { spawn, type ChildProcess } from "node:child_process";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { recordOf, shortText } from "../../protocol/bound.ts";
import type { MachineOrder } from "./machine-order.ts";

const program = join(dirname(fileURLToPath(import.meta.url)), "machine-child.js");
const answerMs = 600_000;

const lineSchema = z.object({
  port: z.number().optional(),
  seconds: z.number().optional(),
  bytes: z.number().optional(),
  sent: z.number().optional(),
  spareBytes: z.number().default(0),
  rssMiB: z.number().optional(),
  processorSeconds: z.number().optional(),
  from: recordOf(shortText, z.number()).optional(),
});
type Line = z.infer<typeof lineSchema>;

export interface Measured {
  readonly seconds: number;
  readonly bytes: number;
  readonly rssMiB: number;
  readonly processorSeconds: number;
  /** That came twice. */
  readonly spareBytes: number;
}

export interface Sent {
  readonly bytes: number;
  readonly rssMiB: number;
  readonly processorSeconds: number;
}

export class BenchMachine {
  readonly #child: ChildProcess;
  readonly #lines: Line[] = [];
  #waiting: ((line: Line) => void) | null = null;

  constructor(order: MachineOrder, network: string | null = null) {
    const words = [program, JSON.stringify(order)];
    const inNetwork = ["netns", "exec", network ?? "", process.execPath, ...words];
    const stdio = ["pipe", "pipe", "inherit"] as const;
    this.#child =
      network === null
        ? spawn(process.execPath, words, { stdio: [...stdio] })
        : spawn("ip", inNetwork, { stdio: [...stdio] });
    if (this.#child.stdout !== null)
      createInterface({ input: this.#child.stdout }).on("line", (text) => this.#hear(text));
  }

  /** Once it listens. */
  async port(): Promise<number> {
    return need((await this.#next()).port);
  }

  /** Whoever receives waits for this. */
  begin(): void {
    this.#child.stdin?.write("begin\n");
  }

  async measured(): Promise<Measured> {
    const { bytes, processorSeconds, rssMiB, seconds, spareBytes } = await this.#next();
    return {
      ...{ seconds: need(seconds), bytes: need(bytes) },
      ...{ rssMiB: need(rssMiB), processorSeconds: need(processorSeconds), spareBytes },
    };
  }

  /** What it has sent of chunks so far, bytes, its largest memory and its processor time so far. */
  async sent(): Promise<Sent> {
    this.#child.kill("SIGUSR2");
    const { processorSeconds, rssMiB, sent } = await this.#next();
    return { bytes: need(sent), rssMiB: need(rssMiB), processorSeconds: need(processorSeconds) };
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** As by a power cut. */
  lose(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async #end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill(signal);
    await ended;
  }

  #hear(text: string): void {
    const line = lineSchema.parse(JSON.parse(text));
    if (this.#waiting === null) this.#lines.push(line);
    else this.#waiting(line);
    this.#waiting = null;
  }

  #next(): Promise<Line> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("a machine of the bench says nothing")), answerMs);
      this.#child.once("close", () => reject(new Error("a machine of the bench ended early")));
      this.#waiting = (heard) => {
        clearTimeout(late);
        resolve(heard);
      };
    });
  }
}

function need(value: number | undefined): number {
  if (value === undefined) throw new Error("a machine of the bench left out a figure");
  return value;
}
