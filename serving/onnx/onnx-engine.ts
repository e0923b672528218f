/**
 * MODEL-RUN-1. ONNX Runtime in a process of its own, with one model: asked by messages, bounded in time and memory, and started again after it
 * ended by itself. It knows tensors and no rows.
 */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { EngineProcess, engineLimits, type EngineLimits, type Gone } from "../engine/engine-process.ts";
import { loadFault, runFault } from "./engine-fault.ts";
import { engineReplySchema } from "./engine-message.ts";
import type { EnginePort, EngineReply, EngineRequest, EngineTensor, Unnumbered } from "./engine-message.ts";

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

type Asked = Unnumbered<EngineRequest>;
/** The engine could not be started again. */
interface Unloaded {
  readonly kind: "refused";
  readonly refused: Outcome<never>;
}

export class OnnxEngine {
  readonly #options: EngineOptions;
  readonly #limits: EngineLimits;
  #child: EngineProcess<EngineReply> | null = null;
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
    const request: Asked = { kind: "run", inputs: [...inputs], outputs: [...outputs] };
    let reply = await this.#askLoaded(request);
    // Somebody may have killed it, or another request; the same request ending two of them is that request.
    if (reply.kind === "gone" && reply.byItself) reply = await this.#askLoaded(request);
    switch (reply.kind) {
      case "ran":
        return accept(reply.outputs);
      case "failed":
        return refuse("invalid", runFault(reply.words));
      case "gone":
        return refuse("unavailable", `the model's engine ${reply.why} over this request`);
      case "refused":
        return reply.refused;
      default:
        return refuse("unavailable", "the model's engine answered something else");
    }
  }

  async #askLoaded(request: Asked): Promise<EngineReply | Gone | Unloaded> {
    if (this.#child === null || this.#child.isGone) {
      const again = await this.#load();
      if (!again.ok) return { kind: "refused", refused: again };
    }
    return this.#ask(request, this.#limits.runMaxMs);
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
    const { runtimeFolder } = this.#options;
    this.#child = new EngineProcess({
      entry: engineEntry(),
      environment: {
        ...process.env,
        ...(runtimeFolder === undefined ? {} : { TRIALMESH_RUNTIME: runtimeFolder }),
      },
      heldMaxMiB: this.#limits.heldMaxMiB,
      parse: (message) => engineReplySchema.safeParse(message).data ?? null,
    });
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

  async #ask(request: Asked, maxMs: number): Promise<EngineReply | Gone> {
    const child = this.#child;
    return child === null
      ? { kind: "gone", why: "has not started", byItself: false }
      : child.ask(request, maxMs);
  }
}

function engineEntry(): string {
  const here = fileURLToPath(import.meta.url);
  return fileURLToPath(new URL(`./engine-child${extname(here)}`, import.meta.url));
}
