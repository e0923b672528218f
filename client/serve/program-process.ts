/**
 * MODEL-RUN-5. The program that answers with its own model, kept running: a process group of its own with an address on this machine, started
 * again when it ends, and ended with all it started. It knows nothing of what is asked.
 */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommandEnd } from "../../agent/program/command-end.ts";
import { runCommand, type RunningCommand } from "../../agent/program/run-command.ts";
import { LogGate } from "../../agent/runner/log-gate.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { BackOff } from "../../system/back-off.ts";
import type { Environment } from "../../system/environment.ts";

export interface ProgramOptions {
  /** The command's words and environment, for the port it is to listen at. */
  readonly startAt: (
    port: number,
  ) => Outcome<{ readonly words: readonly string[]; readonly environment: Environment }>;
  readonly folder: string;
  readonly memoryMaxMiB: number;
  /** How it is called in a sentence: `iris@3`. */
  readonly what: string;
  readonly say: (line: string) => void;
  readonly limits?: ProgramLimits;
}

export interface ProgramLimits {
  /** Until it answers for the first time. */
  readonly readyMaxMs: number;
  readonly lookMs: number;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
}

const programLimits: ProgramLimits = { readyMaxMs: 120_000, lookMs: 100, graceMs: 4_000 };
/** One of them is enough: Open Inference's, MLflow's, what many others have. */
const healthPaths = ["/v2/health/ready", "/ping", "/health"] as const;
const lookMaxMs = 2_000;

export class ProgramProcess {
  readonly #options: ProgramOptions;
  readonly #limits: ProgramLimits;
  readonly #backOff = new BackOff();
  readonly #gate = new LogGate();
  #command: RunningCommand | null = null;
  #url: string | null = null;
  #isClosed = false;

  constructor(options: ProgramOptions) {
    this.#options = options;
    this.#limits = options.limits ?? programLimits;
  }

  /** Where it answers; null while it is being started again. */
  get url(): string | null {
    return this.#url;
  }

  /** Resolves once it answers; refused with why it ended, or that it took too long. */
  async start(): Promise<Outcome<null>> {
    const { what } = this.#options;
    const started = await this.#startOnce();
    if (!started.ok) return started;
    const { command, ended, url } = started.value;
    const ready = await this.#untilReady(url, command, ended);
    if (ready !== null) {
      command.kill();
      await command.ended;
      return refuse("conflict", `${what} is not answered with: its program ${ready}`);
    }
    this.#url = url;
    void this.#keep(command);
    return accept(null);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#url = null;
    this.#command?.end();
    await this.#command?.ended;
  }

  async #startOnce(): Promise<Outcome<Started>> {
    const { folder, memoryMaxMiB, say, startAt, what } = this.#options;
    const port = await freePort();
    const start = startAt(port);
    if (!start.ok) return start;
    const command = runCommand({
      ...start.value,
      ...{ folder, memoryMaxMiB, timeoutMs: null, guarded: true, graceMs: this.#limits.graceMs },
      onLine: (line) => {
        for (const kept of this.#gate.admit(line, performance.now())) say(`${what}: ${kept}`);
      },
      onText: () => undefined,
      ready: () => null,
    });
    this.#command = command;
    const ended: Started["ended"] = { end: null };
    void command.ended.then((end) => (ended.end = end));
    if (this.#isClosed) command.kill();
    return accept({ command, ended, url: `http://127.0.0.1:${port}` });
  }

  /** Null once it answers; else why it does not, as what the program did. */
  async #untilReady(url: string, command: RunningCommand, ended: Started["ended"]): Promise<string | null> {
    const { lookMs, readyMaxMs } = this.#limits;
    while (command.ranMs() < readyMaxMs) {
      if (ended.end !== null) return reasonOf(ended.end);
      for (const path of healthPaths) if (await answers(`${url}${path}`)) return null;
      await sleep(lookMs);
    }
    return `did not answer ${healthPaths.join(", ")} within ${readyMaxMs / 1_000} s`;
  }

  /** Starts it again for as long as nobody has closed it. */
  async #keep(first: RunningCommand): Promise<void> {
    const { say, what } = this.#options;
    let command = first;
    for (;;) {
      const end = await command.ended;
      this.#url = null;
      if (this.#isClosed) return;
      const waitMs = this.#backOff.next(command.ranMs());
      say(`${what}: its program ${reasonOf(end)}; it is started again in ${waitMs / 1_000} s`);
      await sleep(waitMs);
      if (this.#isClosed) return;
      const again = await this.#startOnce();
      if (!again.ok) return say(`${what}: ${again.refusal.message}`);
      command = again.value.command;
      const ready = await this.#untilReady(again.value.url, command, again.value.ended);
      if (ready === null) this.#url = again.value.url;
      else command.kill();
    }
  }
}

interface Started {
  readonly command: RunningCommand;
  readonly ended: { end: CommandEnd | null };
  readonly url: string;
}

function reasonOf(end: CommandEnd): string {
  switch (end.kind) {
    case "done":
      return "ended by itself";
    case "ended":
      return "was ended";
    case "failed":
      return end.fault === "start" ? `could not be started: ${end.reason}` : end.reason;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(lookMaxMs), redirect: "error" });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

/** One that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address !== null
          ? resolve(address.port)
          : reject(new Error("broken invariant: a server without a port")),
      );
    });
  });
}
