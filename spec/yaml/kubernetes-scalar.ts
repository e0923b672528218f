/**
 * A plain scalar as `sigs.k8s.io/yaml` reads it (kubectl, the API server, Katib's controllers), which is go-yaml: no base 60,
 * no dates, exponents without a dot. Source: its resolver and Go's strconv; tests compare with the real one.
 */
import { asFault, asFloat, asInt, asText, wholeOf, type Meaning } from "./scalar.ts";

const decimal = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** What begins with a dot is read by Go itself, which lets underscores stand between digits. */
const afterDot = /^\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?$/;
const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const uint64Max = 2n ** 64n - 1n;

export function kubernetesScalar(text: string): Meaning {
  if (/^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return { kind: "bool", value: true };
  if (/^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return { kind: "bool", value: false };
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return { kind: "null", value: null };
  if (/^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/.test(text))
    return asFault("JSON, which Kubernetes makes of it, has no such number");
  if (text.startsWith("."))
    return afterDot.test(text) ? finite(text, text.replaceAll("_", "")) : asText(text);
  if (!/^[-+0-9]/.test(text)) return asText(text);
  const plain = text.replaceAll("_", "");
  const integer = integerOf(plain);
  if (integer !== null) return asInt(integer);
  return decimal.test(plain) ? finite(text, plain) : asText(text);
}

/** A number too large is text. */
function finite(text: string, plain: string): Meaning {
  const value = Number(plain);
  return Number.isFinite(value) ? asFloat(value) : asText(text);
}

/** As Go reads a whole number of 64 bits whose prefix says its base; null where it is none. */
function integerOf(plain: string): bigint | null {
  const [, sign = "", prefix = "", places] =
    /^([-+]?)(0[bB](?=[01]+$)|0[xX](?=[0-9a-fA-F]+$)|0[oO]?(?=[0-7]+$)|(?=(?:0|[1-9][0-9]*)$))([0-9a-fA-F]+)$/.exec(
      plain,
    ) ?? [];
  if (places === undefined) return null;
  const value = wholeOf(sign, places, baseOf(prefix));
  if (value >= int64Min && value <= int64Max) return value;
  return sign === "" && value <= uint64Max ? value : null;
}

function baseOf(prefix: string): "" | "0b" | "0o" | "0x" {
  switch (prefix.toLowerCase()) {
    case "":
      return "";
    case "0b":
      return "0b";
    case "0x":
      return "0x";
    default:
      return "0o";
  }
}
