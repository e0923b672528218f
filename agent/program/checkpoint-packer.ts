/**
 * Packs a running program's checkpoint folder now and then: after its reports, but not more often than it is worth. When
 * to look is the run's to say; what is packed, and whether it has changed, is the folder's.
 */
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { CheckpointFile } from "../runner/runner.ts";
import type { CheckpointFolder } from "./checkpoint-folder.ts";
import type { LeaseSegment } from "./lease-segment.ts";

/** How far a program was when it was packed. */
export interface Progress {
  readonly resource: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface CheckpointPackerOptions {
  readonly folder: CheckpointFolder;
  readonly segment: LeaseSegment;
  readonly onKept: (file: CheckpointFile, progress: Progress) => void;
  readonly onFault: (reason: string) => void;
}

/** The checkpoint folder is looked at after a report, but not more often than this. */
export const packEveryMs = 2_000;

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "due"; readonly timer: NodeJS.Timeout }
  | { readonly kind: "packing"; readonly done: Promise<void> }
  | { readonly kind: "closed" };

/**
 * | state   | what it does                      | what moves it on                                        |
 * | ------- | --------------------------------- | ------------------------------------------------------- |
 * | idle    | nothing                           | `soon`: due, at once or `packEveryMs` after the last    |
 * | due     | waits; `soon` is said already     | the time: packing                                       |
 * | packing | packs the folder if it changed    | packed: idle                                            |
 * | closed  | packs when `last` asks, else not  | nothing; every other state is closed by `close`         |
 */
export class CheckpointPacker {
  readonly #options: CheckpointPackerOptions;
  #state: State = { kind: "idle" };
  #packedAt = -Infinity;
  #file: CheckpointFile | null = null;

  constructor(options: CheckpointPackerOptions) {
    this.#options = options;
  }

  soon(): void {
    if (this.#state.kind !== "idle") return;
    const waitMs = Math.max(0, this.#packedAt + packEveryMs - performance.now());
    this.#state = { kind: "due", timer: setTimeout(() => this.#begin(), waitMs) };
  }

  /** Begins no more; resolves when what is under way is packed. */
  async close(): Promise<void> {
    const before = this.#state;
    this.#state = { kind: "closed" };
    if (before.kind === "due") clearTimeout(before.timer);
    if (before.kind === "packing") await before.done;
  }

  /** The last checkpoint there is, packed now where the folder has changed since. */
  async last(): Promise<CheckpointFile | null> {
    const { folder, onFault, segment } = this.#options;
    const packed = await folder.packIfChanged(segment.note(false));
    if (!packed.ok) onFault(packed.refusal.message);
    else if (packed.value !== null) this.#file = packed.value;
    return this.#file;
  }

  /** The last checkpoint that was packed. */
  get file(): CheckpointFile | null {
    return this.#file;
  }

  #begin(): void {
    this.#packedAt = performance.now();
    const done = this.#pack()
      .catch((error: unknown) =>
        this.#options.onFault(`its checkpoint was not kept: ${errorSentence(error)}`),
      )
      .finally(() => {
        if (this.#state.kind === "packing") this.#state = { kind: "idle" };
      });
    this.#state = { kind: "packing", done };
  }

  async #pack(): Promise<void> {
    const { folder, onFault, onKept, segment } = this.#options;
    const progress = { resource: segment.resource, metrics: segment.metrics() };
    const packed = await folder.packIfChanged(segment.note(false));
    if (!packed.ok) {
      return onFault(packed.refusal.message);
    }
    if (packed.value === null) return;
    this.#file = packed.value;
    onKept(packed.value, progress);
  }
}
