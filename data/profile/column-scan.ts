/**
 * What is known of one column after any number of its values: counts, sketches, distributions. Two scans of parts
 * merge; so does a scan taken back from a profile. Knows no rows and no files.
 */
import { FrequentItems } from "../sketch/frequent-items.ts";
import { HyperLogLog } from "../sketch/hyper-log-log.ts";
import { hashNumber } from "../sketch/text-hash.ts";
import { NumberStream } from "./number-stream.ts";
import type { ColumnProfile, ColumnSketch } from "./profile.ts";
import { frequentListedMost, frequentUnitsMost } from "./profile-limit.ts";
import { TextShape } from "./text-shape.ts";

export type ColumnKind = ColumnProfile["kind"];

export class ColumnScan {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly #type: string;
  #rows = 0;
  #missing = 0;
  #notFinite = 0;
  #empty = 0;
  #min: string | null = null;
  #max: string | null = null;
  #distinct = new HyperLogLog();
  #frequent: FrequentItems;
  #values = new NumberStream();
  #characters = new NumberStream();
  #words = new NumberStream();
  readonly #shape = new TextShape();

  constructor(name: string, type: string, kind: ColumnKind) {
    this.name = name;
    this.#type = type;
    this.kind = kind;
    this.#frequent = new FrequentItems((value) => this.#hashOf(value));
  }

  #hashOf(value: string | number): { readonly low: number; readonly high: number } {
    return typeof value === "string" ? this.#shape.of(value) : hashNumber(value);
  }

  addMissing(): void {
    this.#rows++;
    this.#missing++;
  }

  addNumber(value: number): void {
    this.#rows++;
    if (!Number.isFinite(value)) {
      this.#notFinite++;
      return;
    }
    const { low, high } = hashNumber(value);
    this.#distinct.addHash(low, high);
    this.#frequent.addHashed(value, low, high);
    this.#values.add(value);
  }

  /** `shape` where the caller has measured this text already. */
  addText(text: string, shape: TextShape = this.#shape.of(text)): void {
    this.#rows++;
    if (text === "") this.#empty++;
    this.#distinct.addHash(shape.low, shape.high);
    this.#frequent.addHashed(text, shape.low, shape.high);
    this.#characters.add(shape.characters);
    this.#words.add(shape.words);
  }

  addOther(text: string): void {
    this.#rows++;
    const { low, high } = this.#shape.of(text);
    this.#distinct.addHash(low, high);
    this.#frequent.addHashed(text, low, high);
    this.#min = this.#min === null || text < this.#min ? text : this.#min;
    this.#max = this.#max === null || text > this.#max ? text : this.#max;
  }

  /** The other must be of a column of the same kind. */
  merge(other: ColumnScan): void {
    this.#rows += other.#rows;
    this.#missing += other.#missing;
    this.#notFinite += other.#notFinite;
    this.#empty += other.#empty;
    if (other.#min !== null && (this.#min === null || other.#min < this.#min)) this.#min = other.#min;
    if (other.#max !== null && (this.#max === null || other.#max > this.#max)) this.#max = other.#max;
    this.#distinct.merge(other.#distinct);
    this.#frequent.merge(other.#frequent);
    this.#values.merge(other.#values);
    this.#characters.merge(other.#characters);
    this.#words.merge(other.#words);
  }

  profile(): ColumnProfile {
    const undercount = this.#frequent.undercount;
    const top = this.#frequent.top(frequentListedMost);
    const base = {
      name: this.name,
      type: this.#type,
      rows: this.#rows,
      missing: this.#missing,
      distinct: this.#frequent.exact
        ? { estimate: this.#frequent.size, relativeError: 0 }
        : { estimate: this.#distinct.estimate(), relativeError: HyperLogLog.relativeError },
      frequent: top.map(({ value, rows }) => ({ value: cut(value), rows, undercount })),
    };
    switch (this.kind) {
      case "number":
        return { ...base, kind: "number", values: this.#values.distribution(), notFinite: this.#notFinite };
      case "text":
        return {
          ...base,
          kind: "text",
          empty: this.#empty,
          characters: this.#characters.distribution(),
          words: this.#words.distribution(),
        };
      case "other":
        return { ...base, kind: "other", min: this.#min, max: this.#max };
    }
  }

  sketch(): ColumnSketch {
    const quantiles =
      this.kind === "number"
        ? { values: this.#values.sketch() }
        : this.kind === "text"
          ? { characters: this.#characters.sketch(), words: this.#words.sketch() }
          : {};
    return { distinct: this.#distinct.toJSON(), frequent: this.#frequent.toJSON(), quantiles };
  }

  /** Back from a profile and its sketches. */
  static from(column: ColumnProfile, sketch: ColumnSketch): ColumnScan {
    const scan = new ColumnScan(column.name, column.type, column.kind);
    scan.#rows = column.rows;
    scan.#missing = column.missing;
    scan.#distinct = HyperLogLog.from(sketch.distinct);
    scan.#frequent = FrequentItems.from(sketch.frequent, (value) => scan.#hashOf(value));
    const { values, characters, words } = sketch.quantiles;
    if (column.kind === "number") {
      scan.#notFinite = column.notFinite;
      if (values !== undefined) scan.#values = NumberStream.from(column.values, values);
    } else if (column.kind === "text") {
      scan.#empty = column.empty;
      if (characters !== undefined) scan.#characters = NumberStream.from(column.characters, characters);
      if (words !== undefined) scan.#words = NumberStream.from(column.words, words);
    } else {
      scan.#min = column.min;
      scan.#max = column.max;
    }
    return scan;
  }
}

function cut(value: string): string {
  return value.length <= frequentUnitsMost ? value : `${value.slice(0, frequentUnitsMost - 1)}…`;
}
