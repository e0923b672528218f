/**
 * MODEL-RUN-1. ONNX Runtime in a process of its own, with one model: asked by messages, bounded in time and memory, and started again after it
 * ended by itself. It knows tensors and no rows.
 */
import { fork, type ChildProcess } from "node:child_process";
import { totalmem } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { heldMiB } from "../../system/held-memory.ts";
import { withoutInherited } from "../../system/inherited-descriptor.ts";
import { memoryLookMs } from "../../system/memory-limit.ts";
import { loadFault, runFault } from "./engine-fault.ts";
import { engineReplySchema } from "./engine-message.ts";
import type { EnginePort, EngineReply, EngineRequest, EngineTensor, Unnumbered } from "./engine-message.ts";

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

export interface EngineOptions {
  /** Of the model; files with weights lie beside it. */
  readonly path: string;
  /** A folder of runtimes in place of the usual one. */
  readonly runtimeFolder?: string;
  readonly limits?: EngineLimits;
}

export interface EnginePorts {
  readonly inputs: readonly EnginePort[];
  readonly outputs: readonly EnginePort[];
}

type Reply = EngineReply | { readonly kind: "gone"; readonly why: string };
type Asked = Unnumbered<EngineRequest>;

export class OnnxEngine {
  readonly #options: EngineOptions;
  readonly #limits: EngineLimits;
  #child: EngineProcess | null = null;
  #loading: Promise<Outcome<EnginePorts>> | null = null;
  #isClosed = false;

  private constructor(options: EngineOptions) {
    this.#options = options;
    this.#limits = options.limits ?? engineLimits;
  }

  /** The engine with its model loaded; refused with what is wrong with the model, or with how the runtime is brought in. */
  static async open(
    options: EngineOptions,
  ): Promise<Outcome<{ readonly engine: OnnxEngine; readonly ports: EnginePorts }>> {
    const engine = new OnnxEngine(options);
    const ports = await engine.#load();
    if (ports.ok) return accept({ engine, ports: ports.value });
    engine.close();
    return ports;
  }

  /** Refused as "invalid" where the tensors do not fit, as "unavailable" where the engine ended over them. */
  async run(
    inputs: readonly EngineTensor[],
    outputs: readonly string[],
  ): Promise<Outcome<readonly EngineTensor[]>> {
    if (this.#child === null || this.#child.isGone) {
      const again = await this.#load();
      if (!again.ok) return again;
    }
    const reply = await this.#ask(
      { kind: "run", inputs: [...inputs], outputs: [...outputs] },
      this.#limits.runMaxMs,
    );
    switch (reply.kind) {
      case "ran":
        return accept(reply.outputs);
      case "failed":
        return refuse("invalid", runFault(reply.words));
      case "gone":
        return refuse("unavailable", `the model's engine ${reply.why} over this request`);
      default:
        return refuse("unavailable", "the model's engine answered something else");
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#child?.kill("was closed");
  }

  /** Asked for twice while it is under way it is the same. */
  #load(): Promise<Outcome<EnginePorts>> {
    if (this.#isClosed) return Promise.resolve(refuse("unavailable", "the model is closed"));
    this.#loading ??= this.#start().finally(() => (this.#loading = null));
    return this.#loading;
  }

  async #start(): Promise<Outcome<EnginePorts>> {
    this.#child = new EngineProcess(this.#options.runtimeFolder, this.#limits.heldMaxMiB);
    const reply = await this.#ask({ kind: "load", path: this.#options.path }, this.#limits.loadMaxMs);
    switch (reply.kind) {
      case "loaded":
        return accept({ inputs: reply.inputs, outputs: reply.outputs });
      case "absent":
        return refuse(
          "unavailable",
          "ONNX Runtime is not here; `trialmesh runtime install onnx` brings it in",
        );
      case "failed":
        return refuse("invalid", loadFault(reply.words));
      case "gone":
        return refuse("invalid", `its engine ${reply.why} while it was loaded`);
      case "ran":
        return refuse("unavailable", "the model's engine answered something else");
    }
  }

  async #ask(request: Asked, maxMs: number): Promise<Reply> {
    const child = this.#child;
    return child === null ? { kind: "gone", why: "has not started" } : child.ask(request, maxMs);
  }
}

/** One process, from its start to its end. */
class EngineProcess {
  isGone = false;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #looks: NodeJS.Timeout;
  #next = 1;
  #why = "ended by itself";

  constructor(runtimeFolder: string | undefined, heldMaxMiB: number) {
    const here = fileURLToPath(import.meta.url);
    const entry = fileURLToPath(new URL(`./engine-child${extname(here)}`, import.meta.url));
    this.#process = fork(entry, [], {
      serialization: "advanced",
      stdio: withoutInherited(["ignore", "ignore", "ignore", "ipc"] as const),
      execArgv: [],
      env: { ...process.env, ...(runtimeFolder === undefined ? {} : { TRIALMESH_RUNTIME: runtimeFolder }) },
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

  ask(request: Asked, maxMs: number): Promise<Reply> {
    if (this.isGone) return Promise.resolve({ kind: "gone", why: this.#why });
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
    const reply = engineReplySchema.safeParse(message);
    if (!reply.success) return this.kill("answered what is no answer");
    const waiting = this.#waiting.get(reply.data.id);
    this.#waiting.delete(reply.data.id);
    waiting?.(reply.data);
  }

  #end(): void {
    if (this.isGone) return;
    this.isGone = true;
    clearInterval(this.#looks);
    for (const waiting of this.#waiting.values()) waiting({ kind: "gone", why: this.#why });
    this.#waiting.clear();
  }
}
