/**
 * What comes of a batch, filled in row by row: texts, or features in single precision. A row that nothing can be made of is
 * noted with its first fault, and its place stays empty.
 */
import { numberMost, numberMostText } from "../../data/plan/column-number.ts";
import { namesOf, type FrozenFeature } from "../../data/manifest/feature.ts";
import type { Cell } from "./cast-cell.ts";
import type { FeatureFiller } from "./feature-filler.ts";
import { singlePrecision } from "./single-precision.ts";
import type { TransformedRows, UnfitRow } from "./transform.ts";

/** As in `requiredMarks`. */
const blank = /^[\t\n\v\f\r \p{Z}]*$/u;
/** Most texts begin with a character that is none, and are not looked at further. */
export function isBlankText(text: string): boolean {
  const first = text.charCodeAt(0);
  return !(first > 0x20 && first < 0x80) && blank.test(text);
}

const noText = "it has no text";
const noValue = "it has no value, and nothing says what stands for one";
const tooLarge = `it is larger than a feature may be (${numberMostText}, what single precision holds)`;

/** Filled in from a query's rows. */
export interface Filling {
  /** [column, value, reason, …output] of a query. */
  take(row: number, values: readonly unknown[]): void;
  refuse(unfit: UnfitRow): void;
  done(): TransformedRows;
}

/** The first fault of each row stays. */
class UnfitRows {
  readonly #byRow = new Map<number, UnfitRow>();

  add(unfit: UnfitRow): void {
    if (!this.#byRow.has(unfit.row)) this.#byRow.set(unfit.row, unfit);
  }

  /** True where the query marked the row. */
  marked(row: number, [column, value, reason]: readonly unknown[]): boolean {
    if (this.#byRow.has(row)) return true;
    if (typeof reason !== "string") return false;
    const text = (one: unknown) => (typeof one === "string" && one !== "" ? one : null);
    this.add({ row, column: text(column), value: text(value), reason: reason.replace(/^!/u, "") });
    return true;
  }

  inOrder(): readonly UnfitRow[] {
    return [...this.#byRow.values()].toSorted((a, b) => a.row - b.row);
  }
}

export class TransformedTexts implements Filling {
  readonly #texts: string[];
  readonly #column: string;
  readonly #unfit = new UnfitRows();

  constructor(count: number, column: string) {
    this.#texts = Array.from({ length: count }, () => "");
    this.#column = column;
  }

  take(row: number, values: readonly unknown[]): void {
    if (this.#unfit.marked(row, values)) return;
    const [, , , text] = values;
    this.put(row, typeof text === "string" ? text : null);
  }

  /** A row without a fault so far. */
  put(row: number, text: string | null): void {
    if (text === null || blank.test(text))
      this.refuse({ row, column: this.#column, value: null, reason: noText });
    else this.#texts[row] = text;
  }

  /** Takes rows over that were made elsewhere; `rows` says which they are here. */
  merge(made: TransformedRows, rows: readonly number[]): void {
    if (made.kind !== "text") throw new Error("texts and a table do not merge");
    for (const [at, row] of rows.entries()) this.#texts[row] = made.texts[at] ?? "";
    for (const unfit of made.unfit) this.refuse({ ...unfit, row: rows[unfit.row] ?? 0 });
  }

  refuse(unfit: UnfitRow): void {
    this.#unfit.add(unfit);
  }

  done(): TransformedRows {
    return { kind: "text", texts: this.#texts, unfit: this.#unfit.inOrder() };
  }
}

export class TransformedTable implements Filling {
  readonly #features: Float32Array;
  readonly #columns: readonly string[];
  readonly #unfit = new UnfitRows();

  constructor(count: number, features: readonly FrozenFeature[]) {
    this.#columns = features.flatMap((feature) => namesOf(feature).map(() => feature.column));
    this.#features = new Float32Array(count * this.#columns.length);
  }

  take(row: number, values: readonly unknown[]): void {
    if (this.#unfit.marked(row, values)) return;
    const [, , , large, ...numbers] = values;
    if (typeof large === "string") return this.refuse({ row, column: large, value: null, reason: tooLarge });
    const width = this.#columns.length;
    for (const [at, number] of numbers.entries()) {
      const value = Number(number);
      if (Math.abs(value) > numberMost || Number.isNaN(value))
        return this.refuse({ row, column: this.#columns[at] ?? null, value: null, reason: tooLarge });
      this.#features[row * width + at] = singlePrecision(value);
    }
  }

  fill(row: number, cells: readonly Cell[], fillers: readonly FeatureFiller[]): void {
    const from = row * this.#columns.length;
    for (const { column, fill, offset } of fillers) {
      if (fill(cells, this.#features, from + offset)) continue;
      const reason = Number.isNaN(this.#features[from + offset]) ? noValue : tooLarge;
      this.refuse({ row, column, value: null, reason });
      this.#features.fill(0, from, from + this.#columns.length);
      return;
    }
  }

  /** Takes rows over that were made elsewhere; `rows` says which they are here. */
  merge(made: TransformedRows, rows: readonly number[]): void {
    if (made.kind !== "table") throw new Error("texts and a table do not merge");
    const width = this.#columns.length;
    for (const [at, row] of rows.entries())
      this.#features.set(made.features.subarray(at * width, (at + 1) * width), row * width);
    for (const unfit of made.unfit) this.refuse({ ...unfit, row: rows[unfit.row] ?? 0 });
  }

  refuse(unfit: UnfitRow): void {
    this.#unfit.add(unfit);
  }

  done(): TransformedRows {
    return { kind: "table", features: this.#features, unfit: this.#unfit.inOrder() };
  }
}
