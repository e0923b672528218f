/**
 * How right predictions are where the rows carry the truth too: of labels the accuracy, of numbers the root of the mean squared
 * error. The truth goes through the plan as the dataset's labels did; rows without one do not count.
 */
import type { Manifest } from "../../data/manifest/manifest.ts";
import { labelColumn } from "../../data/declaration/declaration.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Answers, InputRows, Signature } from "../../serving/model/served-model.ts";
import { openTargetTransform } from "../../serving/transform/open-transform.ts";
import type { Transform } from "../../serving/transform/transform.ts";
import { trimmedText } from "../../serving/transform/clean-text.ts";
import { bestLabel } from "./prediction-table.ts";

export type Rightness =
  | { readonly kind: "labels"; readonly rows: number; readonly accuracy: number }
  | {
      readonly kind: "values";
      readonly rows: number;
      readonly rmse: number;
      readonly meanAbsoluteError: number;
    };

export class TruthCheck {
  readonly #transform: Transform;
  readonly #indexes: ReadonlyMap<string, number> | null;
  #rows = 0;
  #right = 0;
  #squares = 0;
  #distances = 0;

  private constructor(transform: Transform, { labels }: Signature) {
    this.#transform = transform;
    this.#indexes = labels === null ? null : new Map(labels.map((label, at) => [label, at]));
  }

  /** Null where the rows do not carry the truth. */
  static async open(
    manifest: Manifest | null,
    signature: Signature,
    names: readonly string[],
  ): Promise<TruthCheck | null> {
    if (manifest === null) return null;
    const opened = await openTargetTransform(
      manifest,
      labelColumn(manifest.declaration),
      signature.labels !== null,
    );
    if (!opened.ok) return null;
    if (opened.value.inputs.every(({ name }) => names.includes(name)))
      return new TruthCheck(opened.value, signature);
    opened.value.dispose();
    return null;
  }

  /** `isOut`: rows without an answer. */
  async add(rows: InputRows, answers: Answers, isOut: ReadonlySet<number>): Promise<Outcome<null>> {
    const truths = await this.#transform.apply(rows);
    if (!truths.ok) return truths;
    const without = new Set(truths.value.unfit.map(({ row }) => row));
    for (let row = 0; row < rows.count; row++) {
      if (isOut.has(row) || without.has(row)) continue;
      if (truths.value.kind === "text") this.#addLabel(truths.value.texts[row] ?? "", answers, row);
      else this.#addValue(truths.value.features[row] ?? Number.NaN, answers, row);
    }
    return accept(null);
  }

  /** Null where no row had a truth. */
  rightness(): Rightness | null {
    const rows = this.#rows;
    if (rows === 0) return null;
    return this.#indexes === null
      ? {
          kind: "values",
          rows,
          rmse: Math.sqrt(this.#squares / rows),
          meanAbsoluteError: this.#distances / rows,
        }
      : { kind: "labels", rows, accuracy: this.#right / rows };
  }

  dispose(): void {
    this.#transform.dispose();
  }

  /** A label that the model does not know is never right. */
  #addLabel(text: string, answers: Answers, row: number): void {
    if (answers.kind !== "labels" || this.#indexes === null) return;
    const truth = this.#indexes.get(trimmedText(text));
    const width = this.#indexes.size;
    this.#rows++;
    if (bestLabel(answers.probabilities, row * width, width) === truth) this.#right++;
  }

  #addValue(truth: number, answers: Answers, row: number): void {
    if (answers.kind !== "values") return;
    const error = (answers.values[row] ?? Number.NaN) - truth;
    this.#rows++;
    this.#squares += error * error;
    this.#distances += Math.abs(error);
  }
}
