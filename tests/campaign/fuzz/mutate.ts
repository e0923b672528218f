/**
 * Valid JSON messages made wrong: by structure (a value of another kind, size or depth at some place; keys more, fewer, twice;
 * figures and names of others) and by text (cut, a byte changed, words that JSON has not). Some are left as they are.
 */
import type { Draw } from "./draw.ts";

/** Ids and figures of others, to be put in where some stand. */
export type Names = readonly (string | number)[];

const oddNumbers = [-1, 0, 1, 0.5, -0, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 1e15, -1e15, 1e300, -1e308, 5e-324];
const oddTexts = [
  "",
  " ",
  "\u0000",
  "\ud800",
  "\udfff x",
  "__proto__",
  "constructor",
  "toString",
  "s0-0",
  "s1-1/../s1-2",
  "*",
  ">",
  "a.b",
  "\u001b]0;x\u0007",
  "NaN",
  "1e999",
  "🙂".repeat(50),
];
const oddKeys = [
  "__proto__",
  "constructor",
  "prototype",
  "hasOwnProperty",
  "",
  "kind",
  "a.b",
  "\ud800",
  "value",
];

export function mutated(message: unknown, names: Names, draw: Draw): Buffer {
  let value: unknown = structuredClone(message);
  const changes = draw.oneIn(8) ? 0 : 1 + draw.below(3);
  for (let change = 0; change < changes; change++) value = changed(value, names, draw);
  const text = textOf(value);
  // Lists of lists of long texts can be more than a text can hold, which nobody could send.
  if (text === null) return mutated(message, names, draw);
  return draw.oneIn(4) ? spoilt(text, draw) : Buffer.from(text);
}

/** Null where it is longer than any text. */
function textOf(value: unknown): string | null {
  try {
    return JSON.stringify(value) ?? "undefined";
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** One place in it is changed, the nearer to a leaf the likelier. */
function changed(value: unknown, names: Names, draw: Draw): unknown {
  if (typeof value !== "object" || value === null || draw.oneIn(12)) return odd(value, names, draw);
  if (Array.isArray(value)) return changedList(value, names, draw);
  const entries = Object.entries(value);
  if (entries.length === 0 || draw.oneIn(6)) return changedKeys(entries, names, draw);
  const at = draw.below(entries.length);
  return fromEntries(
    entries.map(([key, inner], index) => [key, index === at ? changed(inner, names, draw) : inner]),
  );
}

function changedList(list: readonly unknown[], names: Names, draw: Draw): unknown {
  if (list.length === 0) return [odd(null, names, draw)];
  const copy = [...list];
  const at = draw.below(copy.length);
  if (draw.oneIn(30)) return Array.from({ length: sizeOf(draw, 4) }, () => copy[at]);
  const what = draw.below(6);
  if (what === 0) copy.splice(at, 1);
  else if (what === 1) copy.push(copy[at]);
  else copy[at] = changed(copy[at], names, draw);
  return copy;
}

function changedKeys(entries: readonly [string, unknown][], names: Names, draw: Draw): unknown {
  const copy: [string, unknown][] = entries.map(([key, inner]) => [key, inner]);
  if (copy.length > 0 && draw.oneIn(2)) copy.splice(draw.below(copy.length), 1);
  else copy.push([draw.of(oddKeys), odd(null, names, draw)]);
  return fromEntries(copy);
}

/** Keys such as `__proto__` become fields of their own, as they do when JSON is parsed. */
function fromEntries(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries);
}

function odd(value: unknown, names: Names, draw: Draw): unknown {
  switch (draw.below(12)) {
    case 0:
      return "x".repeat(sizeOf(draw, 5));
    case 1:
      return nested(1 + draw.below(draw.oneIn(10) ? 800 : 120), draw.oneIn(2));
    case 2:
      return draw.of([null, true, false, [], {}, [[]], [null]]);
    case 3:
    case 4:
      return draw.of(oddNumbers);
    case 5:
    case 6:
      return draw.of(oddTexts);
    case 7:
      return Object.fromEntries(Array.from({ length: sizeOf(draw, 4) }, (_, at) => [`k${at}`, at]));
    case 8:
      return typeof value === "number" ? -value : [value, value];
    case 9:
      return typeof value === "string" ? `${value}${draw.of(oddTexts)}` : String(value);
    default:
      return names.length === 0 ? null : draw.of(names);
  }
}

/** Mostly small, now and then up to ten to that power: what is large takes long to make. */
function sizeOf(draw: Draw, power: number): number {
  return 10 ** (draw.oneIn(10) ? 3 + draw.below(power - 2) : draw.below(3));
}

function nested(depth: number, asList: boolean): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = asList ? [value] : { a: value };
  return value;
}

/** As text: what no serialiser would write. */
function spoilt(text: string, draw: Draw): Buffer {
  const at = draw.below(text.length + 1);
  const put = (word: string) => Buffer.from(text.slice(0, at) + word + text.slice(at));
  switch (draw.below(7)) {
    case 0:
      return Buffer.from(text.slice(0, at));
    case 1:
      return put(
        draw.of(["NaN", "Infinity", "-Infinity", "undefined", "1e999", "0x10", "'", ",", "//", "\u0000"]),
      );
    case 2:
      // The same key twice.
      return Buffer.from(
        text.replace(/"([a-zA-Z]+)":/, (found) => `${found}${draw.of(["null", "{}", '"x"'])},${found}`),
      );
    case 3: {
      // Deeper than a serialiser gets: where a value begins it may even be JSON.
      const depth = 1 + draw.below(4_000);
      const deep = draw.oneIn(4) ? "[".repeat(depth) : `${"[".repeat(depth)}${"]".repeat(depth)}`;
      return draw.oneIn(2) ? put(deep) : Buffer.from(text.replace(/:("[^"]*"|\d+)/, () => `:${deep}`));
    }
    case 4: {
      const bytes = Buffer.from(text);
      if (bytes.length > 0) bytes[draw.below(bytes.length)] = draw.below(256);
      return bytes;
    }
    case 5:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]);
    default:
      return Buffer.from(Array.from({ length: draw.below(300) }, () => draw.below(256)));
  }
}
