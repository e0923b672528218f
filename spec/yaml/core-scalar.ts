/** A plain scalar in YAML 1.2's core schema, in which our own files are written. Source: yaml.org/spec/1.2.2, 10.3.2. */
import { asFloat, asInt, asText, wholeOf, type Meaning } from "./scalar.ts";

const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

export function coreScalar(text: string): Meaning {
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return { kind: "null", value: null };
  if (/^(?:true|True|TRUE)$/.test(text)) return { kind: "bool", value: true };
  if (/^(?:false|False|FALSE)$/.test(text)) return { kind: "bool", value: false };
  const [, sign = "", digits] = /^([-+]?)([0-9]+)$/.exec(text) ?? [];
  if (digits !== undefined) return asInt(wholeOf(sign, digits, ""));
  const [, prefix, places = ""] = /^(0o|0x)([0-9a-fA-F]+)$/.exec(text) ?? [];
  if (prefix === "0x") return asInt(wholeOf("", places, "0x"));
  if (prefix === "0o" && /^[0-7]+$/.test(places)) return asInt(wholeOf("", places, "0o"));
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return asFloat(text.startsWith("-") ? -Infinity : Infinity);
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return asFloat(NaN);
  return float.test(text) ? asFloat(Number(text)) : asText(text);
}
