/** The sketches of the rows that one version answered and of its answers, as those of data sets are, which merge. Not which rows are looked at. */
import { ColumnScan } from "../../data/profile/column-scan.ts";
import { TextShape } from "../../data/profile/text-shape.ts";
import type { Signature } from "../model/served-model.ts";
import type { CameValue } from "../protocol/asked-rows.ts";
import {
  keptCategory,
  profiledColumns,
  type KnownCategories,
  type ProfiledColumns,
} from "./profiled-column.ts";

/** Of a longer text only so much is measured, and as so long it counts. */
const measuredUnitsMost = 65_536;

export type ScannedSignature = Pick<Signature, "inputs" | "labels" | "target">;

export class ServingScan {
  readonly columns: ProfiledColumns;
  readonly #known: KnownCategories;
  readonly #scans: readonly (readonly [first: ColumnScan, second: ColumnScan | null])[];
  readonly #answer: ColumnScan;
  readonly #probability: ColumnScan | null;
  readonly #shape = new TextShape();
  #rows = 0;

  constructor(signature: ScannedSignature, known: KnownCategories) {
    this.columns = profiledColumns(signature);
    this.#known = known;
    this.#scans = this.columns.inputs.map(({ columns: [first, second], kind }) => [
      kind === "category" ? new ColumnScan(first, "VARCHAR", "text") : numberScan(first),
      second === undefined ? null : numberScan(second),
    ]);
    const { answer, probability } = this.columns;
    this.#answer = signature.labels === null ? numberScan(answer) : new ColumnScan(answer, "VARCHAR", "text");
    this.#probability = probability === null ? null : numberScan(probability);
  }

  get rows(): number {
    return this.#rows;
  }

  /** `valueOf`: by the place of the input. `answer`: a label or a number; null where none is known. */
  add(
    valueOf: (input: number) => CameValue | undefined,
    answer: string | number | null,
    probability: number | null,
  ): void {
    this.#rows++;
    for (let input = 0; input < this.#scans.length; input++) this.#addInput(input, valueOf(input) ?? null);
    if (answer === null) this.#answer.addMissing();
    else if (typeof answer === "number") this.#answer.addNumber(answer);
    else this.#answer.addText(answer);
    if (probability === null) this.#probability?.addMissing();
    else this.#probability?.addNumber(probability);
  }

  #addInput(input: number, value: CameValue): void {
    const about = this.columns.inputs[input];
    const [first, second] = this.#scans[input] ?? [];
    if (about === undefined || first === undefined) return;
    if (value === null) {
      first.addMissing();
      second?.addMissing();
    } else if (about.kind === "number") {
      first.addNumber(Number(value));
    } else if (about.kind === "category") {
      first.addText(keptCategory(String(value), this.#known.get(about.name)));
    } else {
      const text = String(value);
      this.#shape.of(text.length > measuredUnitsMost ? text.slice(0, measuredUnitsMost) : text);
      first.addNumber(this.#shape.characters);
      second?.addNumber(this.#shape.words);
    }
  }

  /** All of them, in the order of the columns. */
  get scans(): readonly ColumnScan[] {
    return [
      ...this.#scans.flatMap(([first, second]) => (second === null ? [first] : [first, second])),
      this.#answer,
      ...(this.#probability === null ? [] : [this.#probability]),
    ];
  }
}

function numberScan(name: string): ColumnScan {
  return new ColumnScan(name, "DOUBLE", "number");
}
