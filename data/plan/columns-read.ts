/**
 * Which columns the rest of a plan may still read, so that a table made on the way need not hold the others. Where that
 * is not known without reading SQL, all of them.
 */
import { columnsNamedBy } from "../declaration/columns-used.ts";
import { splitOf, type Declaration } from "../declaration/declaration.ts";
import type { Step } from "../declaration/plan-step.ts";

/** Names read by the steps from `index` on, by the split and by training; null: any. */
export function columnsRead(declaration: Declaration, index: number): ReadonlySet<string> | null {
  const { form, plan } = declaration;
  if (form.kind === "table" && form.features === null) return null;
  const read = new Set(
    form.kind === "text" ? [form.text, form.label] : [form.target, ...(form.features ?? [])],
  );
  for (const step of [...plan.slice(index), splitOf(declaration)]) {
    const names = readBy(step);
    if (names === null) return null;
    for (const name of names) read.add(name);
  }
  return read;
}

function readBy(step: Step): readonly string[] | null {
  switch (step.step) {
    case "filter":
    case "derive":
    case "rename": // a name that is free now may be taken again
      return null;
    case "features":
      return [];
    default:
      return columnsNamedBy(step);
  }
}
