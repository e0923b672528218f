/** What a key may want done outside the screens' state: said here as data, done by the store. */
import type { LaunchDraft } from "../../client/sweep/launcher.ts";

import type { Confirm, MoveQuestion } from "./confirm.ts";
import type { Ui } from "./ui.ts";

export type Effect =
  | { readonly kind: "send"; readonly confirm: Confirm }
  /** The mesh says which version each move means; then the person is asked. */
  | { readonly kind: "ask-moves"; readonly question: MoveQuestion }
  | { readonly kind: "load-templates" }
  | { readonly kind: "validate"; readonly draft: LaunchDraft; readonly edit: number }
  | { readonly kind: "submit"; readonly draft: LaunchDraft }
  | { readonly kind: "copy"; readonly text: string }
  | { readonly kind: "quit" };

export interface Step {
  readonly ui: Ui;
  readonly effects: readonly Effect[];
}
