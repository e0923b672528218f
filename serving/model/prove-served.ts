/**
 * Has a loaded version answer an example before anybody else asks it: its own, where one is recorded, as it was answered then; else one that
 * is made up.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { RecordedExample } from "../../protocol/version-fact.ts";
import { numbersOf, proveExample } from "./prove-example.ts";
import type { InputColumn, ServedModel } from "./served-model.ts";

const text = "two days, three hours";

/** What is served, as it was opened: with the example that is on record for it, if there is one. */
export interface ProvableModel extends ServedModel {
  readonly record?: { readonly example?: RecordedExample };
  /** Null where the data that it was trained on is gone, and its transformation with it: it answers otherwise then, and that was said. */
  readonly datasetPath?: string | null;
}

/** Opens a version that answers; one that does not is freed and refused. */
export async function openProven<M extends ProvableModel>(
  open: (reference: string) => Promise<Outcome<M>>,
  reference: string,
): Promise<Outcome<M>> {
  const opened = await open(reference);
  if (!opened.ok) return opened;
  const fault = await proveServed(opened.value);
  if (fault === null) return accept(opened.value);
  opened.value.dispose();
  return refuse("conflict", `${reference} cannot be served: ${fault}`);
}

/** Null where it answers; else what is wrong with it. A made-up example that it refuses proves that it looks at its rows. */
export async function proveServed(model: ProvableModel): Promise<string | null> {
  const { labels } = model.signature;
  const example = ownExampleOf(model);
  try {
    if (example !== undefined) return await proveExample(model, example);
    const row = new Map(Object.entries(madeUpRow(model)).map(([name, value]) => [name, [value]]));
    const answered = await model.answer({ count: 1, columns: row });
    if (!answered.ok) return null;
    const numbers = numbersOf(answered.value);
    if (numbers.length !== (labels?.length ?? 1)) return `it gives ${numbers.length} numbers for an example`;
    return numbers.every((number) => Number.isFinite(number))
      ? null
      : "it gives an example a number that is not finite";
  } catch {
    return "it fails at an example";
  }
}

/** What it is proved by, if there is one. */
export function ownExampleOf({ datasetPath, record }: ProvableModel): RecordedExample | undefined {
  return datasetPath === null ? undefined : record?.example;
}

export function madeUpRow({ signature }: ServedModel): RecordedExample["row"] {
  return Object.fromEntries(signature.inputs.map((input) => [input.name, valueFor(input)]));
}

function valueFor({ kind, optional }: InputColumn): string | number | null {
  if (optional) return null;
  return kind === "number" ? 0 : text;
}
