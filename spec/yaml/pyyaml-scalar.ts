/**
 * A plain scalar as PyYAML's `safe_load` reads it, which is how W&B reads its sweep files: patterns of its own, neither YAML
 * 1.1's nor 1.2's. Source: PyYAML 6's resolver and constructor; tests compare with the real one.
 */
import { pythonDate } from "./python-date.ts";
import { asFault, asFloat, asInt, asText, wholeOf, type Meaning } from "./scalar.ts";

const whole =
  /^([-+]?)(?:0b(?<binary>[01_]+)|0x(?<hex>[0-9a-fA-F_]+)|(?<octal>0[0-7_]+)|(?<decimal>0|[1-9][0-9_]*))$/;
const float =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
/** Base 60, whole or with a fraction. */
const sixties = /^([-+]?)([0-9][0-9_]*(?::[0-5]?[0-9])+)(\.[0-9_]*)?$/;
const date =
  /^[0-9]{4}-(?:[0-9]{2}-[0-9]{2}|[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$/;

/** Python makes no number of more decimal digits. */
const decimalDigitsMax = 4_300;

export function pyyamlScalar(text: string): Meaning {
  if (/^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return { kind: "bool", value: true };
  if (/^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return { kind: "bool", value: false };
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return { kind: "null", value: null };
  if (text === "=" || text === "<<") return asFault(`${text} means nothing to PyYAML as a value`);
  if (float.test(text)) return asFloat(floatOf(text));
  const found = whole.exec(text);
  if (found !== null) return wholeNumber(found[1] ?? "", found.groups ?? {});
  if (date.test(text)) return pythonDate(text);
  return baseSixty(text);
}

function floatOf(text: string): number {
  const plain = text.replaceAll("_", "").toLowerCase();
  if (plain.endsWith("inf")) return plain.startsWith("-") ? -Infinity : Infinity;
  return plain === ".nan" ? NaN : Number(plain);
}

function wholeNumber(
  sign: string,
  { binary, decimal, hex, octal }: Readonly<Record<string, string | undefined>>,
) {
  const places = (binary ?? hex ?? octal ?? decimal ?? "").replaceAll("_", "");
  if (places === "") return asFault("it has no digit");
  if (decimal !== undefined && places.length > decimalDigitsMax)
    return asFault(`Python reads numbers of ${decimalDigitsMax} digits at most`);
  if (binary !== undefined) return asInt(wholeOf(sign, places, "0b"));
  if (hex !== undefined) return asInt(wholeOf(sign, places, "0x"));
  return asInt(wholeOf(sign, places, octal === undefined ? "" : "0o"));
}

/** A whole one begins with 1 to 9, one with a fraction with any digit: 07:30 is text, 7:30 and 07:30. are numbers. */
function baseSixty(text: string): Meaning {
  const [, sign = "", parts = "", fraction] = sixties.exec(text) ?? [];
  if (parts === "" || (fraction === undefined && parts.startsWith("0"))) return asText(text);
  const places = parts.replaceAll("_", "").split(":");
  if (fraction === undefined) {
    const size = places.reduce((sum, place) => sum * 60n + BigInt(place), 0n);
    return asInt(sign === "-" ? -size : size);
  }
  // Summed from the last place on, as PyYAML does, so that the last bit is the same.
  const numbers = places.map(Number);
  numbers[numbers.length - 1] = Number(`${places.at(-1) ?? ""}${fraction.replaceAll("_", "")}`);
  const { sum } = numbers
    .toReversed()
    .reduce((so, place) => ({ sum: so.sum + place * so.base, base: so.base * 60 }), { sum: 0, base: 1 });
  return asFloat(sign === "-" ? -sum : sum);
}
