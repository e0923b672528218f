/** The highest signed head of the journal that this agent has heard of, kept over its restarts. What it proves is for a leader to say (JOURNAL-10). */
import { readHead } from "../protocol/signed-head.ts";
import type { MeshTrust } from "../protocol/signature.ts";
import type { Clock } from "../protocol/time/clock.ts";
import type { Store } from "../store/store.ts";

/** Where it lies in an agent's store. */
export const headKey = "head";
/** A head a little lower proves as much; each write is a flush. */
const writeEveryMs = 2_000;

export interface KeptHeadOptions {
  readonly mesh: string;
  readonly trust: MeshTrust;
  readonly store: Store;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

export class KeptHead {
  readonly #options: KeptHeadOptions;
  #proof: string | null = null;
  #sequence = 0;
  #willWrite = false;

  constructor(options: KeptHeadOptions) {
    this.#options = options;
    const stored = options.store.get(headKey);
    if (typeof stored === "string") this.#take(stored);
  }

  get proof(): string | null {
    return this.#proof;
  }

  /** One that no coordinator has signed, or a lower one, changes nothing. */
  note(proof: string): void {
    const { clock, onError, store } = this.#options;
    if (proof === this.#proof || !this.#take(proof) || this.#willWrite) return;
    this.#willWrite = true;
    clock.setTimer(writeEveryMs, () => {
      this.#willWrite = false;
      store.write({ put: [[headKey, this.#proof]], remove: [] }).catch(onError);
    });
  }

  #take(proof: string): boolean {
    const { mesh, trust } = this.#options;
    const head = readHead(trust, mesh, proof);
    if (head === null || head.sequence <= this.#sequence) return false;
    this.#sequence = head.sequence;
    this.#proof = proof;
    return true;
  }
}
