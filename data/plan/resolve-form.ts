/** What a declaration's form means for the columns that a plan ends with: which are needed, and what kind of target it is. */
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { id, lit, type Mark } from "../engine/sql.ts";
import type { Form } from "../declaration/declaration.ts";
import { isNumeric, numberMost, numberMostText, numberOf } from "./column-number.ts";
import { firstMissing, type Column } from "./compile-step.ts";

export interface ResolvedForm {
  /** Label or target. */
  readonly target: string;
  readonly targetColumn: Column;
  /** Whether the target is a label, or a number to predict. */
  readonly isClass: boolean;
  /** Columns to make features of; empty for text. */
  readonly features: readonly Column[];
  readonly needed: readonly string[];
}

export function resolveForm(form: Form, columns: readonly Column[]): Outcome<ResolvedForm> {
  const names = columns.map((column) => column.name);
  const target = form.kind === "text" ? form.label : form.target;
  const roles: [string, string][] =
    form.kind === "text"
      ? [
          ["text", form.text],
          ["label", form.label],
        ]
      : [
          ["target", form.target],
          ...(form.features ?? []).map((name): [string, string] => ["features", name]),
        ];
  for (const [role, name] of roles) {
    if (firstMissing([name], names) !== null)
      return refuse("invalid", `${role}: there is no column "${name}"; ${suggestion(name, names)}`, [role]);
  }
  const targetColumn = columns.find(({ name }) => name === target) ?? { name: target, type: "VARCHAR" };
  const { type } = targetColumn;
  const isClass =
    form.kind === "text" ||
    form.task === "classification" ||
    (form.task === "auto" && (type === "VARCHAR" || type === "BOOLEAN"));
  if (!isClass && type === "VARCHAR")
    return refuse(
      "invalid",
      `target: column "${target}" is text, and regression needs a number; cast it, or give task: classification`,
      ["target"],
    );
  if (!isClass && !isNumeric(targetColumn))
    return refuse("invalid", noNumberSentence("target", targetColumn), ["target"]);
  if (form.kind === "text")
    return accept({ target, targetColumn, isClass, features: [], needed: [form.text, form.label] });
  const features = columns.filter(({ name }) =>
    form.features === null ? name !== target : form.features.includes(name),
  );
  if (features.some(({ name }) => name === target))
    return refuse(
      "invalid",
      `features: "${target}" is the target; a model that sees it has nothing to learn`,
      ["features"],
    );
  if (features.length === 0)
    return refuse("invalid", `features: there is no column besides the target "${target}"`, ["features"]);
  const strange = features.find((column) => column.type !== "VARCHAR" && !isNumeric(column));
  if (strange !== undefined) return refuse("invalid", noNumberSentence("features", strange), ["features"]);
  return accept({
    target,
    targetColumn,
    isClass,
    features,
    needed: [target, ...features.map(({ name }) => name)],
  });
}

function noNumberSentence(role: string, { name, type }: Column): string {
  return `${role}: column "${name}" is of type ${type}, which is neither text nor a number; make one of it with derive, or leave it out`;
}

/** Rows that lack what training cannot do without. A missing feature is filled in, a missing text or target is not. */
export function requiredMarks(form: Form, { isClass, targetColumn }: ResolvedForm): readonly Mark[] {
  const isBlank = (column: string) =>
    `${id(column)} IS NULL OR NOT regexp_matches(CAST(${id(column)} AS VARCHAR), '[^\\s\\v\\p{Z}]')`;
  const { name: target } = targetColumn;
  const column = lit(target);
  const value = id(target);
  const marks: Mark[] = [];
  if (form.kind === "text")
    marks.push({
      when: isBlank(form.text),
      column: lit(form.text),
      value: "NULL",
      reason: lit("it has no text"),
    });
  const reason = lit(form.kind === "text" ? "it has no label" : "it has no target");
  if (isClass) return [...marks, { when: isBlank(target), column, value, reason }];
  const number = numberOf(targetColumn);
  return [
    ...marks,
    { when: `${number} IS NULL`, column, value, reason },
    { when: `abs(${number}) > ${numberMost}`, column, value, reason: lit(tooLarge("a target")) },
  ];
}

export function tooLarge(what: string): string {
  return `it is larger than ${what} may be (${numberMostText}, what single precision holds); leave such rows out with filter, or let more of them be rejected with badRows`;
}
