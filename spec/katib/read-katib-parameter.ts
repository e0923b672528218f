/**
 * One parameter of a Katib Experiment as a distribution of ours. Katib hands `random` and `tpe` to hyperopt, which draws whole
 * numbers and stepped ranges by rounding to multiples of the step, without clipping; its other algorithms step from min.
 */
import type { Distribution } from "../../protocol/space.ts";
import type { Value } from "../../protocol/value.ts";
import { describe } from "../yaml/explain-issue.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { figure, noteAt, refuseAt, type ImportReading } from "../import/import-reading.ts";
import { quantised } from "../import/quantised.ts";
import type { KatibAlgorithm, KatibParameter } from "./katib-shape.ts";

/** Katib takes a range for six deviations. */
const deviationsInRange = 6;

export function readParameter(
  reading: ImportReading,
  field: Path,
  { feasibleSpace, parameterType }: KatibParameter,
  algorithm: KatibAlgorithm,
): Distribution | null {
  const at = [...field, "feasibleSpace"];
  switch (parameterType) {
    case "categorical":
    case "discrete": {
      const { list } = feasibleSpace;
      for (const key of ["min", "max", "step"] as const)
        if (feasibleSpace[key] !== undefined)
          refuseAt(reading, [...at, key], `belongs to double and int parameters, not beside a list`);
      if (list === undefined) {
        refuseAt(reading, at, `has no list; a ${parameterType} parameter names its values there`);
        return null;
      }
      const values = parameterType === "categorical" ? list : list.map(numberLike);
      const wrong = parameterType === "discrete" ? list.findIndex((value) => !isNumber(value)) : -1;
      if (wrong >= 0) {
        refuseAt(
          reading,
          [...at, "list", wrong],
          `${describe(list[wrong])} is no number; discrete lists numbers, categorical anything`,
        );
        return null;
      }
      return { distribution: "choice", values };
    }
    case "double":
    case "int":
      return readRange(reading, at, feasibleSpace, {
        whole: parameterType === "int",
        byHyperopt: algorithm === "random" || algorithm === "tpe",
      });
  }
}

/** A number where it is written as we would write it, so that the command gets what the file says: 0.10 stays text. */
function numberLike(text: string): Value {
  return isNumber(text) && String(Number(text)) === text ? Number(text) : text;
}

function isNumber(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}

function readRange(
  reading: ImportReading,
  at: Path,
  space: KatibParameter["feasibleSpace"],
  { byHyperopt, whole }: { readonly whole: boolean; readonly byHyperopt: boolean },
): Distribution | null {
  const number = (key: "min" | "max" | "step"): number | null => {
    const text = space[key];
    if (text === undefined) {
      if (key !== "step") refuseAt(reading, at, `has no ${key}; a range needs min and max`);
      return null;
    }
    const value = Number(text);
    if (!isNumber(text) || (whole && !Number.isInteger(value))) {
      refuseAt(reading, [...at, key], `should be a ${whole ? "whole " : ""}number, not ${describe(text)}`);
      return null;
    }
    return value;
  };
  const [min, max, step] = [number("min"), number("max"), number("step")];
  if (space.list !== undefined)
    refuseAt(
      reading,
      [...at, "list"],
      "belongs to discrete and categorical parameters, not beside min and max",
    );
  if (min === null || max === null) return null;
  if (min > max) return refuseNull(reading, [...at, "min"], `min ${min} is above max ${max}`);
  if (step !== null && step <= 0)
    return refuseNull(reading, [...at, "step"], `step must be above 0, not ${step}`);
  const { distribution = "uniform" } = space;
  const logarithmic = distribution === "logUniform" || distribution === "logNormal";
  if (logarithmic && min <= 0)
    return refuseNull(reading, [...at, "min"], `a logarithmic scale needs min above 0, not ${min}`);
  const stepped = step === null ? {} : { step };
  const multiples = step ?? (whole ? 1 : null);
  if (byHyperopt && multiples !== null && min < max && distribution.endsWith("niform"))
    return quantised(reading, at, { min, max, q: multiples, log: logarithmic }, "Katib's hyperopt");
  switch (distribution) {
    case "uniform":
      return { distribution: whole ? "int" : "uniform", min, max, ...stepped };
    case "logUniform":
      return { distribution: whole ? "log-int" : "log-uniform", min, max, ...stepped };
    case "normal":
    case "logNormal": {
      if (min === max) return { distribution: "constant", value: min };
      const [low, high] = logarithmic ? [Math.log(min), Math.log(max)] : [min, max];
      const mean = (low + high) / 2;
      const deviation = (high - low) / deviationsInRange;
      noteAt(
        reading,
        [...at, "distribution"],
        `${distribution} → mean ${figure(mean)}, deviation ${figure(deviation)}${logarithmic ? " of the logarithm" : ""}, not clipped to min and max, as in Katib's random and tpe`,
      );
      return {
        distribution: logarithmic ? "log-normal" : "normal",
        mean,
        deviation,
        ...(step === null && whole ? { step: 1 } : stepped),
      };
    }
  }
}

function refuseNull(reading: ImportReading, field: Path, message: string): null {
  refuseAt(reading, field, message);
  return null;
}
