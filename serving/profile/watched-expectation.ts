/**
 * SERVE-20. What somebody expects of the rows that are asked about and of the answers, row by row as they are looked at: the expectations of data
 * sets that single rows fulfil or not. Those about a data set as a whole are refused by name. What is done about a breach is others' matter.
 */
import {
  expectationTitle,
  type Expectation,
  type ExpectationOf,
} from "../../data/expectation/expectation.ts";
import { suggestion } from "../../protocol/name.ts";
import { namedList } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { exactPercent } from "../../text/figure.ts";
import { regularExpression } from "../../text/regular-expression.ts";
import type { CameValue } from "../protocol/asked-rows.ts";
import type { ScannedSignature } from "./serving-scan.ts";

type RowExpectation = ExpectationOf<"not-null" | "range" | "regex" | "one-of" | "length">;
const rowKinds: readonly Expectation["kind"][] = ["not-null", "range", "regex", "one-of", "length"];
/** What the column of texts and that of labels are called in a data set of texts, whatever its sources call them. */
const textName = "text";
const labelName = "label";
/** Below that a share says nothing; where every row must hold, one that does not says all. */
const rowsMin = 100;
/** Of the regular expression's text. */
const searchedUnitsMost = 20_000;

export interface ExpectationState {
  readonly title: string;
  readonly severity: Expectation["severity"];
  /** Looked at, and those of them that fail, since the server began with this version. */
  rows: number;
  failing: number;
  isBreached: boolean;
}

interface Watched extends ExpectationState {
  readonly mostly: number;
  /** The place of its input; null for the answer. */
  readonly input: number | null;
  readonly fails: (value: CameValue) => boolean;
  /** Missing values are the business of `not-null` alone. */
  readonly looksAtMissing: boolean;
  /** Of the rows since the last judgement that had enough of them. */
  recentRows: number;
  recentFailing: number;
}

export class WatchedExpectations {
  readonly #watched: readonly Watched[];

  private constructor(watched: readonly Watched[]) {
    this.#watched = watched;
  }

  static of(expectations: readonly Expectation[], signature: ScannedSignature): Outcome<WatchedExpectations> {
    const watched: Watched[] = [];
    for (const [at, expectation] of expectations.entries()) {
      const one = watchedOf(expectation, signature);
      if (!one.ok) return refuse(one.refusal.code, `expectation ${at + 1}: ${one.refusal.message}`);
      watched.push(one.value);
    }
    return accept(new WatchedExpectations(watched));
  }

  get states(): readonly ExpectationState[] {
    return this.#watched;
  }

  look(valueOf: (input: number) => CameValue | undefined, answer: string | number | null): void {
    for (const one of this.#watched) {
      const value = (one.input === null ? answer : valueOf(one.input)) ?? null;
      if (value === null && !one.looksAtMissing) continue;
      one.rows++;
      one.recentRows++;
      if (!one.fails(value)) continue;
      one.failing++;
      one.recentFailing++;
    }
  }

  /** Those that are breached now and were not before, each with a sentence. */
  judge(): readonly string[] {
    return this.#watched.flatMap((one) => {
      const { isBreached, mostly, recentFailing, recentRows, severity, title } = one;
      if (recentRows < rowsMin && !(mostly === 1 && recentFailing > 0)) return [];
      one.isBreached = recentFailing > (1 - mostly) * recentRows;
      [one.recentRows, one.recentFailing] = [0, 0];
      if (!one.isBreached || isBreached) return [];
      const share = exactPercent(recentFailing / recentRows);
      const kind = severity === "warn" ? "warning: not as expected" : "not as expected";
      return [`${kind}: ${title}; ${recentFailing} of the last ${recentRows} rows looked at fail, ${share}`];
    });
  }
}

function watchedOf(expectation: Expectation, signature: ScannedSignature): Outcome<Watched> {
  if (!isOfRows(expectation))
    return refuse(
      "invalid",
      `${expectation.kind} is about a data set as a whole and cannot be asked of rows one by one; ${namedList([...rowKinds])} can`,
    );
  const found = columnOf(signature, expectation.column);
  if (!found.ok) return found;
  const { input, kind } = found.value;
  const fails = failing(expectation, kind);
  if (!fails.ok) return fails;
  return accept({
    title: expectationTitle(expectation),
    severity: expectation.severity,
    mostly: expectation.mostly,
    looksAtMissing: expectation.kind === "not-null",
    ...{ input, fails: fails.value, isBreached: false },
    ...{ rows: 0, failing: 0, recentRows: 0, recentFailing: 0 },
  });
}

function isOfRows(expectation: Expectation): expectation is RowExpectation {
  return rowKinds.includes(expectation.kind);
}

interface AskedColumn {
  readonly input: number | null;
  readonly kind: "text" | "number" | "category";
}

function columnOf({ inputs, labels, target }: ScannedSignature, name: string): Outcome<AskedColumn> {
  const own = inputs.findIndex((input) => input.name === name);
  const texts = inputs.filter(({ kind }) => kind === "text");
  const input =
    own === -1 && name === textName && texts.length === 1
      ? inputs.findIndex(({ kind }) => kind === "text")
      : own;
  const found = inputs[input];
  if (found !== undefined) return accept({ input, kind: found.kind });
  if (name === target || name === labelName)
    return accept({ input: null, kind: labels === null ? "number" : "category" });
  const names = [...inputs.map((each) => each.name), target];
  return refuse("unknown", `the model has no column "${name}"; ${suggestion(name, names)}`);
}

type Fails = (value: CameValue) => boolean;

function failing(expectation: RowExpectation, kind: AskedColumn["kind"]): Outcome<Fails> {
  const { column } = expectation;
  switch (expectation.kind) {
    case "not-null":
      return accept((value) => value === null || (typeof value === "string" && value.trim() === ""));
    case "range":
      if (kind !== "number") return refuse("invalid", `range is for numbers, and ${column} is ${kind}`);
      return accept((value) => outside(Number(value), expectation));
    case "length":
      if (kind === "number") return refuse("invalid", `length is for texts, and ${column} is a number`);
      return accept((value) => outside(lengthOf(String(value), expectation.unit), expectation));
    case "one-of": {
      const known = new Set(expectation.values.map(String));
      return accept((value) => !known.has(String(value)));
    }
    case "regex": {
      const read = regularExpression(expectation.pattern);
      if (!read.ok)
        return refuse("invalid", `regex of ${column}: /${expectation.pattern}/ ${read.refusal.message}`);
      return accept((value) => !read.value.finds(String(value).slice(0, searchedUnitsMost)));
    }
    default:
      return expectation satisfies never;
  }
}

function outside(
  value: number,
  { max, min }: { readonly min?: number | undefined; readonly max?: number | undefined },
): boolean {
  return value < (min ?? Number.NEGATIVE_INFINITY) || value > (max ?? Number.POSITIVE_INFINITY);
}

function lengthOf(text: string, unit: "characters" | "words"): number {
  if (unit === "words") return text.match(/\S+/gu)?.length ?? 0;
  let characters = 0;
  for (const _ of text) characters++;
  return characters;
}
