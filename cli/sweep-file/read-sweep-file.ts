/**
 * From the text of a sweep file to a plan that wants only its dataset's digest to be a `SweepSpec`.
 * Tells every problem of the file at once; sends nothing and loads no data.
 */
import type { ModelDeclaration } from "../../agent/task/task.ts";
import type { DatasetDeclaration } from "../../data/load.ts";
import { suggestion } from "../../protocol/name.ts";
import type { DatasetRef, SweepSpec } from "../../protocol/sweep.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { entriesOf } from "./entries-of.ts";
import { parseAt } from "./explain-issue.ts";
import { parseYaml, type LocatedYaml, type Path } from "./located-yaml.ts";
import type { Problem } from "./problem.ts";
import { readDataset } from "./read-dataset.ts";
import { readSpace } from "./read-space.ts";
import { overridden, type SweepOverrides } from "./override.ts";
import { sweepFileSchema, type SweepFile } from "./shape.ts";

export interface SweepFileInput {
  /** Path of the file, as it is named in what is told. */
  readonly file: string;
  readonly text: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Every model that can be trained. */
  readonly models: readonly ModelDeclaration[];
  readonly codeVersion: string;
  /** What a command line or a form says instead of the file. */
  readonly overrides?: SweepOverrides;
}

export interface SweepPlan {
  readonly dataset: DatasetDeclaration | null;
  spec(dataset: DatasetRef | null): SweepSpec;
}

export type SweepFileResult =
  | { readonly ok: true; readonly plan: SweepPlan }
  | { readonly ok: false; readonly problems: readonly Problem[] };

type SpecModels = SweepSpec["models"];

export function readSweepFile(input: SweepFileInput): SweepFileResult {
  const parsed = parseYaml(input.text);
  if (!parsed.ok) return parsed;
  const yaml = overridden(parsed.yaml, input.overrides ?? {});
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
  const file = parseAt(sweepFileSchema, yaml.value, yaml, [], problems);
  const checker = { input, yaml, problems, raw };
  const declarations = declarationsOf(checker);
  const models = readModels(checker, declarations);
  const objective = readObjective(checker, declarations, file);
  const dataset = readDatasetPart(checker, declarations);
  if (file === null || objective === null || problems.length > 0) return { ok: false, problems };
  return { ok: true, plan: { dataset, spec: (ref) => specOf(input, file, objective, models, ref) } };
}

interface Checker {
  readonly input: SweepFileInput;
  readonly yaml: LocatedYaml;
  readonly problems: Problem[];
  /** The file's top-level keys, so that one bad field does not hide what is wrong with the others. */
  readonly raw: ReadonlyMap<string, unknown>;
}

/** The models of the task the file names; empty, with a problem told, when there is no such task. */
function declarationsOf({ input, yaml, problems, raw }: Checker): readonly ModelDeclaration[] {
  const task = raw.get("task");
  if (typeof task !== "string") return [];
  const found = input.models.filter((model) => model.task === task);
  if (found.length === 0) {
    const known = new Set(input.models.map((model) => model.task));
    add(problems, yaml, ["task"], `no task is called "${task}", ${suggestion(task, known)}`);
  }
  return found;
}

function readModels({ yaml, problems, raw }: Checker, declarations: readonly ModelDeclaration[]): SpecModels {
  const given = raw.get("models");
  if (given === null || typeof given !== "object" || Array.isArray(given) || declarations.length === 0)
    return [];
  const method = methodOf(raw);
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
    } else
      models.push({
        model: name,
        space: readSpace({ yaml, problems, method }, declaration, value),
        where: [],
      });
  }
  if (Object.keys(given).length === 0) {
    const known = declarations.map((model) => model.model);
    add(problems, yaml, ["models"], `names no model; known: ${known.join(", ")}`);
  }
  return models;
}

function methodOf(raw: ReadonlyMap<string, unknown>): "grid" | "random" | null {
  const search = entriesOf(raw.get("search"));
  const method = search.get("method");
  return method === "grid" || method === "random" ? method : null;
}

function readObjective(
  { yaml, problems, raw }: Checker,
  declarations: readonly ModelDeclaration[],
  file: SweepFile | null,
): SweepSpec["objective"] | null {
  const metrics = [...new Set(declarations.flatMap((model) => model.metrics))];
  const given = entriesOf(raw.get("objective")).get("metric");
  if (typeof given === "string" && metrics.length > 0 && !metrics.includes(given)) {
    add(
      problems,
      yaml,
      ["objective", "metric"],
      `task ${String(raw.get("task"))} has no metric "${given}", ${suggestion(given, metrics)}`,
    );
  }
  const metric = file?.objective?.metric ?? metrics[0];
  if (metric === undefined) return null;
  return { metric, goal: file?.objective?.goal ?? usualGoal(metric) };
}

/** Losses and errors are better the lower they are. */
function usualGoal(metric: string): "maximize" | "minimize" {
  return /loss|error|perplexity/i.test(metric) ? "minimize" : "maximize";
}

function readDatasetPart(
  { input, yaml, problems, raw }: Checker,
  declarations: readonly ModelDeclaration[],
): DatasetDeclaration | null {
  const given = raw.get("dataset");
  const task = String(raw.get("task"));
  const wanted = declarations.some((model) => model.needsDataset);
  if (given === undefined) {
    if (wanted) add(problems, yaml, ["dataset"], `is missing; task ${task} trains on data`);
    return null;
  }
  if (declarations.length > 0 && !wanted) {
    add(problems, yaml, ["dataset"], `task ${task} reads no data; leave this out`);
    return null;
  }
  const { file, environment } = input;
  return readDataset({ file, environment, yaml, problems }, given);
}

function specOf(
  input: SweepFileInput,
  file: SweepFile,
  objective: SweepSpec["objective"],
  models: SpecModels,
  dataset: DatasetRef | null,
): SweepSpec {
  return {
    name: file.name,
    experiment: null,
    task: file.task,
    dataset,
    objective,
    alsoObjectives: [],
    search: file.search,
    stopping: file.stopping,
    models,
    needs: file.needs,
    prefers: { first: "fastest", nearData: true, labels: {} },
    weight: 1,
    priority: 0,
    beyondBudget: false,
    cap: file.budget === undefined ? null : Math.round(file.budget.tokens * milliTokensPerToken),
    trialSeed: file.trialSeed,
    codeVersion: input.codeVersion,
    reuse: file.reuse,
    register:
      file.register === undefined ? null : { model: file.register.model, alias: file.register.alias ?? null },
  };
}

function add(problems: Problem[], yaml: LocatedYaml, field: Path, message: string): void {
  problems.push({ line: yaml.lineOf(field), field, message });
}
