/**
 * From the text of a sweep file that trains models to plans, each of which wants only its dataset's digest to be a
 * `SweepSpec`. Tells every problem of the file at once; sends nothing and loads no data.
 */
import type { ModelDeclaration } from "../../training/task/task.ts";
import { suggestion } from "../../protocol/name.ts";
import { preferenceSchema } from "../../protocol/requirement.ts";
import type { DatasetRef } from "../../protocol/dataset.ts";
import type { Objective, SweepSpec } from "../../protocol/sweep.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import { describe, parseAt } from "../yaml/explain-issue.ts";
import type { LocatedYaml, Path } from "../yaml/located-yaml.ts";
import type { Problem } from "../yaml/problem.ts";
import { keepOf } from "./keep-shape.ts";
import { readDataset, type WantedDataset } from "./read-dataset.ts";
import { readModel, whereKey } from "./read-space.ts";
import { overridden, type SweepOverrides } from "./override.ts";
import { ofCommandFiles } from "./other-form.ts";
import { sweepFileSchema, type SweepFile } from "./sweep-file-shape.ts";

export interface SweepFileInput {
  /** Path of the file, as problems name it. */
  readonly file: string;
  readonly text: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Every model that can be trained. */
  readonly models: readonly ModelDeclaration[];
  readonly codeVersion: string;
  /** What the source of a program, by the words of its command, says that it takes its parameters from; null: nothing. */
  readonly sourceOfParameters?: (words: readonly string[]) => string | null;
  /** What a command line or a form says instead of the file. */
  readonly overrides?: SweepOverrides;
}

export interface SweepPlan {
  /** The file's own name; with several datasets each sweep has one of its own. */
  readonly fileName: string;
  /** The file's own name of the model to register; with several datasets each sweep registers one of its own. */
  readonly fileModel?: string;
  readonly dataset: WantedDataset | null;
  /** The files of the program it runs, to be sent to the mesh with a word on what they are. */
  readonly bundle?: { readonly bytes: Uint8Array; readonly about: string };
  /** What is to be known before it is launched. */
  readonly warnings?: readonly string[];
  /** False where the objective is the usual one of its task, since the file names none. */
  readonly objectiveGiven: boolean;
  spec(dataset: DatasetRef | null): SweepSpec;
}

