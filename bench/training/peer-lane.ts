/** A peer of the race: a Python program that trains when asked and says how fast. Ended by its process id. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import * as z from "zod";
import type { LaneRound } from "./own-lane.ts";

const greetingSchema = z.object({ version: z.string() });
const roundSchema = z.object({ perSecond: z.number(), perProcessorSecond: z.number(), loss: z.number() });
const lastLines = 10;

export class PeerLane {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #said: string[] = [];
  version = "";

  private constructor(child: ChildProcess, output: Interface) {
    this.#child = child;
    this.#answers = output[Symbol.asyncIterator]();
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on("line", (line) => {
        this.#said.push(line);
        if (this.#said.length > lastLines) this.#said.shift();
      });
    }
  }

  static async open(
    python: string,
    script: string,
    parameters: readonly string[],
    threads: number,
  ): Promise<PeerLane> {
    const environment = { ...process.env, OMP_NUM_THREADS: String(threads), CUDA_VISIBLE_DEVICES: "" };
    const child = spawn(python, [script, ...parameters], { env: environment, stdio: "pipe" });
    await once(child, "spawn");
    const lane = new PeerLane(child, createInterface({ input: child.stdout }));
    lane.version = greetingSchema.parse(await lane.#answer()).version;
    return lane;
  }

  async round(epochs: number): Promise<LaneRound> {
    this.#child.stdin?.write(`${epochs}\n`);
    return roundSchema.parse(await this.#answer());
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async #answer(): Promise<unknown> {
    const next = await this.#answers.next();
    if (next.done === true) throw new Error(`the peer ended early:\n${this.#said.join("\n")}`);
    return JSON.parse(next.value);
  }
}
