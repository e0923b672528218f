/** A model's answers to single texts, each with every label's probability. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import type { OpenedModel } from "../../serving/model/open-served-model.ts";
import { describeUnfit } from "../../serving/transform/transform.ts";
import type { Explainer, Explanation } from "../../serving/explain/explanation.ts";
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
  if (last === undefined || labels === null || !("predictor" in model) || model.predictor.kind !== "text")
    return refuse("invalid", `${name} reads rows, not texts: ${names}; give them with --file`);
  // A text that is put together of several columns is the same where all of it stands in one.
  const columns = inputs.map(
    (input) => [input.name, texts.map((text) => (input === last ? text : null))] as const,
  );
  const transformed = await model.transform.apply({ count: texts.length, columns: new Map(columns) });
  if (!transformed.ok) return transformed;
  const [unfit] = transformed.value.unfit;
  if (unfit !== undefined) return refuse("invalid", describeUnfit(unfit));
  const answers = model.predict(transformed.value);
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
      ...(explainer === null ? {} : { explanation: explainer.explain(transformed.value, row, best) }),
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
