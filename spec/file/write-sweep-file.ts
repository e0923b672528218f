/**
 * A sweep as a sweep file of ours: what is read from it again is the same sweep. Written from what was read, so comments
 * and the order of keys are not kept.
 */
import { stringify } from "yaml";
import type { When } from "../../protocol/condition.ts";
import type { Constraint } from "../../protocol/constraint.ts";
import { preferenceSchema } from "../../protocol/requirement.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import { spelled, type Spelling } from "../../protocol/spelling.ts";
import { keepField } from "../sweep/keep-shape.ts";
import { needsField } from "../sweep/needs-shape.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";
import type { Value } from "../../protocol/value.ts";
import { isOwnLength, usualTerms, type CommandSweep } from "../sweep/command-sweep.ts";
import type { AnySweep } from "./read-any-file.ts";
import type { WantedDataset } from "../sweep/read-dataset.ts";
import type { SweepPlan } from "../sweep/read-sweep-file.ts";
import { whereKey } from "../sweep/read-space.ts";

const columns = 120;

export function writeSweepFile(file: AnySweep): string {
  const fields = file.kind === "models" ? modelFields(file.plans) : commandFields(file.sweep);
  return stringify(withoutUndefined(fields), { lineWidth: columns, aliasDuplicateObjects: false });
}

function modelFields(plans: readonly SweepPlan[]): Record<string, unknown> {
  const [plan] = plans;
  if (plan === undefined) throw new Error("broken invariant: a sweep file without a plan");
  const spec = plan.spec(null);
  const several = plans.length > 1;
  const datasets = plans.flatMap(({ dataset }) => (dataset === null ? [] : [datasetField(dataset)]));
  const usual = preferenceSchema.parse({});
  const objectives = [spec.objective, ...spec.alsoObjectives];
  return {
    name: several ? plan.fileName : spec.name,
    experiment: spec.experiment ?? undefined,
    task: spec.task,
    ...(several ? { datasets } : { dataset: datasets[0] }),
    gate: spec.gate ? true : undefined,
    ...(objectives.length > 1 ? { objectives } : { objective: spec.objective }),
    search: spec.search,
    stopping: spec.stopping,
    models: Object.fromEntries(
      spec.models.map(({ model, space, where }) => [
        model,
        { ...spaceField(space), ...(where.length > 0 ? { [whereKey]: where.map(textOf) } : {}) },
      ]),
    ),
    needs: needsField(spec.needs),
    prefers: JSON.stringify(spec.prefers) === JSON.stringify(usual) ? undefined : spec.prefers,
    weight: spec.weight === 1 ? undefined : spec.weight,
    priority: spec.priority === 0 ? undefined : spec.priority,
    budget: spec.cap === null ? undefined : { tokens: spec.cap / milliTokensPerToken },
    beyondBudget: spec.beyondBudget ? true : undefined,
    keep: keepField(spec),
    trialSeed: spec.trialSeed,
    reuse: spec.reuse ? undefined : false,
    register: registerField(spec.register, plan.fileModel),
  };
}

/** `model`: what the file calls it, where that is another. */
function registerField(register: SweepSpec["register"], model?: string): unknown {
  if (register === null) return undefined;
  return { ...register, model: model ?? register.model, alias: register.alias ?? undefined };
}

function commandFields(sweep: CommandSweep): Record<string, unknown> {
  const { objectives, onMesh } = sweep;
  const [objective] = objectives;
  return {
    name: sweep.name,
    experiment: onMesh.experiment ?? undefined,
    command: sweep.module === null ? sweep.command : undefined,
    module: sweep.module ?? undefined,
    dataset: sweep.dataset === null ? undefined : datasetField(sweep.dataset),
    program: sweep.program ?? undefined,
    reads: sweep.reads === "words" ? undefined : sweep.reads,
    environment: Object.keys(sweep.environment).length > 0 ? sweep.environment : undefined,
    ...(objectives.length > 1 ? { objectives } : { objective }),
    search: sweep.search,
    stopping: isOwnLength(sweep.stopping) ? undefined : sweep.stopping,
    parameters: spaceField(sweep.space, sweep.spelling),
    where: sweep.where.length > 0 ? sweep.where.map(textOf) : undefined,
    nested: sweep.nested.length > 0 ? sweep.nested : undefined,
    metricFormat: sweep.metricFormat.length > 0 ? sweep.metricFormat : undefined,
    output: onMesh.output ?? undefined,
    serve: onMesh.serve ?? undefined,
    register: registerField(onMesh.register),
    parallel: sweep.parallel,
    failuresMax: sweep.failuresMax ?? undefined,
    secrets: onMesh.secrets.length > 0 ? onMesh.secrets : undefined,
    files: onMesh.files ?? undefined,
    needs: needsField(onMesh.needs),
    prefers:
      JSON.stringify(onMesh.prefers) === JSON.stringify(usualTerms.prefers) ? undefined : onMesh.prefers,
    weight: onMesh.weight === 1 ? undefined : onMesh.weight,
    priority: onMesh.priority === 0 ? undefined : onMesh.priority,
    budget: onMesh.cap === null ? undefined : { tokens: onMesh.cap / milliTokensPerToken },
    beyondBudget: onMesh.beyondBudget ? true : undefined,
    keep: keepField(onMesh),
    trialSeed: onMesh.trialSeed === usualTerms.trialSeed ? undefined : onMesh.trialSeed,
    reuse: onMesh.reuse ? true : undefined,
  };
}

/** Digits that stand for a whole number are written as that number; what else a value stands for has no words in our files. */
function spaceField(space: Space, spelling: Spelling = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(space).map(([name, distribution]) => {
      const numberOf = (value: Value) => {
        const json = spelled(spelling, name, value);
        return typeof value === "string" && /^-?\d+$/.test(json) ? BigInt(json) : value;
      };
      return [name, distributionField(distribution, numberOf)];
    }),
  );
}

/** A constant and a plain choice without their names. */
function distributionField(distribution: Distribution, numberOf: (value: Value) => Value | bigint): unknown {
  const { when, ...rest } = distribution;
  const condition: { when?: When } = when === undefined ? {} : { when };
  if (rest.distribution === "constant")
    return when === undefined ? numberOf(rest.value) : { value: numberOf(rest.value), when };
  if (rest.distribution !== "choice") return { ...rest, ...condition };
  const values = rest.values.map(numberOf);
  if (rest.weights !== undefined) return { ...rest, values, ...condition };
  return when === undefined ? values : { values, when };
}

function textOf({ text }: Constraint): string {
  return text;
}

function datasetField(dataset: WantedDataset): unknown {
  switch (dataset.kind) {
    case "inline":
      return dataset.given.format === "embedded" ? dataset.name : dataset.given;
    case "file":
      return dataset.written;
    case "named":
      return dataset.version === null ? dataset.name : `${dataset.name}@${dataset.version}`;
  }
}

/** YAML writes a field that is undefined as null. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]: [string, unknown]) => [key, withoutUndefined(inner)]),
  );
}
