/** The launch form as plain state: which template, what was typed, which field, and what validation said of it. */
import type { Outcome } from "../../protocol/refusal.ts";
import type { EstimateView } from "../../protocol/estimate-view.ts";
import {
  launchFields,
  type LaunchCheck,
  type LaunchDraft,
  type LaunchField,
  type SweepTemplate,
} from "../../client/sweep/launcher.ts";

export interface Form {
  /** Null until they are read. */
  readonly templates: readonly SweepTemplate[] | null;
  readonly template: number;
  readonly draft: LaunchDraft;
  readonly field: LaunchField;
  /** Grows with each edit; a check counts only for the edit it was asked for. */
  readonly edit: number;
  readonly check: LaunchCheck | null;
  readonly checkedEdit: number;
  /** What the mesh said the draft of that edit would cost; null until it has. */
  readonly estimate: { readonly edit: number; readonly outcome: Outcome<EstimateView> } | null;
  /** Enter came while a check was under way: submit when it is good. */
  readonly submitWhenChecked: boolean;
  readonly submitting: boolean;
  readonly refusal: string | null;
}

const emptyDraft: LaunchDraft = { file: "", trials: "", seed: "", models: "", max: "", budget: "" };
export const fieldCharactersMax = 200;

export const emptyForm: Form = {
  templates: null,
  template: 0,
  draft: emptyDraft,
  field: "file",
  edit: 0,
  check: null,
  checkedEdit: -1,
  estimate: null,
  submitWhenChecked: false,
  submitting: false,
  refusal: null,
};

/** The form with a template picked: its figures stand in the fields, ready to be changed. */
export function pickTemplate(form: Form, index: number): Form {
  const templates = form.templates ?? [];
  if (templates.length === 0) return form;
  const at = ((index % templates.length) + templates.length) % templates.length;
  const picked = templates[at];
  if (picked === undefined) return form;
  const draft = {
    ...emptyDraft,
    file: picked.file,
    trials: String(picked.trials),
    models: picked.models.join(", "),
  };
  return edited({ ...form, template: at }, draft);
}

export function withTemplates(form: Form, templates: readonly SweepTemplate[]): Form {
  return pickTemplate({ ...form, templates }, form.template);
}

export function moveField(form: Form, by: number): Form {
  const at = launchFields.indexOf(form.field);
  const next = launchFields[(at + by + launchFields.length) % launchFields.length];
  return next === undefined ? form : { ...form, field: next };
}

/** A typed character. The file is picked, not typed. */
export function typeInto(form: Form, text: string): Form {
  if (form.field === "file" || form.submitting) return form;
  const next = (form.draft[form.field] + text).slice(0, fieldCharactersMax);
  return edited(form, { ...form.draft, [form.field]: next });
}

export function erase(form: Form, all: boolean): Form {
  if (form.field === "file" || form.submitting) return form;
  const next = all ? "" : [...form.draft[form.field]].slice(0, -1).join("");
  return next === form.draft[form.field] ? form : edited(form, { ...form.draft, [form.field]: next });
}

/** What validation said; dropped where the draft has changed since it was asked. */
export function checked(form: Form, edit: number, check: LaunchCheck): Form {
  return edit === form.edit ? { ...form, check, checkedEdit: edit } : form;
}

export function estimated(form: Form, edit: number, outcome: Outcome<EstimateView>): Form {
  return edit === form.edit ? { ...form, estimate: { edit, outcome } } : form;
}

/** The estimate of the draft as it stands now. */
export function estimateOf(form: Form): Outcome<EstimateView> | null {
  return form.estimate?.edit === form.edit ? form.estimate.outcome : null;
}

export function toggleBeyondBudget(form: Form): Form {
  if (form.submitting) return form;
  const { beyondBudget = false, ...rest } = form.draft;
  return edited(form, beyondBudget ? rest : { ...rest, beyondBudget: true });
}

export type Readiness =
  | { readonly kind: "ready" }
  | { readonly kind: "checking" }
  | { readonly kind: "problem"; readonly message: string; readonly field: LaunchField | null };

/** Whether enter may submit. */
export function readiness(form: Form): Readiness {
  if (form.templates === null) return { kind: "checking" };
  if (form.templates.length === 0) {
    return { kind: "problem", message: "no sweep file was found to start from", field: "file" };
  }
  if (form.check === null || form.checkedEdit !== form.edit) return { kind: "checking" };
  const first = form.check.problems[0];
  if (first === undefined) return { kind: "ready" };
  const field = launchFields.find((each) => each === first.field) ?? null;
  return { kind: "problem", message: first.message, field };
}

function edited(form: Form, draft: LaunchDraft): Form {
  return { ...form, draft, edit: form.edit + 1, submitWhenChecked: false, refusal: null };
}
