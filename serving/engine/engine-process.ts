/**
 * MODEL-RUN-1. One process in which a model of somebody else's computes: asked by messages with numbers, bounded in time and memory, and killed where
 * it passes them. What is asked and answered is for others to say.
 */
import { fork, type ChildProcess } from "node:child_process";
import { totalmem } from "node:os";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import type { Environment } from "../../system/environment.ts";
import { heldMiB } from "../../system/held-memory.ts";
import { withoutInherited } from "../../system/inherited-descriptor.ts";
import { memoryLookMs } from "../../system/memory-limit.ts";

export interface EngineLimits {
  readonly loadMaxMs: number;
  readonly runMaxMs: number;
  /** What its process may hold. */
  readonly heldMaxMiB: number;
}

export const engineLimits: EngineLimits = {
  loadMaxMs: 60_000,
  runMaxMs: 60_000,
  heldMaxMiB: Math.floor(totalmem() / 2 / bytesPerMiB),
};

export interface EngineProcessOptions<Reply> {
  /** Path of the program. */
  readonly entry: string;
  readonly environment: Environment;
  readonly heldMaxMiB: number;
  /** Null of what is no answer. */
  readonly parse: (message: unknown) => Reply | null;
}

export interface Gone {
  readonly kind: "gone";
  /** As what it did: "ended by itself". */
  readonly why: string;
  /** Nobody here has killed it. */
  readonly byItself: boolean;
}

export class EngineProcess<Reply extends { readonly id: number }> {
  isGone = false;
  readonly #process: ChildProcess;
  readonly #parse: EngineProcessOptions<Reply>["parse"];
  readonly #waiting = new Map<number, (reply: Reply | Gone) => void>();
  readonly #looks: NodeJS.Timeout;
  #next = 1;
  #why: string | null = null;

  constructor({ entry, environment, heldMaxMiB, parse }: EngineProcessOptions<Reply>) {
    this.#parse = parse;
    this.#process = fork(entry, [], {
      serialization: "advanced",
      stdio: withoutInherited(["ignore", "ignore", "ignore", "ipc"] as const),
      execArgv: [],
      env: environment,
    });
    this.#process.on("message", (message) => this.#hear(message));
    this.#process.once("error", () => this.#end());
    this.#process.once("exit", () => this.#end());
    this.#looks = setInterval(() => {
      const { pid } = this.#process;
      if (pid !== undefined && (heldMiB(pid) ?? 0) > heldMaxMiB)
        this.kill(`took more than ${heldMaxMiB} MiB of memory and was ended`);
    }, memoryLookMs);
    this.#looks.unref();
  }

  ask(request: object, maxMs: number): Promise<Reply | Gone> {
    if (this.isGone) return Promise.resolve(this.#gone());
    const id = this.#next++;
    return new Promise((resolve) => {
      const late = setTimeout(() => this.kill(`took longer than ${maxMs / 1_000} s and was ended`), maxMs);
      this.#waiting.set(id, (reply) => {
        clearTimeout(late);
        resolve(reply);
      });
      this.#process.send({ ...request, id }, (fault) => {
        if (fault !== null) this.#end();
      });
    });
  }

  kill(why: string): void {
    if (this.isGone) return;
    this.#why = why;
    this.#process.kill("SIGKILL");
  }

  #hear(message: unknown): void {
    const reply = this.#parse(message);
    if (reply === null) return this.kill("answered what is no answer");
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    waiting?.(reply);
  }

  #gone(): Gone {
    return { kind: "gone", why: this.#why ?? "ended by itself", byItself: this.#why === null };
  }

  #end(): void {
    if (this.isGone) return;
    this.isGone = true;
    clearInterval(this.#looks);
    for (const waiting of this.#waiting.values()) waiting(this.#gone());
    this.#waiting.clear();
  }
}
