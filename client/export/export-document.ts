/** An export as JSON: one document, or a line for each trial. What JSON has no word for is a text: "NaN", "Infinity", "-Infinity". */
import type { Outcome } from "../../protocol/refusal.ts";
import type { ExportedTrial } from "./exported-trial.ts";
import { jsonLine } from "../../text/printable.ts";
import { trialObject } from "./trial-record.ts";

/** `head` and `end`: what stands before and behind the trials, asked for when its turn comes. */
export async function* documentText(
  trials: AsyncIterable<ExportedTrial>,
  head: () => object,
  end: () => object,
): AsyncGenerator<string> {
  let before = "";
  for await (const trial of trials) {
    yield before === "" ? `${opened(head())}"trials":[\n` : before;
    yield line(trialObject(trial));
    before = ",\n";
  }
  if (before === "") yield `${opened(head())}"trials":[`;
  yield `\n],${jsonLine(end(), finite).slice(1)}\n`;
}

export async function* linesText(trials: AsyncIterable<ExportedTrial>): AsyncGenerator<string> {
  for await (const trial of trials) yield `${line(trialObject(trial))}\n`;
}

/** The trials of what is accepted; a refusal goes to `refused`, and ends them. */
export async function* acceptedOnly(
  trials: AsyncIterable<Outcome<ExportedTrial>>,
  refused: (outcome: Outcome<never>) => void,
): AsyncGenerator<ExportedTrial> {
  for await (const trial of trials) {
    if (!trial.ok) {
      refused(trial);
      return;
    }
    yield trial.value;
  }
}

/** An object that is gone on with. */
function opened(head: object): string {
  return `${jsonLine(head, finite).slice(0, -1)},\n`;
}

function line(trial: object): string {
  return jsonLine(trial, finite);
}

function finite(_: string, value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
