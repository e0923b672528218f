/**
 * Which columns of the sources a declaration has any use for: what is wrong with another refuses no row and no file (UNUSED-1). More
 * names than are used may be in it, never fewer: of an expression every word counts.
 */
import type { Declaration } from "./declaration.ts";
import type { Step } from "./plan-step.ts";

/** In lower case; null where every column is used. */
export type UsedColumns = ReadonlySet<string> | null;

const word = /"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*/gu;

export function columnsUsed({ form, plan }: Declaration): UsedColumns {
  if (form.kind === "table" && form.features === null) return null;
  const own = form.kind === "text" ? [form.text, form.label] : [form.target, ...(form.features ?? [])];
  const names = [...own, ...plan.flatMap(columnsNamedBy)];
  return new Set(names.map((name) => name.toLowerCase()));
}

/** Every column that a step names; of an expression every word. */
export function columnsNamedBy(step: Step): readonly string[] {
  switch (step.step) {
    case "filter":
      return wordsOf(step.where);
    case "derive":
      return wordsOf(step.as);
    case "rename":
    case "cast":
    case "features":
      return Object.keys(step.columns);
    case "concat":
    case "clean":
      return step.columns;
    case "map-label":
    case "balance":
      return [step.column];
    case "dedupe":
      return [step.by].flat();
    case "sample":
      return [];
    case "split":
      return [step.by ?? [], step.stratify === false ? [] : (step.stratify ?? [])].flat();
    default:
      return step satisfies never;
  }
}

function wordsOf(expression: string): readonly string[] {
  return [...expression.matchAll(word)].map(([found]) =>
    found.startsWith('"') ? found.slice(1, -1).replaceAll('""', '"') : found,
  );
}
