/**
 * The parameters of a sweep's trials with what each could have been: one domain per model that has it, since two models may
 * give the same name different ranges. A sweep over several models has the model itself as a parameter.
 */
import { distributionSchema, type Distribution, type Space } from "../../protocol/space.ts";
import { valueIn, type Value } from "../../protocol/value.ts";
import type { ComparedTrial } from "./compared-trial.ts";

/** By model. Where a model is missing, its trials' values are all that is known. */
export type Spaces = Readonly<Record<string, Space>>;

/** A part of a parameter's trials that share a domain. */
export interface Regime {
  readonly domain: Distribution;
  /** Every parameter value is in `domain`. */
  readonly trials: readonly ComparedTrial[];
}

export interface Parameter {
  readonly name: string;
  /** At least one; trials where the parameter is inactive are in none. */
  readonly regimes: readonly Regime[];
  /** Undefined where it is inactive. */
  readonly valueIn: (trial: ComparedTrial) => Value | undefined;
}

const modelName = "model";
/** A range of positive numbers this wide was searched on a log scale, unless the space says otherwise. */
const logRatio = 100;

export function parametersOf(trials: readonly ComparedTrial[], spaces: Spaces): readonly Parameter[] {
  const names = new Set(trials.flatMap(({ params }) => Object.keys(params)));
  const models = new Set(trials.map(({ model }) => model));
  const parameters = [...names].map((name) => {
    const regimes = new Map<string, { domain: Distribution; trials: ComparedTrial[] }>();
    for (const model of models) {
      const active = trials.filter(
        (trial) => trial.model === model && valueIn(trial.params, name) !== undefined,
      );
      if (active.length === 0) continue;
      const domain = domainOf(name, active, spaces[model]);
      const key = JSON.stringify({ ...domain, when: undefined });
      const known = regimes.get(key);
      if (known === undefined) regimes.set(key, { domain, trials: active });
      else known.trials.push(...active);
    }
    return {
      name,
      regimes: [...regimes.values()],
      valueIn: ({ params }: ComparedTrial) => valueIn(params, name),
    };
  });
  if (models.size < 2) return parameters;
  const domain: Distribution = { distribution: "choice", values: [...models].toSorted() };
  // A parameter that happens to have the same name is told apart from it.
  const name = names.has(modelName) ? `(${modelName})` : modelName;
  return [{ name, regimes: [{ domain, trials }], valueIn: ({ model }) => model }, ...parameters];
}

/** True where the parameter can take one value only, and so can explain nothing. */
export function isFixed({ regimes }: Parameter): boolean {
  return regimes.every(({ domain }) => {
    if (domain.distribution === "constant") return true;
    if (domain.distribution === "choice") return new Set(domain.values).size < 2;
    return "min" in domain && domain.min >= domain.max;
  });
}

function domainOf(name: string, trials: readonly ComparedTrial[], space: Space | undefined): Distribution {
  const stated = space !== undefined && Object.hasOwn(space, name) ? space[name] : undefined;
  if (stated !== undefined) return stated;
  const values = trials.flatMap(({ params }) => valueIn(params, name) ?? []);
  return observedDomain(values);
}

/** What a parameter's values alone tell about where they were drawn from. */
export function observedDomain(values: readonly Value[]): Distribution {
  const numbers = values.filter((value) => typeof value === "number");
  if (numbers.length < values.length) {
    return { distribution: "choice", values: [...new Set(values)].toSorted(byText) };
  }
  const min = numbers.reduce((least, value) => Math.min(least, value), Infinity);
  const max = numbers.reduce((most, value) => Math.max(most, value), -Infinity);
  const log = min > 0 && max / min >= logRatio;
  const whole = numbers.every((value) => Number.isInteger(value));
  const distribution = whole ? (log ? "log-int" : "int") : log ? "log-uniform" : "uniform";
  return distributionSchema.parse({ distribution, min, max });
}

function byText(a: Value, b: Value): number {
  return String(a) < String(b) ? -1 : 1;
}
