/**
 * Where the next trial's parameters of one sweep come from. A sampler is replayable: what it proposes depends on
 * the sweep's specification, the number of draws made so far, and the keys already proposed.
 */
import type { Params } from "../../protocol/value.ts";

export interface Proposal {
  readonly model: string;
  readonly params: Params;
  /** Draws made by the sweep so far, this one and skipped duplicates included. */
  readonly draws: number;
}

export interface Sampler {
  /** How many distinct trials the space holds; Infinity where they cannot be counted. */
  size(): number;
  /** The next proposal no key of which is known, or null when the space is used up. */
  propose(draws: number, isKnown: (model: string, params: Params) => boolean): Proposal | null;
  /** Why this sampler cannot search this space, with the parameter to blame; null when it can. */
  problem(): { readonly model: string; readonly parameter: string; readonly message: string } | null;
}
