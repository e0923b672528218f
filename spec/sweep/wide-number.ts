/**
 * Whole numbers of more digits than a number keeps, in the parameters of a command's sweep: the space gets their digits as
 * text, and the program gets the number. Everywhere else in a file they are refused.
 */
import type { Spelling } from "../../protocol/spelling.ts";
import type { LocatedYaml, Path } from "../yaml/located-yaml.ts";
import type { Problem } from "../yaml/problem.ts";

export interface WideNumbers {
  readonly yaml: LocatedYaml;
  readonly spelling: Spelling;
  readonly problems: readonly Problem[];
}

export function wideNumbers(yaml: LocatedYaml): WideNumbers {
  const wide = new Map<string, Map<string, string>>();
  const texts: { readonly name: string; readonly text: string; readonly path: Path }[] = [];
  const replaced = yaml.replaced(({ value }, path) => {
    const name = ownerOf(path);
    if (name === null) return undefined;
    if (typeof value === "string") texts.push({ name, text: value, path });
    if (typeof value !== "bigint") return undefined;
    const digits = String(value);
    const known = wide.get(name) ?? new Map<string, string>();
    wide.set(name, known.set(digits, digits));
    return digits;
  });
  return {
    yaml: replaced,
    spelling: Object.fromEntries(
      [...wide].map(([name, known]) => [
        name,
        Object.fromEntries([...known].map(([digits, json]) => [JSON.stringify(digits), json])),
      ]),
    ),
    problems: texts
      .filter(({ name, text }) => wide.get(name)?.has(text) === true)
      .map(({ path, text }) => ({
        line: yaml.lineOf(path),
        field: path,
        message: `${text} is a text here and a number elsewhere; write both with quotes, or both without`,
      })),
  };
}

/** The parameter whose value stands at `path`, be it under another one's `when`; null where no value stands there. */
function ownerOf(path: Path): string | null {
  const [field, parameter, ...rest] = path;
  if (field !== "parameters" || typeof parameter !== "string") return null;
  const [key, other, ...condition] = rest;
  if (key === "when" && typeof other === "string") return isValue(condition, ["not"]) ? other : null;
  return isValue(rest, ["value", "values"]) ? parameter : null;
}

/** A value, one of a list of them, or either of these under one of `keys`. */
function isValue(path: Path, keys: readonly string[]): boolean {
  const [first, ...rest] = path;
  if (first === undefined) return true;
  const inside = typeof first === "string" && keys.includes(first) ? rest : path;
  return inside.length === 0 || (inside.length === 1 && typeof inside[0] === "number");
}
