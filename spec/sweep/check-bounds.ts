/** Whether every value a distribution can give is one that the model's parameter takes. */
import { faultOf } from "../../training/task/parameter.ts";
import type { ParameterSpec } from "../../training/task/task.ts";
import { fromUnit } from "../../search/space/axis.ts";
import type { Distribution } from "../../protocol/space.ts";
import { describe } from "../yaml/explain-issue.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { report, type SpaceReading } from "./read-distribution.ts";

/** Tells what of a distribution lies outside what the parameter takes; `raw` is how it was written. */
export function checkBounds(
  reading: SpaceReading,
  field: Path,
  spec: ParameterSpec,
  distribution: Distribution,
  raw: unknown,
): void {
  switch (distribution.distribution) {
    case "constant":
      check(reading, field, spec, distribution.value);
      return;
    case "choice": {
      const at = Array.isArray(raw) ? field : [...field, "values"];
      for (const [index, value] of distribution.values.entries()) check(reading, [...at, index], spec, value);
      return;
    }
    case "uniform":
    case "log-uniform":
    case "int":
    case "log-int": {
      if (spec.type === "choice") {
        report(
          reading,
          field,
          `takes one of ${spec.choices.map(describe).join(", ")}, not a range; use a list`,
        );
        return;
      }
      const whole = distribution.distribution === "int" || distribution.distribution === "log-int";
      if (spec.type === "int" && !whole) {
        const right = distribution.distribution === "uniform" ? "int" : "log-int";
        report(reading, [...field, "distribution"], `this parameter is a whole number; use "${right}"`);
        return;
      }
      for (const end of ["min", "max"] as const) check(reading, [...field, end], spec, distribution[end]);
      return;
    }
    case "beta":
      if (spec.type === "float" && spec.min <= 0 && spec.max >= 1) return;
      report(
        reading,
        [...field, "distribution"],
        `beta gives numbers from 0 to 1, which this parameter does not take`,
      );
      return;
    case "quantised": {
      for (const end of [0, 1]) check(reading, field, spec, fromUnit(distribution, end));
      if (spec.type === "int" && !Number.isInteger(distribution.step))
        report(reading, [...field, "step"], `this parameter is a whole number; its step must be one too`);
      return;
    }
    case "normal":
    case "log-normal":
      if (spec.type === "float") {
        report(
          reading,
          [...field, "distribution"],
          `${distribution.distribution} has no bounds and this parameter has (${spec.min} to ${spec.max}); use "uniform" or "log-uniform"`,
        );
      } else
        report(
          reading,
          [...field, "distribution"],
          `${distribution.distribution} does not give values this parameter takes`,
        );
  }
}

function check(
  reading: SpaceReading,
  field: Path,
  spec: ParameterSpec,
  value: string | number | boolean,
): void {
  const fault = faultOf(spec, value);
  if (fault !== null) report(reading, field, `${describe(value)} is out of bounds; ${fault}`);
}
