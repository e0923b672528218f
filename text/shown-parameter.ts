/**
 * Parameters as people read them, everywhere: what is shown is what was run. Whole numbers have all their digits; a number
 * that was drawn at random has as many as tell it from the others beside it, or all where it stands alone.
 */
import { quotedName, shownName } from "./printable.ts";
import { valueIn, type Params, type Value } from "../protocol/value.ts";

/** A number with more digits than these was drawn and not written by a person. */
const writtenDigitsMax = 8;
const drawnDigitsMin = 4;
const digitsMax = 17;

/** A value that stands alone. */
export function formatValue(value: Value): string {
  return typeof value === "string" ? textOf(value) : String(value);
}

/** The parameters of a trial that stands alone, in their own order. */
export function formatParams(params: Params): string {
  return Object.entries(params)
    .map(([name, value]) => `${shownName(name)}=${formatValue(value)}`)
    .join(" ");
}

/**
 * How to write the parameters of several trials, of which no two that differ look the same. `order`: the trial's own, or
 * those first in which the trials differ, for where there is little room.
 */
export function paramsFormat(
  trials: readonly { readonly params: Params }[],
  order: "own" | "differing" = "own",
): (params: Params) => string {
  const formats = new Map<string, ParameterFormat>();
  const formatOf = (name: string): ParameterFormat => {
    const known = formats.get(name);
    if (known !== undefined) return known;
    const different = [...new Set(trials.map(({ params }) => valueIn(params, name)))];
    const values = different.flatMap((value) => value ?? []);
    const made = { write: valueFormat(values), differs: different.length > 1 };
    formats.set(name, made);
    return made;
  };
  return (params) => {
    const shown = Object.entries(params).map(([name, value]) => {
      const { differs, write } = formatOf(name);
      return { differs, text: `${shownName(name)}=${write(value)}` };
    });
    const sorted = order === "own" ? shown : shown.toSorted((a, b) => Number(b.differs) - Number(a.differs));
    return sorted.map(({ text }) => text).join(" ");
  };
}

interface ParameterFormat {
  readonly write: (value: Value) => string;
  readonly differs: boolean;
}

/** How to write these values of one parameter, each in its own way. */
function valueFormat(different: readonly Value[]): (value: Value) => string {
  for (let digits = drawnDigitsMin; digits < digitsMax; digits++) {
    const format = (value: Value) => (typeof value === "number" ? drawn(value, digits) : formatValue(value));
    if (allDiffer(different, format)) return format;
  }
  if (allDiffer(different, formatValue)) return formatValue;
  // The number 1 beside the text "1", or a text that is another's quotes.
  return (value) => JSON.stringify(value);
}

function allDiffer(values: readonly Value[], format: (value: Value) => string): boolean {
  return new Set(values.map(format)).size === values.length;
}

function drawn(value: number, digits: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  const written = value.toExponential().replace(/e.*/, "").replaceAll(/[-.]/g, "").length;
  return written <= writtenDigitsMax ? String(value) : String(Number(value.toPrecision(digits)));
}

/** In quotes where it would be taken for nothing, or for more than one parameter. */
function textOf(text: string): string {
  return text === "" || /\s\S*=|^"/u.test(text) ? quotedName(text) : shownName(text);
}
