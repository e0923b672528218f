/** One parameter as the axis of a chart: its scale, its ends and where on it a trial stands. */
import type { Value } from "../../protocol/value.ts";
import type { ComparedTrial } from "./compared-trial.ts";
import { observedDomain, type Parameter } from "./insight-parameter.ts";

export type ChartAxis =
  | {
      readonly kind: "number";
      readonly name: string;
      readonly log: boolean;
      /** Whole numbers only. */
      readonly whole: boolean;
      readonly min: number;
      readonly max: number;
    }
  | { readonly kind: "category"; readonly name: string; readonly categories: readonly string[] };

export function chartAxis(parameter: Parameter): ChartAxis {
  const { name, regimes } = parameter;
  const [only, ...others] = regimes;
  const observed = observedDomain(
    regimes.flatMap(({ trials }) => trials.flatMap((trial) => parameter.valueIn(trial) ?? [])),
  );
  const domain = only !== undefined && others.length === 0 ? only.domain : observed;
  if (domain.distribution === "choice") {
    return { kind: "category", name, categories: [...new Set(domain.values.map(String))] };
  }
  if (domain.distribution === "constant") {
    return { kind: "category", name, categories: [String(domain.value)] };
  }
  const log =
    domain.distribution === "log-uniform" ||
    domain.distribution === "log-int" ||
    domain.distribution === "log-normal" ||
    (domain.distribution === "quantised" && domain.log === true);
  const whole = domain.distribution === "int" || domain.distribution === "log-int";
  // A distribution without ends reaches as far as it was drawn from.
  const ends = "min" in domain ? domain : "min" in observed ? observed : { min: 0, max: 1 };
  return { kind: "number", name, log, whole, min: ends.min, max: ends.max };
}

/** What a chart takes: a number, the name of a category, or null where the parameter is inactive. */
export function chartValue(
  axis: ChartAxis,
  parameter: Parameter,
  trial: ComparedTrial,
): number | string | null {
  const value: Value | undefined = parameter.valueIn(trial);
  if (value === undefined) return null;
  return axis.kind === "category" ? String(value) : Number(value);
}
