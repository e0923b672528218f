/**
 * Whether a loaded version answers its recorded example as it did when that was recorded: then its bytes, its transformation and the runtime
 * here are those that it was registered with. Not what is asked of a version that has none.
 */
import type { RecordedExample } from "../../protocol/version-fact.ts";
import type { Answers, ServedModel } from "./served-model.ts";

/** Answers of other machines and runtimes may differ by so much of themselves, or of 1 where that is more. */
const tolerance = 1e-3;
const shownDigits = 6;

/** Null where it does; else what is wrong, as `its recorded example …`. */
export async function proveExample(model: ServedModel, example: RecordedExample): Promise<string | null> {
  const { inputs } = model.signature;
  const answered = await model.answer({
    count: 1,
    columns: new Map(inputs.map(({ name }) => [name, [example.row[name] ?? null]])),
  });
  if (!answered.ok) return `its recorded example is refused: ${answered.refusal.message}`;
  const numbers = numbersOf(answered.value);
  const width = model.signature.labels?.length ?? 1;
  if (numbers.length !== width) return `it gives ${numbers.length} numbers for its recorded example`;
  for (const { at, value } of example.answer) {
    const found = numbers[at];
    if (found !== undefined && Math.abs(found - value) <= tolerance * Math.max(1, Math.abs(value))) continue;
    const what = model.signature.labels === null ? "" : `${model.signature.labels[at] ?? `label ${at + 1}`} `;
    return `its recorded example gave ${what}${short(value)} and gives ${found === undefined ? "none" : short(found)} here`;
  }
  return null;
}

export function numbersOf(answers: Answers): Float32Array {
  return answers.kind === "labels" ? answers.probabilities : answers.values;
}

function short(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(shownDigits))) : "no finite number";
}