export type SweepFileResult =
  /** One plan for each dataset; `plan` is the first. */
  | { readonly ok: true; readonly plan: SweepPlan; readonly plans: readonly SweepPlan[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type SpecModels = SweepSpec["models"];

/** What a sweep file says whose text has been parsed, or its problems. */
export function readSweepYaml(input: SweepFileInput, parsed: LocatedYaml): SweepFileResult {
  const yaml = overridden(parsed, input.overrides ?? {});
  const problems: Problem[] = [];
  if (yaml.value === null || typeof yaml.value !== "object" || Array.isArray(yaml.value)) {
    problems.push({
      line: 1,
      field: [],
      message: "a sweep file is a mapping with name, task, search, stopping and models",
    });
    return { ok: false, problems };
  }
  const raw = new Map<string, unknown>(Object.entries(yaml.value));
  const file = parseAt(sweepFileSchema, yaml.value, yaml, [], problems, ofCommandFiles);
  tellMisplaced(problems);
  const checker = { input, yaml, problems, raw };
  const declarations = declarationsOf(checker);
  const models = readModels(checker, declarations);
  const objectives = readObjectives(checker, declarations, file);
  const datasets = readDatasets(checker, declarations);
  if (file === null || objectives === null || problems.length > 0) return { ok: false, problems };
  const plans = datasets.map((dataset): SweepPlan => {
    // One file with several datasets is one question asked of each: an experiment.
    const several = datasets.length > 1 && dataset !== null;
    const name = several ? namedFor(file.name, dataset.name) : file.name;
    const experiment = file.experiment ?? (several ? file.name : null);
    return {
      fileName: file.name,
      dataset,
      objectiveGiven: raw.has("objective") || raw.has("objectives"),
      ...(file.register === undefined ? {} : { fileModel: file.register.model }),
      spec: (ref) =>
        specOf(
          input,
          { ...file, name, register: several ? registerFor(file, dataset.name) : file.register },
          experiment,
          objectives,
          models,
          ref,
        ),
    };
  });
  const [plan] = plans;
  if (plan === undefined) throw new Error("broken invariant: a sweep file without a plan");
  return { ok: true, plan, plans };
}

/** Relations hold between the parameters of one model; at the top there is nothing to relate. */
function tellMisplaced(problems: Problem[]): void {
  const index = problems.findIndex(({ field }) => field.length === 1 && field[0] === whereKey);
  const problem = problems[index];
  if (problem !== undefined)
    problems[index] = { ...problem, message: "belongs inside a model, as models.MODEL.where" };
}

const nameMax = 31;

/** Both names in one, cut where it is too long for a name. */
function namedFor(sweep: string, dataset: string): string {
  const room = nameMax - dataset.length - 1;
  return room < 1 ? dataset : `${sweep.slice(0, room).replace(/-+$/, "")}-${dataset}`;
}

interface Checker {
  readonly input: SweepFileInput;
  readonly yaml: LocatedYaml;
  readonly problems: Problem[];
  /** The file's top-level keys, so that one bad field does not hide what is wrong with the others. */
  readonly raw: ReadonlyMap<string, unknown>;
}

/** The models of the task the file names; empty, with a problem reported, when there is no such task. */
function declarationsOf({ input, yaml, problems, raw }: Checker): readonly ModelDeclaration[] {
  const task = raw.get("task");
  if (typeof task !== "string") return [];
  const found = input.models.filter((model) => model.task === task);
  if (found.length === 0) {
    const known = new Set(input.models.map((model) => model.task));
    add(problems, yaml, ["task"], `no task is called ${describe(task)}, ${suggestion(task, known)}`);
  }
  return found;
}

function readModels({ yaml, problems, raw }: Checker, declarations: readonly ModelDeclaration[]): SpecModels {
  const given = raw.get("models");
  if (given === null || typeof given !== "object" || Array.isArray(given) || declarations.length === 0)
    return [];
  const method: unknown = entriesOf(raw.get("search")).get("method");
  const reading = { yaml, problems, method: typeof method === "string" ? method : null };
  const models: SpecModels = [];
  for (const [name, value] of Object.entries(given)) {
    const declaration = declarations.find((known) => known.model === name);
    if (declaration === undefined) {
      const known = declarations.map((model) => model.model);
      add(
        problems,
        yaml,
        ["models", name],
        `task ${String(raw.get("task"))} has no model "${name}", ${suggestion(name, known)}`,
      );
    } else models.push(readModel(reading, declaration, value));
  }
  if (Object.keys(given).length === 0) {
    const known = declarations.map((model) => model.model);
    add(problems, yaml, ["models"], `names no model; known: ${known.join(", ")}`);
  }
  return models;
}

/** The first ranks; null where it cannot be known. */
function readObjectives(
  { yaml, problems, raw }: Checker,
  declarations: readonly ModelDeclaration[],
  file: SweepFile | null,
): readonly Objective[] | null {
  const metrics = [...new Set(declarations.flatMap((model) => model.metrics))];
  const list = raw.get("objectives");
  const given: readonly (readonly [Path, unknown])[] = Array.isArray(list)
    ? list.map((entry: unknown, index) => [["objectives", index], entry])
    : [[["objective"], raw.get("objective")]];
  if (raw.has("objective") && raw.has("objectives"))
    add(problems, yaml, ["objectives"], "give either objective or objectives, not both");
  const seen = new Set<string>();
  for (const [base, entry] of given) {
    const metric = entriesOf(entry).get("metric");
    if (typeof metric !== "string") continue;
    const field = [...base, "metric"];
    if (seen.has(metric)) add(problems, yaml, field, `"${metric}" is an objective already`);
    seen.add(metric);
    if (metrics.length === 0 || metrics.includes(metric)) continue;
    const task = String(raw.get("task"));
    add(problems, yaml, field, `task ${task} has no metric "${metric}", ${suggestion(metric, metrics)}`);
  }
  const [usual] = metrics;
  const wanted = file?.objectives ?? (file?.objective === undefined ? [] : [file.objective]);
  if (wanted.length === 0) return usual === undefined ? null : [{ metric: usual, goal: usualGoal(usual) }];
  return wanted.map(({ goal, metric }) => ({ metric, goal: goal ?? usualGoal(metric) }));
}

/** Losses and errors are better the lower they are. */
export function usualGoal(metric: string): "maximize" | "minimize" {
  return /loss|error|perplexity|rmse|mae|mse/i.test(metric) ? "minimize" : "maximize";
}

/** One for each sweep; a single null for a task that reads no data, or where a problem was reported. */
function readDatasets(
  { input, yaml, problems, raw }: Checker,
  declarations: readonly ModelDeclaration[],
): readonly (WantedDataset | null)[] {
  const several = raw.get("datasets");
  const key = several === undefined ? "dataset" : "datasets";
  const task = String(raw.get("task"));
  const wanted = declarations.some((model) => model.data !== "none");
  if (several !== undefined && raw.has("dataset")) {
    add(problems, yaml, ["datasets"], "give either dataset or datasets, not both");
    return [null];
  }
  if (!raw.has(key)) {
    if (wanted) add(problems, yaml, ["dataset"], `is missing; task ${task} trains on data`);
    return [null];
  }
  if (declarations.length > 0 && !wanted) {
    add(problems, yaml, [key], `task ${task} reads no data; leave this out`);
    return [null];
  }
  const { file, environment } = input;
  const reading = { file, environment, yaml, problems };
  if (several === undefined) return [readDataset(reading, ["dataset"], raw.get("dataset"))];
  if (!Array.isArray(several) || several.length === 0) return [null]; // its shape has reported it
  const datasets = several.map((entry: unknown, index) => readDataset(reading, ["datasets", index], entry));
  const names = new Set<string>();
  for (const [index, dataset] of datasets.entries()) {
    if (dataset === null) continue;
    if (names.has(dataset.name))
      add(problems, yaml, ["datasets", index], `${describe(dataset.name)} is in the list already`);
    names.add(dataset.name);
  }
  return datasets;
}

function specOf(
  input: SweepFileInput,
  file: SweepFile,
  experiment: string | null,
  objectives: readonly Objective[],
  models: SpecModels,
  dataset: DatasetRef | null,
): SweepSpec {
  const [objective, ...alsoObjectives] = objectives;
  if (objective === undefined) throw new Error("broken invariant: a sweep file without an objective");
  return {
    name: file.name,
    experiment,
    task: file.task,
    dataset,
    gate: file.gate,
    parts: [],
    program: null,
    objective,
    alsoObjectives,
    search: file.search,
    stopping: file.stopping,
    models,
    needs: file.needs,
    prefers: file.prefers ?? preferenceSchema.parse({}),
    weight: file.weight,
    priority: file.priority,
    beyondBudget: file.beyondBudget,
    cap: file.budget === undefined ? null : Math.round(file.budget.tokens * milliTokensPerToken),
    trialSeed: file.trialSeed,
    codeVersion: input.codeVersion,
    reuse: file.reuse,
    register: registerOf(file.register),
    ...keepOf(file.keep),
  };
}

/** The winner on one dataset is no better or worse than that on another: each has a model of its own. */
function registerFor({ register }: SweepFile, dataset: string): SweepFile["register"] {
  return register === undefined ? undefined : { ...register, model: namedFor(register.model, dataset) };
}

export function registerOf(register: SweepFile["register"]): SweepSpec["register"] {
  if (register === undefined) return null;
  const { alias = null, model, move } = register;
  return move === undefined ? { model, alias } : { model, alias, move };
}

function add(problems: Problem[], yaml: LocatedYaml, field: Path, message: string): void {
  problems.push({ line: yaml.lineOf(field), field, message });
}
