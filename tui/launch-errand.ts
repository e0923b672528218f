/**
 * What the launch form asks of the outside: templates, a check of the draft, what it will cost, its submission. What comes
 * back goes into the form as long as it is open; how the form looks and moves is the model's.
 */
import { refuse } from "../protocol/refusal.ts";
import type { Launcher } from "../client/sweep/launcher.ts";
import { errorSentence } from "../protocol/error-sentence.ts";
import { checked, estimated, readiness, withTemplates, type Form } from "./model/form.ts";
import { go, say } from "./model/move.ts";
import type { Effect } from "./model/ui-effect.ts";
import { withSelection, type Ui } from "./model/ui.ts";

export interface LaunchErrandOptions {
  readonly launcher: Launcher;
  readonly ui: () => Ui;
  readonly put: (next: Ui) => void;
  readonly press: (key: string) => void;
}

type DraftAt = Pick<Extract<Effect, { kind: "validate" }>, "draft" | "edit">;

export class LaunchErrand {
  readonly #options: LaunchErrandOptions;

  constructor(options: LaunchErrandOptions) {
    this.#options = options;
  }

  async loadTemplates(): Promise<void> {
    try {
      const templates = await this.#options.launcher.templates();
      this.#putForm((form) => withTemplates(form, templates));
      const form = this.#form();
      if (form !== null) await this.validate({ draft: form.draft, edit: form.edit });
    } catch (error) {
      this.#putForm((form) => ({ ...form, templates: [], refusal: errorSentence(error) }));
    }
  }

  async validate(of: DraftAt): Promise<void> {
    if (of.draft.file === "") return;
    try {
      const check = await this.#options.launcher.validate(of.draft);
      this.#putForm((form) => checked(form, of.edit, check));
      if (check.problems.length === 0) void this.#estimate(of);
    } catch (error) {
      const problem = { field: "file", message: errorSentence(error) };
      this.#putForm((form) =>
        checked(form, of.edit, { problems: [problem], trials: null, agentsThatFit: null }),
      );
    }
    const form = this.#form();
    if (form !== null && form.submitWhenChecked && readiness(form).kind !== "checking")
      this.#options.press("enter");
  }

  async submit(of: Extract<Effect, { kind: "submit" }>): Promise<void> {
    const { launcher, put, ui } = this.#options;
    try {
      const outcome = await launcher.submit(of.draft);
      if (!outcome.ok) {
        this.#putForm((form) => ({ ...form, submitting: false, refusal: outcome.refusal.message }));
        return;
      }
      const { sweep } = outcome.value;
      const closed: Ui = this.#form() === null ? ui() : { ...ui(), overlay: null };
      const shown = withSelection(go(closed, "sweeps"), "sweeps", { key: sweep, index: 0 });
      const fresh = withSelection(shown, "trials", { key: null, index: 0 });
      put(say({ ...fresh, filters: { ...fresh.filters, sweeps: "" } }, `${sweep} is submitted`, "good"));
    } catch (error) {
      this.#putForm((form) => ({ ...form, submitting: false, refusal: errorSentence(error) }));
    }
  }

  async #estimate(of: DraftAt): Promise<void> {
    try {
      const outcome = await this.#options.launcher.estimate(of.draft);
      this.#putForm((form) => estimated(form, of.edit, outcome));
    } catch (error) {
      this.#putForm((form) => estimated(form, of.edit, refuse("unavailable", errorSentence(error))));
    }
  }

  /** The form while it is open. */
  #form(): Form | null {
    const { overlay } = this.#options.ui();
    return overlay?.kind === "launch" ? overlay.form : null;
  }

  #putForm(change: (form: Form) => Form): void {
    const form = this.#form();
    if (form === null) return;
    const { put, ui } = this.#options;
    put({ ...ui(), overlay: { kind: "launch", form: change(form) } });
  }
}
