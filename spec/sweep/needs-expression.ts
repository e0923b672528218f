/**
 * What work needs of a machine, as it is written on a command line: `cores=4`, `os=linux`, `gpu.vramGiB=8`, `labels.room=attic`. Fields and
 * what they take are those of a sweep file's `needs`.
 */
import { issueSentence } from "../../protocol/issue-sentence.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { requirementSchema, type Requirement } from "../../protocol/requirement.ts";
import { needsShape } from "./needs-shape.ts";

/** Those that take several words, with commas. */
const lists = ["backend", "os", "arch", "cpu", "dtype", "agents.only", "agents.not"];
const numbers = ["memGiB", "cores", "diskGiB", "gpu.count", "gpu.vramGiB", "gpu.computeCapability"];
const texts = ["gpu.vendor", "python"];
const labelPrefix = "labels.";

/** In the place of what was needed before: anything will do. */
const nothing = "none";

export function readNeeds(expressions: readonly string[]): Outcome<Requirement> {
  if (expressions.length === 1 && expressions[0] === nothing) return accept({});
  const needs: Record<string, unknown> = {};
  for (const expression of expressions) {
    const problem = enter(needs, expression);
    if (problem !== null) return problem;
  }
  const read = needsShape.safeParse(needs, { error: issueSentence });
  if (read.success) return accept(requirementSchema.parse(read.data));
  const [issue] = read.error.issues;
  return refuse("invalid", `${issue?.path.join(".") ?? "needs"} ${issue?.message ?? "does not parse"}`, [
    "needs",
  ]);
}

function enter(needs: Record<string, unknown>, expression: string): Outcome<never> | null {
  const at = expression.indexOf("=");
  const [field, text] = [expression.slice(0, at).trim(), expression.slice(at + 1).trim()];
  if (at < 1 || field === "" || text === "")
    return refuse("invalid", `a need is written FIELD=VALUE, such as cores=4, not "${expression}"`, [
      "needs",
    ]);
  const value = valueOf(field, text);
  if (!value.ok) return value;
  // A label's name may have dots of its own.
  const [head = field, ...rest] = field.split(".");
  const tail = rest.join(".");
  if (tail === "") {
    if (needs[head] !== undefined) return twice(field);
    needs[head] = value.value;
    return null;
  }
  const inner = needs[head];
  const group: Record<string, unknown> = typeof inner === "object" && inner !== null ? { ...inner } : {};
  if (Object.hasOwn(group, tail)) return twice(field);
  Object.defineProperty(group, tail, { value: value.value, enumerable: true });
  needs[head] = group;
  return null;
}

function twice(field: string): Outcome<never> {
  return refuse("invalid", `${field} is given twice; several words stand in one, with commas`, ["needs"]);
}

function valueOf(field: string, text: string): Outcome<unknown> {
  if (field.startsWith(labelPrefix) && field.length > labelPrefix.length) return accept(text);
  if (lists.includes(field)) return accept(wordsOf(text));
  // As in a file: a version of Python, or what must be installed in it.
  if (field === "python") return accept(/^\d/.test(text) ? text : wordsOf(text));
  if (texts.includes(field)) return accept(text);
  if (!numbers.includes(field)) {
    const known = [...numbers, ...lists, ...texts, `${labelPrefix}NAME`];
    return refuse("invalid", `no machine is asked for "${field}"; ${suggestion(field, known)}`, ["needs"]);
  }
  const number = Number(text);
  return Number.isFinite(number)
    ? accept(number)
    : refuse("invalid", `${field} is a number, not "${text}"`, ["needs"]);
}

function wordsOf(text: string): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}
