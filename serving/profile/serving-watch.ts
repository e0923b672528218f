/**
 * SERVE-18. What is watched of one version while it answers: its rows and answers in sketches, how they have drifted, whether they are as
 * expected. It is told of each request and gives what it has seen to whoever keeps it.
 */
import type { ColumnDrift } from "../../data/drift/column-drift.ts";
import type { Answers, Signature } from "../model/served-model.ts";
import type { AskedRows, CameValue } from "../protocol/asked-rows.ts";
import { bestOf } from "../protocol/best-label.ts";
import type { KnownCategories } from "./profiled-column.ts";
import { RowSample } from "./row-sample.ts";
import { ServingScan } from "./serving-scan.ts";
import { profileOf, type Pause, type ServingPart, type ServingProfile } from "./serving-profile.ts";
import type { WatchedExpectations } from "./watched-expectation.ts";

export interface ServingWatchOptions {
  /** `name@version`. */
  readonly title: string;
  readonly signature: Signature;
  readonly known: KnownCategories;
  /** Null where nothing is expected. */
  readonly expectations: WatchedExpectations | null;
  /** ms, rising. */
  readonly now: () => number;
  /** ms since the Unix epoch. */
  readonly wallNow: () => number;
}

/** How the rows have drifted from those it was trained on. */
export interface ServingDrift {
  /** The data set. */
  readonly reference: string;
  readonly rows: { readonly a: number; readonly b: number };
  readonly columns: readonly ColumnDrift[];
}

export class ServingWatch {
  readonly expectations: WatchedExpectations | null;
  /** Null until enough rows were looked at, and where the data is not to be had. */
  drift: ServingDrift | null = null;
  /** What is kept already, and both of its days in one; null until something is. */
  kept: ServingProfile | null = null;
  whole: ServingPart | null = null;
  readonly #options: ServingWatchOptions;
  readonly #sample: RowSample;
  #scan: ServingScan;
  #since: number | null = null;

  constructor(options: ServingWatchOptions) {
    const { expectations, known, now, signature } = options;
    this.#options = options;
    this.expectations = expectations;
    this.#scan = new ServingScan(signature, known);
    const { inputs } = this.#scan.columns;
    const cells = inputs.reduce((sum, { columns }) => sum + columns.length, 2);
    this.#sample = new RowSample(cells, now);
  }

  /** `answers`: of `rows`, row by row. */
  see(rows: AskedRows, answers: Answers): void {
    this.#since ??= this.#options.wallNow();
    this.#sample.pass(rows.count, (row) => this.#look(rows, answers, row));
  }

  /** What was seen since it was taken last; null where nothing was. Meanwhile it goes on seeing. */
  async take(pause: Pause): Promise<ServingPart | null> {
    if (this.#since === null) return null;
    const { known, signature, title, wallNow } = this.#options;
    const part = { since: this.#since, until: wallNow(), seen: this.#sample.seen };
    const { rows, scans } = this.#scan;
    this.#scan = new ServingScan(signature, known);
    this.#sample.seen = 0;
    this.#since = null;
    return { ...part, profile: await profileOf(title, rows, scans, pause) };
  }

  #look(rows: AskedRows, answers: Answers, row: number): void {
    const { inputs, labels } = this.#options.signature;
    const valueOf = (input: number): CameValue | undefined =>
      rows.kind === "texts" ? rows.texts[row] : rows.rows.columns.get(inputs[input]?.name ?? "")?.[row];
    const [answer, probability] = answerOf(answers, labels, row);
    this.#scan.add(valueOf, answer, probability);
    this.expectations?.look(valueOf, answer);
  }
}

function answerOf(
  answers: Answers,
  labels: Signature["labels"],
  row: number,
): readonly [answer: string | number | null, probability: number | null] {
  if (answers.kind === "values") return [answers.values[row] ?? null, null];
  const width = labels?.length ?? 1;
  const best = bestOf(answers.probabilities, row, width);
  return [labels?.[best] ?? null, answers.probabilities[row * width + best] ?? null];
}
