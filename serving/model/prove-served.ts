/** Has a loaded version answer an example before anybody else asks it. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { InputColumn, ServedModel } from "./served-model.ts";

const text = "two days, three hours";

/** Opens a version that answers; one that does not is freed and refused. */
export async function openProven(
  open: (reference: string) => Promise<Outcome<ServedModel>>,
  reference: string,
): Promise<Outcome<ServedModel>> {
  const opened = await open(reference);
  if (!opened.ok) return opened;
  const fault = await proveServed(opened.value);
  if (fault === null) return accept(opened.value);
  opened.value.dispose();
  return refuse("conflict", `${reference} cannot be served: ${fault}`);
}

/** Null where it answers; else what is wrong with it. An example that it refuses proves that it looks at its rows. */
export async function proveServed(model: ServedModel): Promise<string | null> {
  const { inputs, labels } = model.signature;
  try {
    const answered = await model.answer({
      count: 1,
      columns: new Map(inputs.map((input) => [input.name, [exampleOf(input)]])),
    });
    if (!answered.ok) return null;
    const numbers = answered.value.kind === "labels" ? answered.value.probabilities : answered.value.values;
    if (numbers.length !== (labels?.length ?? 1)) return `it gives ${numbers.length} numbers for an example`;
    return numbers.every((number) => Number.isFinite(number))
      ? null
      : "it gives an example a number that is not finite";
  } catch {
    return "it fails at an example";
  }
}

function exampleOf({ kind, optional }: InputColumn): string | number | null {
  if (optional) return null;
  return kind === "number" ? 0 : text;
}
