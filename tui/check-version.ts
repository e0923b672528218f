/**
 * Whether a registered version can serve, asked before an alias is moved to it. Loading models is not the
 * terminal interface's business: whoever opens it hands this in.
 */
import type { Outcome } from "../protocol/refusal.ts";
import type { ModelView } from "../protocol/view.ts";

/** Loads the version and has it answer an example; the answer in words, or why it cannot serve. */
export type CheckVersion = (
  model: ModelView,
  version: number,
) => Promise<Outcome<{ readonly answer: string }>>;
