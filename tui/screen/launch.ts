/** The launch form: a sweep file to start from, the fields that may change, and what validation says of them. */
import { cliLaunch } from "../model/cli-line.ts";
import { launchFields, type LaunchField } from "../../client/sweep/launcher.ts";
import { estimateOf, readiness, type Form } from "../model/form.ts";
import { meshOf } from "../model/list.ts";
import { heading } from "../part/pane.ts";
import { firstVisible, pair } from "../part/screen-table.ts";
import { blank, line, span, type Line } from "../../text/line.ts";
import { clip, widthOf, wrap } from "../../text/width.ts";
import type { View } from "../part/screen-view.ts";

const labels: Readonly<Record<LaunchField, string>> = {
  file: "sweep file",
  trials: "trials",
  seed: "seed",
  models: "models",
  max: "epochs at most",
  budget: "tokens at most",
};
const hints: Readonly<Record<LaunchField, string>> = {
  file: "left and right choose another",
  trials: "as the file says",
  seed: "as the file says",
  models: "all of the file",
  max: "as the file says",
  budget: "no limit but the account's",
};
const labelWidth = 17;

export function launchLines(view: View, form: Form): readonly Line[] {
  const { glyphs, width } = view;
  const head = heading("Launch a sweep", width, true, glyphs);
  if (form.templates === null) {
    return [head, line("  ", span(`reading sweep files ${glyphs.ellipsis}`, "dim"))];
  }
  if (form.templates.length === 0) {
    const text = form.refusal ?? "no sweep file was found here: start in a folder that holds one";
    return [head, ...wrap(text, width - 2).map((each) => line("  ", span(each, "bad")))];
  }
  const template = form.templates[form.template];
  const about =
    template === undefined
      ? []
      : [
          pair("", `${template.name}: ${template.task} on ${template.dataset}`, "dim", labelWidth),
          pair("", `towards ${template.metric}, stopping ${template.stopping}`, "dim", labelWidth),
        ];
  const result = verdict(view, form);
  const bare = launchFields.flatMap((field) => fieldLines(view, form, field));
  const room = Math.max(1, view.height - 1 - result.length);
  if (bare.length + about.length > room) {
    const before = launchFields.slice(0, launchFields.indexOf(form.field));
    const at = before.flatMap((field) => fieldLines(view, form, field)).length;
    const from = firstVisible(at, bare.length, room);
    return [head, ...bare.slice(from, from + room), ...result];
  }
  const fields = launchFields.flatMap((field) => [
    ...fieldLines(view, form, field),
    ...(field === "file" ? about : []),
  ]);
  const roomy = view.height >= fields.length + result.length + 6;
  return [
    head,
    ...(roomy ? [blank] : []),
    ...fields,
    ...(roomy ? [blank] : []),
    ...result,
    ...(roomy ? [blank, line("  ", span(cliLaunch(form.draft), "dim"))] : []),
  ];
}

function fieldLines(view: View, form: Form, field: LaunchField): readonly Line[] {
  const { glyphs, width } = view;
  const here = form.field === field;
  const text = form.draft[field];
  const room = Math.max(4, width - labelWidth - 4);
  const fresh = form.checkedEdit === form.edit;
  const problem = fresh ? form.check?.problems.find((each) => each.field === field) : undefined;
  const typed =
    here && field !== "file"
      ? `${tail(text, room - 1)}${glyphs.ascii ? "_" : "▏"}`
      : clip(text, room, glyphs.ellipsis);
  const count =
    field === "file" ? ` (${form.template + 1}/${form.templates?.length ?? 0}, ${hints.file})` : "";
  const hint = text === "" ? `${here ? " " : ""}${hints[field]}` : "";
  return [
    line(
      span(here ? `${glyphs.cursor} ` : "  ", "accent"),
      span(labels[field].padEnd(labelWidth - 2), here ? "accent" : "dim"),
      span(typed, here ? "strong" : "plain"),
      span(hint, "dim"),
      span(here ? count : "", "dim"),
    ),
    ...(problem === undefined
      ? []
      : wrap(problem.message, width - labelWidth)
          .slice(0, 2)
          .map((each) => line(" ".repeat(labelWidth), span(each, "bad")))),
  ];
}

/** What it will cost, in the words the command line says too. */
function estimateLines({ glyphs, width }: View, form: Form): readonly Line[] {
  const outcome = estimateOf(form);
  const beyond = form.draft.beyondBudget === true;
  if (outcome === null) return [line("  ", span(`asking what it costs ${glyphs.ellipsis}`, "dim"))];
  if (!outcome.ok) {
    const text = `what it costs cannot be said: ${outcome.refusal.message}`;
    return wrap(text, width - 2).map((each) => line("  ", span(each, "warn")));
  }
  const { fits, sentence } = outcome.value;
  const end = fits ? "" : beyond ? "; it will pause for grants" : "; ctrl+b launches it nevertheless";
  return wrap(`${sentence}${end}`, width - 2).map((each) =>
    line("  ", span(each, fits ? "plain" : beyond ? "warn" : "bad")),
  );
}

/** The end of a long text, where the cursor is. */
function tail(text: string, width: number): string {
  let kept = text;
  while (widthOf(kept) > width) kept = kept.slice(1);
  return kept;
}

function verdict(view: View, form: Form): readonly Line[] {
  const { glyphs, width } = view;
  if (form.submitting) return [line("  ", span(`submitting ${glyphs.ellipsis}`, "accent"))];
  const refusal =
    form.refusal === null ? [] : wrap(form.refusal, width - 2).map((each) => line("  ", span(each, "bad")));
  const ready = readiness(form);
  switch (ready.kind) {
    case "checking":
      return [...refusal, line("  ", span(`checking ${glyphs.ellipsis}`, "dim"))];
    case "problem": {
      if (ready.field !== null || form.refusal === ready.message) return refusal;
      return [...refusal, ...wrap(ready.message, width - 2).map((each) => line("  ", span(each, "bad")))];
    }
    case "ready": {
      const fit = form.check?.agentsThatFit ?? null;
      const all = meshOf(view.data)?.agents.length ?? null;
      const trials = form.check?.trials ?? null;
      const fits =
        fit === null
          ? ""
          : `${fit}${all === null ? "" : ` of ${all}`} agent${(all ?? fit) === 1 ? "" : "s"} can run it`;
      const parts = [trials === null ? "" : `${trials} trials`, fits].filter((each) => each !== "");
      return [
        ...refusal,
        ...estimateLines(view, form),
        line(
          "  ",
          span(parts.length === 0 ? "ready" : parts.join(", "), fit === 0 ? "bad" : "good"),
          span(", enter launches it", "dim"),
        ),
      ];
    }
  }
}
