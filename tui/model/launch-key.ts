/** Keys of the launch form: moving between fields, typing, and submitting once validation agrees. */
import {
  erase,
  moveField,
  pickTemplate,
  readiness,
  toggleBeyondBudget,
  typeInto,
  type Form,
} from "./form.ts";
import type { Effect, Step } from "./ui-effect.ts";
import type { Ui } from "./ui.ts";

export function launchKey(ui: Ui, form: Form, key: string): Step {
  const show = (next: Form, effects: readonly Effect[] = []): Step => ({
    ui: { ...ui, overlay: { kind: "launch", form: next } },
    effects:
      next.edit === form.edit
        ? effects
        : [...effects, { kind: "validate", draft: next.draft, edit: next.edit }],
  });
  if (key === "escape") return { ui: { ...ui, overlay: null }, effects: [] };
  if (form.submitting) return show(form);
  switch (key) {
    case "down":
    case "tab":
      return show(moveField(form, 1));
    case "up":
    case "shift+tab":
      return show(moveField(form, -1));
    case "left":
    case "right":
      return show(
        form.field === "file" ? pickTemplate(form, form.template + (key === "left" ? -1 : 1)) : form,
      );
    case "backspace":
      return show(erase(form, false));
    case "ctrl+u":
      return show(erase(form, true));
    case "ctrl+b":
      return show(toggleBeyondBudget(form));
    case "enter":
      return submit(form, show);
    default:
      return show([...key].length === 1 ? typeInto(form, key) : form);
  }
}

function submit(form: Form, show: (next: Form, effects?: readonly Effect[]) => Step): Step {
  const ready = readiness(form);
  switch (ready.kind) {
    case "ready":
      return show({ ...form, submitting: true, submitWhenChecked: false, refusal: null }, [
        { kind: "submit", draft: form.draft },
      ]);
    case "problem":
      return show({
        ...form,
        submitWhenChecked: false,
        refusal: ready.message,
        field: ready.field ?? form.field,
      });
    case "checking":
      return show({ ...form, refusal: null, submitWhenChecked: true });
  }
}
