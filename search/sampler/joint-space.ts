/**
 * A sweep over several models as one search problem: which model is a choice like any other, and each model's parameters exist
 * only with it. So a sampler that learns spends its trials where they pay. A sweep of one model is its space as it is.
 */
import type { Constraint } from "../../protocol/constraint.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { putValue, type Params, type Value } from "../../protocol/value.ts";
import type { SearchProblem } from "./ask.ts";

/** Stands for the model in the joint space; parameters there are `<model>.<name>`. */
const modelParameter = "model";

export interface ModelParams {
  readonly model: string;
  readonly params: Params;
}

export function jointProblem(spec: SweepSpec): SearchProblem {
  const { alsoObjectives, models, search } = spec;
  const common = { seed: search.seed, trials: search.trials, objectives: 1 + alsoObjectives.length };
  const [only] = models;
  if (only !== undefined && models.length === 1) {
    return { space: only.space, where: only.where, ...common };
  }
  const space: Record<string, Distribution> = {
    [modelParameter]: { distribution: "choice", values: models.map(({ model }) => model) },
  };
  const where: Constraint[] = [];
  for (const { model, space: own, where: ownWhere } of models) {
    for (const [name, distribution] of Object.entries(own)) {
      space[`${model}.${name}`] = { ...distribution, when: whenOf(model, distribution) };
    }
    where.push(...ownWhere.map((constraint) => renamed(constraint, model)));
  }
  return { space: space satisfies Space, where, ...common };
}

export function joinParams(spec: SweepSpec, { model, params }: ModelParams): Params {
  if (spec.models.length === 1) return params;
  const joint: Record<string, Value> = { [modelParameter]: model };
  for (const [name, value] of Object.entries(params)) joint[`${model}.${name}`] = value;
  return joint;
}

export function splitParams(spec: SweepSpec, joint: Params): ModelParams {
  const [only] = spec.models;
  if (only !== undefined && spec.models.length === 1) return { model: only.model, params: joint };
  const model = String(joint[modelParameter]);
  const prefix = `${model}.`;
  const params: Record<string, Value> = {};
  for (const [name, value] of Object.entries(joint)) {
    if (name.startsWith(prefix)) putValue(params, name.slice(prefix.length), value);
  }
  return { model, params };
}

function whenOf(model: string, { when = {} }: Distribution): NonNullable<Distribution["when"]> {
  const own = Object.entries(when).map(([name, condition]) => [`${model}.${name}`, condition] as const);
  return { [modelParameter]: model, ...Object.fromEntries(own) };
}

function renamed(constraint: Constraint, model: string): Constraint {
  const terms = constraint.terms.map(({ coefficient, parameters }) => ({
    coefficient,
    parameters: parameters.map((name) => `${model}.${name}`),
  }));
  return { ...constraint, terms };
}
