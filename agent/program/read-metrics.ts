/**
 * Metrics out of what a command prints: `name=value` anywhere in a line (Katib's default, with dots and slashes allowed in
 * names), or a line that is one JSON object with numbers in it. A sweep may bring patterns of its own instead.
 */

export interface Report {
  readonly metric: string;
  /** NaN or infinite where the command said so. */
  readonly value: number;
}

const usual = /([\w|./-]+)\s*=\s*([^\s,;)\]}]+)/g;
const jsonNumberWords = /(?<=[:[,]\s*)(-?Infinity|NaN)(?=\s*[,}\]])/g;
const lineCharactersMax = 10_000;

/** What finds the reports of a line; patterns have a name and a value group. */
export function metricReader(patterns: readonly string[]): (line: string) => readonly Report[] {
  const own = patterns.map((pattern) => new RegExp(pattern, "g"));
  return (line) => {
    const text = line.slice(0, lineCharactersMax);
    const json = jsonReports(text);
    if (json !== null) return json;
    const plain = matches(usual, text);
    if (own.length === 0) return plain;
    // A pattern for digits passes over `nan`, which must not go unsaid.
    return [
      ...own.flatMap((pattern) => matches(pattern, text)).filter(({ value }) => Number.isFinite(value)),
      ...plain.filter(({ value }) => !Number.isFinite(value)),
    ];
  };
}

function matches(pattern: RegExp, text: string): Report[] {
  return [...text.matchAll(pattern)].flatMap(([, metric = "", written = ""]) => {
    const value = numberOf(written);
    return value === null || metric === "" ? [] : [{ metric, value }];
  });
}

/** A number as programs write it; null for anything else. */
function numberOf(written: string): number | null {
  const word = /^([+-]?)(nan|inf|infinity)$/i.exec(written);
  if (word !== null) {
    if (word[2]?.toLowerCase() === "nan") return NaN;
    return word[1] === "-" ? -Infinity : Infinity;
  }
  // 0.93% and 12ms are no bare numbers; neither is an empty text, which Number would call 0.
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(written) ? Number(written) : null;
}

/** The numbers of a line that is a JSON object, as Python's json writes it; null where it is none. */
export function jsonReports(text: string): readonly Report[] | null {
  const line = text.trim();
  if (!line.startsWith("{") || !line.endsWith("}")) return null;
  let value: unknown;
  try {
    value = JSON.parse(line.replaceAll(jsonNumberWords, '"$1"'));
  } catch {
    return null;
  }
  if (value === null || typeof value !== "object") return null;
  return Object.entries(value).flatMap(([metric, found]: [string, unknown]) => {
    if (typeof found === "number") return [{ metric, value: found }];
    const word = typeof found === "string" && /^-?(NaN|Infinity)$/.test(found) ? numberOf(found) : null;
    return word === null ? [] : [{ metric, value: word }];
  });
}
