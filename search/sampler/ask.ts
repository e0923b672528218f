/**
 * What a sampler is asked and what it answers. A sampler is a pure function: the same problem, seed and history give the
 * same proposals, on any machine, in the loop or in a worker thread. It keeps nothing between two calls.
 */
import type { Constraint } from "../../protocol/constraint.ts";
import type { Space } from "../../protocol/space.ts";
import type { Params } from "../../protocol/value.ts";

export interface SearchProblem {
  readonly space: Space;
  readonly where: readonly Constraint[];
  readonly seed: number;
  /** Trials the sweep runs at most; Infinity where nobody has said. */
  readonly trials: number;
  /** How many values each result has; 1 for most sweeps. */
  readonly objectives: number;
}

/** One trial of the sweep, as a sampler sees it; only active parameters stand in `params`. */
export interface Observation {
  /** 1 for the first proposal of the sweep. */
  readonly number: number;
  readonly params: Params;
  /** `pending`: it waits or runs. `stopped`: judged early, with the value it had then. */
  readonly state: "pending" | "completed" | "stopped" | "failed";
  /** One per objective, smaller is better; null where there is none or one of them is not finite. */
  readonly values: readonly number[] | null;
  /** Resource (epochs) at which the values were measured; 0 without any. */
  readonly resource: number;
  /** What it had at each resource it was judged at, rising; the first objective only. */
  readonly rungs: readonly { readonly resource: number; readonly value: number }[];
}

export interface Ask {
  readonly problem: SearchProblem;
  /** Draws the sweep has made, skipped duplicates included; for samplers that walk a fixed sequence. */
  readonly position: number;
  /** Proposals wanted; fewer come back where the space is used up. */
  readonly count: number;
  /** Every trial proposed so far, by number. A function, so that a sampler that does not learn need not pay for it. */
  readonly history: () => readonly Observation[];
  /** True for parameters the sweep has proposed before. */
  readonly isKnown: (params: Params) => boolean;
}

export interface Suggestion {
  readonly params: Params;
  /** Number of the trial whose checkpoint this one starts from (population based training). */
  readonly parent: number | null;
}

export interface Answer {
  /** Distinct, unknown before, within bounds and constraints, in the order to be run. */
  readonly suggestions: readonly Suggestion[];
  /** Draws made after this call. */
  readonly position: number;
  /** One sentence on how they were found, for people; null where the method's name says it all. */
  readonly note: string | null;
}

/** Why a sampler cannot search a space, with the parameter to blame. */
export interface Unsuited {
  readonly parameter: string;
  readonly message: string;
}

export interface SearchSampler {
  readonly name: string;
  /** True where a proposal needs the history; such a sampler is asked in a worker thread. */
  readonly learns: boolean;
  /** How many distinct trials the space holds; Infinity where they cannot be counted. */
  size(problem: SearchProblem): number;
  unsuited(problem: SearchProblem): Unsuited | null;
  ask(ask: Ask): Answer;
}
