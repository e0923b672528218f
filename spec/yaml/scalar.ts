/**
 * One scalar of a YAML text: what a dialect makes of it, beside the text it was written as. Which dialect says what is in
 * the files named for them; lists and mappings are not here.
 */

/** Whole numbers up to this are the same in every program; beyond it only digits are. */
export const exactMax = Number.MAX_SAFE_INTEGER;

export type Meaning =
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "null"; readonly value: null }
  | { readonly kind: "bool"; readonly value: boolean }
  /** A bigint where it is beyond `exactMax`. */
  | { readonly kind: "int"; readonly value: number | bigint }
  /** May be infinite or no number. */
  | { readonly kind: "float"; readonly value: number }
  /** A date or a time, as its owner writes it. */
  | { readonly kind: "date"; readonly value: string }
  /** The dialect's own reader refuses the file; `why` is a sentence's end. */
  | { readonly kind: "fault"; readonly value: null; readonly why: string };

export type Scalar = Meaning & {
  /** As it stands in the file, without quotes. */
  readonly source: string;
  /** Neither quoted nor a block nor tagged. */
  readonly plain: boolean;
};

export function asText(value: string): Meaning {
  return { kind: "text", value };
}

export function asInt(value: bigint): Meaning {
  const exact = value <= BigInt(exactMax) && value >= -BigInt(exactMax);
  return { kind: "int", value: exact ? Number(value) : value };
}

export function asFloat(value: number): Meaning {
  return { kind: "float", value };
}

export function asFault(why: string): Meaning {
  return { kind: "fault", value: null, why };
}

/** Digits of a base, underscores left out, with a sign before them. */
export function wholeOf(sign: string, digits: string, prefix: "" | "0b" | "0o" | "0x"): bigint {
  const size = BigInt(prefix + digits.replaceAll("_", ""));
  return sign === "-" ? -size : size;
}

/** What stands there, for a sentence. */
export function kindText(scalar: Scalar): string {
  switch (scalar.kind) {
    case "int":
      return "a whole number";
    case "float":
      return "a number";
    case "bool":
      return "true or false";
    case "null":
      return "nothing";
    case "date":
      return "a date";
    default:
      return "text";
  }
}
