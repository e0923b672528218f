/**
 * Reads metrics out of a program's output, in order: at once where the usual patterns do, else in a thread of its own, with
 * a deadline for each line. What a report means is the caller's, and so is the end of a program that cannot be read.
 */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { LineCut } from "./line-screen.ts";
import type { FromPatternWorker, PatternWorkerData } from "./pattern-worker.ts";
import { metricReader } from "./read-metrics.ts";
import type { Report, Unread } from "./metric-report.ts";

export interface MetricReaderOptions {
  /** A requester's own regular expressions; none: the usual ones. */
  readonly patterns: readonly string[];
  /** Metrics that count, found as they are written. */
  readonly names: readonly string[];
  /** Of one line. */
  readonly onReports: (reports: readonly Report[]) => void;
  /** What of it could not be taken as it stands. */
  readonly onUnread: (unread: Unread) => void;
  /** Called once, with a sentence: nothing is read any more. */
  readonly onFault: (reason: string) => void;
}

export interface MetricReader {
  /** `cut` where the line was longer. */
  read(line: string, cut?: LineCut | null): void;
  /** Null while it keeps up; else resolves when it can take more. */
  ready(): Promise<void> | null;
  /** Resolves when all is read, or cannot be. */
  settle(): Promise<void>;
  close(): void;
}

/** How often it is asked how far the thread is, and how many times in a row it may still be at the same line. */
const lookMs = 500;
const looksMax = 4;
/** What a program has printed by its end is to be read within this. */
const settleMaxMs = 10_000;
/** Lines that wait, in characters, from which on no more is taken. */
const waitingMaxCharacters = 262_144;
const batchMaxCharacters = 65_536;
const heapMaxMiB = 64;

export function openMetricReader(options: MetricReaderOptions): MetricReader {
  if (options.patterns.length > 0) return new ThreadReader(options);
  const { names, onUnread } = options;
  const read = metricReader([], { names, onUnread });
  return {
    read: (line, cut = null) => {
      if (cut !== null) onUnread({ kind: "line", ...cut });
      options.onReports(read(line));
    },
    ready: () => null,
    settle: () => Promise.resolve(),
    close: () => undefined,
  };
}

/**
 * | state   | what it does                              | what moves it on                                            |
 * | ------- | ----------------------------------------- | ----------------------------------------------------------- |
 * | idle    | nothing waits                             | `read`: asked                                               |
 * | asked   | a batch is with the thread, others wait   | its answer: idle, or asked again; looks without progress,   |
 * |         |                                           | or the thread's end: over, with a fault                     |
 * | over    | reads nothing                             | nothing                                                     |
 */
class ThreadReader implements MetricReader {
  readonly #options: MetricReaderOptions;
  readonly #worker: Worker;
  readonly #progress = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  #state: "idle" | "asked" | "over" = "idle";
  #started = false;
  #waiting: string[] = [];
  #characters = 0;
  #room: PromiseWithResolvers<void> | null = null;
  #done: PromiseWithResolvers<void> | null = null;
  #looks: NodeJS.Timeout | null = null;
  #still = 0;
  #linesSeen = 0;

  constructor(options: MetricReaderOptions) {
    this.#options = options;
    const here = fileURLToPath(import.meta.url);
    const workerData: PatternWorkerData = {
      patterns: [...options.patterns],
      names: [...options.names],
      progress: this.#progress.buffer,
    };
    this.#worker = new Worker(new URL(`./pattern-worker${extname(here)}`, import.meta.url), {
      workerData,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: heapMaxMiB },
    });
    this.#worker.unref();
    this.#worker.on("message", (message: FromPatternWorker) => this.#hear(message));
    this.#worker.on("error", () => this.#fail("its metricFormat needs more memory than reading may take"));
    this.#worker.on("exit", () => this.#fail("the thread that read it ended"));
  }

  read(line: string, cut: LineCut | null = null): void {
    if (this.#state === "over") return;
    if (cut !== null) this.#options.onUnread({ kind: "line", ...cut });
    this.#waiting.push(line);
    this.#characters += line.length;
    this.#ask();
  }

  ready(): Promise<void> | null {
    if (this.#state === "over" || this.#characters <= waitingMaxCharacters) return null;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  async settle(): Promise<void> {
    if (this.#state === "over" || (this.#state === "idle" && this.#waiting.length === 0)) return;
    this.#done ??= Promise.withResolvers<void>();
    const late = setTimeout(
      () =>
        this.#fail(
          `its metricFormat was not through with its last lines ${settleMaxMs / 1000} s after its end`,
        ),
      settleMaxMs,
    );
    await this.#done.promise;
    clearTimeout(late);
  }

  close(): void {
    this.#end();
  }

  #ask(): void {
    if (!this.#started || this.#state !== "idle" || this.#waiting.length === 0) return;
    let characters = 0;
    let count = 0;
    for (const line of this.#waiting) {
      if (count > 0 && characters + line.length > batchMaxCharacters) break;
      characters += line.length;
      count++;
    }
    this.#state = "asked";
    this.#still = 0;
    this.#worker.postMessage(this.#waiting.splice(0, count));
    this.#characters -= characters;
    // The thread alone does not keep this process; a question to it does.
    this.#worker.ref();
    this.#looks ??= setInterval(() => this.#look(), lookMs);
  }

  #hear(message: FromPatternWorker): void {
    if (this.#state === "over") return;
    switch (message.kind) {
      case "ready":
        this.#started = true;
        break;
      case "unusable":
        return this.#fail(`its metricFormat cannot be used: ${message.why}`);
      case "read":
        this.#state = "idle";
        this.#worker.unref();
        message.unread.forEach(this.#options.onUnread);
        for (const reports of message.reports) this.#options.onReports(reports);
    }
    this.#ask();
    if (this.#characters <= waitingMaxCharacters) this.#letIn();
    if (this.#state === "idle") {
      this.#stopLooking();
      this.#done?.resolve();
      this.#done = null;
    }
  }

  /** Counts looks and not time: while this process stands still, so does the thread. */
  #look(): void {
    const lines = Atomics.load(this.#progress, 0);
    if (lines !== this.#linesSeen) this.#still = 0;
    this.#linesSeen = lines;
    if (++this.#still <= looksMax) return;
    const pattern = this.#options.patterns[Atomics.load(this.#progress, 1)] ?? "";
    this.#fail(
      `the pattern ${pattern} of its metricFormat took longer than ${(lookMs * looksMax) / 1000} s over one line; ` +
        "a pattern without repetitions of repetitions, such as (a+)+, is quick",
    );
  }

  #fail(reason: string): void {
    if (this.#state === "over") return;
    this.#end();
    this.#options.onFault(reason);
  }

  #end(): void {
    this.#state = "over";
    this.#stopLooking();
    this.#waiting = [];
    this.#characters = 0;
    this.#letIn();
    this.#done?.resolve();
    void this.#worker.terminate();
  }

  #letIn(): void {
    this.#room?.resolve();
    this.#room = null;
  }

  #stopLooking(): void {
    if (this.#looks !== null) clearInterval(this.#looks);
    this.#looks = null;
  }
}
