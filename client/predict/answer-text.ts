/** A model's answers to single texts, each with every label's probability. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import type { OpenedModel } from "../../serving/model/open-served-model.ts";
import { describeUnfit } from "../../serving/transform/transform.ts";
import type { Explainer, Explanation } from "../../serving/explain/explanation.ts";
import { answerBatch } from "./answer-batch.ts";
import { bestLabel, rounded } from "./prediction-table.ts";

export interface TextAnswer {
  readonly text: string;
  readonly prediction: string;
  /** By label, the most probable first. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** Of the prediction, where it was asked for. */
  readonly explanation?: Explanation;
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

/** `explainer`: null where no answer is to be explained. */
export async function answerTexts(
  model: OpenedModel | ServedModel,
  texts: readonly string[],
  explainer: Explainer | null,
): Promise<Outcome<TextAnswers>> {
  const { inputs, labels } = model.signature;
  const name = `${model.model}@${model.version}`;
  const last = inputs.at(-1);
  const names = inputs.map((input) => input.name).join(", ");
  const isOfTexts =
    "predictor" in model ? model.predictor.kind === "text" : inputs.every(({ kind }) => kind === "text");
  if (last === undefined || labels === null || !isOfTexts)
    return refuse("invalid", `${name} reads rows, not texts: ${names}; give them with --file`);
  // A text that is put together of several columns is the same where all of it stands in one.
  const columns = inputs.map(
    (input) => [input.name, texts.map((text) => (input === last ? text : null))] as const,
  );
  const answer = await answerBatch(model, { count: texts.length, columns: new Map(columns) });
  if (!answer.ok) return answer;
  const { answers, transformed, unfit } = answer.value;
  const [first] = unfit;
  if (first !== undefined) return refuse("invalid", describeUnfit(first));
  if (answers.kind !== "labels") throw new Error(`${name} has labels and gave none`);
  const { probabilities } = answers;
  const answered = texts.map((text, row): TextAnswer => {
    const at = row * labels.length;
    const ranked = labels
      .map((label, index) => [label, rounded(probabilities[at + index] ?? 0)] as const)
      .toSorted(([, a], [, b]) => b - a);
    const best = bestLabel(probabilities, at, labels.length);
    return {
      text,
      prediction: labels[best] ?? "",
      probabilities: Object.fromEntries(ranked),
      ...(explainer === null || transformed === null
        ? {}
        : { explanation: explainer.explain(transformed, row, best) }),
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
