/** One server under load: started on a core of its own, asked until it answers, loaded from another core, and measured from outside. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { once } from "node:events";
import { processTree } from "./process-memory.ts";
import { loadResultSchema, type LoadOrder, type LoadResult } from "./load-order.ts";

export interface LaneWords {
  readonly name: string;
  /** The program and its words; says `listening at URL`, or listens on `port`. */
  readonly command: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it does not say. */
  readonly port?: number;
  readonly path: string;
  readonly token?: string;
  readonly body: (texts: readonly string[]) => string;
}

export interface Measured extends LoadResult {
  /** Processor time of the server and its children for one request, µs. */
  readonly cpuUs: number;
  readonly perSecond: number;
}

const hasTaskset = spawnSync("taskset", ["-V"]).status === 0;
const startMs = 240_000;
const pollMs = 10;

/** On one core where the system can hold it there. */
export function pinned(core: number, command: readonly [string, ...string[]]): [string, ...string[]] {
  return hasTaskset ? ["taskset", "-c", String(core), ...command] : [...command];
}

export class ServerLane {
  readonly words: LaneWords;
  readonly startMs: number;
  readonly #child: ChildProcess;
  readonly #port: number;

  private constructor(words: LaneWords, child: ChildProcess, port: number, ms: number) {
    this.words = words;
    this.startMs = ms;
    this.#child = child;
    this.#port = port;
  }

  /** Up means: the first real request is answered. */
  static async start(words: LaneWords, question: string): Promise<ServerLane> {
    const began = performance.now();
    const [program, ...rest] = pinned(0, words.command);
    const child = spawn(program, rest, {
      env: { ...process.env, ...words.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    let port = words.port ?? null;
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => {
        said = `${said}\n${line}`.slice(-2_000);
        port ??= Number(/listening at http:\/\/[^:]+:(\d+)/.exec(line)?.[1] ?? 0) || null;
      });
    while (performance.now() - began < startMs) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${words.name} ended:${said}`);
      if (port !== null && (await answers(words, port, question)))
        return new ServerLane(words, child, port, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    child.kill("SIGKILL");
    throw new Error(`${words.name} does not answer:${said}`);
  }

  order(
    texts: readonly string[],
    perRequest: number,
    load: Pick<LoadOrder, "connections" | "seconds" | "rate">,
  ): LoadOrder {
    const bodies: string[] = [];
    for (let at = 0; at + perRequest <= texts.length; at += perRequest)
      bodies.push(this.words.body(texts.slice(at, at + perRequest)));
    return { ...load, bodies, port: this.#port, path: this.words.path, token: this.words.token ?? null };
  }

  async measure(generator: Generator, order: LoadOrder): Promise<Measured> {
    const before = this.#processorMs();
    const result = await generator.load(order);
    const used = this.#processorMs() - before;
    return {
      ...result,
      cpuUs: (1_000 * used) / Math.max(1, result.requests),
      perSecond: result.requests / result.seconds,
    };
  }

  rssMiB(): number {
    return processTree(this.#pid).reduce((sum, { rssBytes }) => sum + rssBytes, 0) / 1_048_576;
  }

  async stop(): Promise<void> {
    const tree = processTree(this.#pid).map(({ pid }) => pid);
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "exit");
    clearTimeout(late);
    // What a peer left behind.
    for (const pid of tree)
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It is gone, as it should be.
      }
  }

  get #pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.words.name} did not start`);
    return this.#child.pid;
  }

  #processorMs(): number {
    return processTree(this.#pid).reduce((sum, { processorMs }) => sum + processorMs, 0);
  }
}

async function answers({ body, path, token }: LaneWords, port: number, question: string): Promise<boolean> {
  try {
    const headers = {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers,
      body: body([question]),
    });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

/** The load's process. */
export class Generator {
  readonly #child: ChildProcess;
  #heard: ((line: string) => void) | null = null;

  constructor(file: string) {
    const [program, ...rest] = pinned(1, [process.execPath, file]);
    const child = spawn(program, rest, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: child.stdout }).on("line", (line) => this.#heard?.(line));
    this.#child = child;
  }

  load(order: LoadOrder): Promise<LoadResult> {
    return new Promise((resolve, reject) => {
      this.#child.once("exit", reject);
      this.#heard = (line) => {
        this.#child.off("exit", reject);
        resolve(loadResultSchema.parse(JSON.parse(line)));
      };
      this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    });
  }

  stop(): void {
    this.#child.kill("SIGTERM");
  }
}
