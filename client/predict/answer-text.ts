/** A model's answers to single texts, each with every label's probability. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { OpenedModel } from "../../serving/model/open-served-model.ts";
import { bestLabel, rounded } from "./prediction-table.ts";

export interface TextAnswer {
  readonly text: string;
  readonly prediction: string;
  /** By label, the most probable first. */
  readonly probabilities: Readonly<Record<string, number>>;
}

export interface TextAnswers {
  readonly model: string;
  readonly version: number;
  /** Of the version's bytes. */
  readonly digest: string;
  /** Such as `linear of text-classification`. */
  readonly trainedBy: string;
  readonly answers: readonly TextAnswer[];
}

export async function answerTexts(
  model: OpenedModel,
  texts: readonly string[],
): Promise<Outcome<TextAnswers>> {
  const { inputs, labels } = model.signature;
  const name = `${model.model}@${model.version}`;
  const last = inputs.at(-1);
  const names = inputs.map((input) => input.name).join(", ");
  if (last === undefined || labels === null || model.predictor.kind !== "text")
    return refuse("invalid", `${name} reads rows, not texts: ${names}; give them with --file`);
  // A text that is put together of several columns is the same where all of it stands in one.
  const columns = inputs.map(
    (input) => [input.name, texts.map((text) => (input === last ? text : null))] as const,
  );
  const answers = await model.answer({ count: texts.length, columns: new Map(columns) });
  if (!answers.ok) return answers;
  if (answers.value.kind !== "labels") throw new Error(`${name} has labels and gave none`);
  const { probabilities } = answers.value;
  const answered = texts.map((text, row): TextAnswer => {
    const at = row * labels.length;
    const ranked = labels
      .map((label, index) => [label, rounded(probabilities[at + index] ?? 0)] as const)
      .toSorted(([, a], [, b]) => b - a);
    return {
      text,
      prediction: labels[bestLabel(probabilities, at, labels.length)] ?? "",
      probabilities: Object.fromEntries(ranked),
    };
  });
  const { algorithm, digest, task, version } = model;
  return accept({
    model: model.model,
    version,
    digest,
    trainedBy: `${algorithm} of ${task}`,
    answers: answered,
  });
}
