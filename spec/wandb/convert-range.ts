/** W&B's bounds and bells as distributions of ours, with the notes and refusals they need. */
import type { Distribution } from "../../protocol/space.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { figure, noteAt, refuseAt, type ImportReading } from "../import/import-reading.ts";

export type Range = { readonly min: number; readonly max: number };

export function ordered<R extends Range>(reading: ImportReading, field: Path, given: R | null): R | null {
  if (given === null || given.min <= given.max) return given;
  refuseAt(reading, [...field, "min"], `min ${given.min} is above max ${given.max}`);
  return null;
}

export function aboveZero<R extends Range>(reading: ImportReading, field: Path, given: R | null): R | null {
  if (given === null || given.min > 0) return given;
  refuseAt(reading, [...field, "min"], `a logarithmic scale needs min above 0, not ${given.min}`);
  return null;
}

/** Bounds that are natural logarithms, as the real ones. */
export function exponents(
  reading: ImportReading,
  field: Path,
  { max, min }: Range,
  name: "log_uniform" | "inv_log_uniform" | "q_log_uniform",
): (Distribution & Range & { distribution: "log-uniform" }) | null {
  const inverse = name === "inv_log_uniform";
  const real = { min: Math.exp(inverse ? -max : min), max: Math.exp(inverse ? -min : max) };
  if (real.min <= 0 || !Number.isFinite(real.max)) {
    refuseAt(
      reading,
      field,
      `${name}'s bounds are natural-log exponents, and e to the power of ${real.min <= 0 ? min : max} is no usable number; ${name}_values takes the bounds themselves`,
    );
    return null;
  }
  const likelySlip = min > 0 && max <= 1;
  const hint = likelySlip ? `; if ${min} to ${max} was meant, that is ${name}_values` : "";
  noteAt(
    reading,
    field,
    `${name} bounds are natural-log exponents${inverse ? " of 1/x" : ""}: ${figure(real.min)} to ${figure(real.max)}${hint}`,
  );
  return { distribution: "log-uniform", ...real };
}

export function bell(
  reading: ImportReading,
  field: Path,
  distribution: "normal" | "log-normal",
  given: { readonly mu: number; readonly sigma: number; readonly q?: number } | null,
): Distribution | null {
  if (given === null) return null;
  const { mu: mean, q: step, sigma: deviation } = given;
  if (deviation === 0) {
    const value = distribution === "normal" ? mean : Math.exp(mean);
    noteAt(reading, field, `sigma 0 → always ${figure(value)}`);
    return { distribution: "constant", value };
  }
  return { distribution, mean, deviation, ...(step === undefined ? {} : { step }) };
}

const walkedMax = 10_000;

/** What W&B's grid makes of a quantised range: from min in steps of q, as numpy's arange counts them, max itself left out. */
export function walked(
  reading: ImportReading,
  field: Path,
  { max, min, q }: Range & { readonly q: number },
): Distribution | null {
  const count = Math.ceil((max - min) / q);
  if (count >= 1 && count <= walkedMax) {
    const step = min + q - min;
    const values = Array.from({ length: count }, (_, index) => min + index * step);
    noteAt(reading, field, `a grid walks from ${min} by ${q} and leaves out ${max}, as W&B does`);
    return { distribution: "choice", values };
  }
  refuseAt(
    reading,
    field,
    count < 1
      ? `W&B's grid leaves out max, and nothing is left from ${min} to ${max}`
      : `from ${min} by ${q} there are ${count} values, and a grid may have ${walkedMax} of one parameter`,
  );
  return null;
}
