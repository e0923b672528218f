/**
 * What the launch form needs of the outside: sweep files to start from, their validation, and the submission.
 * The command line implements it; the form never reads a file itself.
 */
import type { Outcome } from "../../protocol/refusal.ts";
import type { EstimateView } from "../../protocol/estimate-view.ts";

/** A sweep file as the form shows it. */
export interface SweepTemplate {
  readonly file: string;
  readonly name: string;
  readonly task: string;
  readonly dataset: string;
  readonly models: readonly string[];
  readonly trials: number;
  readonly metric: string;
  /** In words, such as `asha 1..9 eta 3`. */
  readonly stopping: string;
}

/** What was typed, not yet parsed. An empty field means "as the file says". */
export interface LaunchDraft {
  readonly file: string;
  readonly trials: string;
  readonly seed: string;
  /** Comma list. */
  readonly models: string;
  /** Epochs at most. */
  readonly max: string;
  /** Tokens at most; empty leaves it to the account. */
  readonly budget: string;
  /** Launched even if it costs more than there is: it pauses for grants. */
  readonly beyondBudget?: boolean;
}
export type LaunchField = Exclude<keyof LaunchDraft, "beyondBudget">;
export const launchFields = [
  "file",
  "trials",
  "seed",
  "models",
  "max",
  "budget",
] as const satisfies LaunchField[];

export interface LaunchProblem {
  /** A field of the draft, or any other word where no one field is to blame. */
  readonly field: string;
  readonly message: string;
}
export interface LaunchCheck {
  readonly problems: readonly LaunchProblem[];
  /** Trials the sweep would propose; null where the draft does not say. */
  readonly trials: number | null;
  /** Agents of the mesh that can run at least one of its trials; null where that is not known. */
  readonly agentsThatFit: number | null;
}

export interface Launcher {
  templates(): Promise<readonly SweepTemplate[]>;
  validate(draft: LaunchDraft): Promise<LaunchCheck>;
  /** What it would cost; asked of a draft without problems. */
  estimate(draft: LaunchDraft): Promise<Outcome<EstimateView>>;
  submit(draft: LaunchDraft): Promise<Outcome<{ sweep: string }>>;
}
