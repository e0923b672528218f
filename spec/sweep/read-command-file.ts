/** Our own sweep file in the form that runs a command: `command` and `parameters` instead of `task` and `models`. */
import { checkWhen } from "./check-when.ts";
import {
  blindMethods,
  ownLength,
  usualTerms,
  type CommandObjective,
  type CommandSweep,
} from "./command-sweep.ts";
import { checkFormats } from "./check-formats.ts";
import { describe, parseAt } from "../yaml/explain-issue.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import type { LocatedYaml, Path } from "../yaml/located-yaml.ts";
import type { Problem } from "../yaml/problem.ts";
import type { Scalar } from "../yaml/scalar.ts";
import { gridFault, readDistribution, report, type SpaceReading } from "./read-distribution.ts";
import { registerOf, usualGoal } from "./read-sweep-file.ts";
import { readDataset, type DatasetReading } from "./read-dataset.ts";
import { keepOf } from "./keep-shape.ts";
import { readWhere } from "./read-where.ts";
import { wideNumbers, type WideNumbers } from "./wide-number.ts";
import { ofModelFiles, registerNeedsOutput } from "./other-form.ts";
import { commandFileSchema, type CommandFile } from "./sweep-file-shape.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { isInsidePath } from "../../protocol/inside-path.ts";
import { portMacro } from "../../protocol/command-macro.ts";
import type { Distribution, Space } from "../../protocol/space.ts";

export type CommandFileResult =
  | { readonly ok: true; readonly sweep: CommandSweep }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function readCommandFile(
  given: LocatedYaml,
  place: Pick<DatasetReading, "file" | "environment">,
): CommandFileResult {
  const { problems: unclear, spelling, yaml } = withExactValues(given);
  const problems: Problem[] = [...unclear];
  const file = parseAt(commandFileSchema, yaml.value, yaml, [], problems, ofModelFiles);
  const raw = entriesOf(yaml.value);
  const method: unknown = entriesOf(raw.get("search")).get("method");
  const reading: SpaceReading = { yaml, problems, method: typeof method === "string" ? method : null };
  const space = readParameters(reading, raw.get("parameters"));
  const where =
    problems.length === 0 ? readWhere(reading, ["where"], raw.get("where"), space, "this sweep") : [];
  const objectives = file === null ? null : readObjectives(reading, file);
  checkFormats(reading, file?.metricFormat ?? []);
  const environment = environmentOf(reading, raw.get("environment"));
  const dataset = readData({ ...place, yaml, problems }, raw);
  if (file !== null) checkForm(reading, file);
  if (file !== null) checkOutput(reading, file);
  if (file !== null) checkSecrets(reading, file);
  if (file === null || objectives === null || problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    sweep: {
      name: file.name,
      command: (file.command ?? []).map(String),
      module: file.module ?? null,
      dataset,
      onMesh: {
        experiment: file.experiment ?? null,
        needs: file.needs,
        prefers: file.prefers ?? usualTerms.prefers,
        weight: file.weight,
        priority: file.priority,
        cap: file.budget === undefined ? null : Math.round(file.budget.tokens * milliTokensPerToken),
        beyondBudget: file.beyondBudget,
        trialSeed: file.trialSeed,
        reuse: file.reuse,
        register: registerOf(file.register),
        output: file.output ?? null,
        secrets: [...new Set(file.secrets)],
        serve: file.serve?.map(String) ?? null,
        files: file.files ?? null,
        ...keepOf(file.keep),
      },
      program: file.program ?? null,
      reads: file.reads,
      environment,
      objectives,
      search: file.search,
      stopping: file.stopping ?? ownLength,
      space,
      where,
      nested: file.nested,
      paths: {},
      spelling,
      metricFormat: file.metricFormat,
      parallel: file.parallel,
      failuresMax: file.failuresMax ?? null,
    },
  };
}

/** Words and variables are text as written; a module's parameters are numbers of JavaScript, and keep no more digits than those. */
function withExactValues(given: LocatedYaml): WideNumbers {
  if (entriesOf(given.value).has("module")) return { yaml: given, spelling: {}, problems: [] };
  const asWritten = (scalar: Scalar) => (scalar.kind === "null" ? undefined : scalar.source);
  const wide = wideNumbers(given);
  return {
    ...wide,
    yaml: wide.yaml.replaced((scalar, path) => {
      if (path[0] === "command" || path[0] === "serve" || path[0] === "environment")
        return path.length === 2 ? asWritten(scalar) : undefined;
      return undefined;
    }),
  };
}

/** A command or a module, and nothing that is the other's. */
function checkForm(reading: SpaceReading, file: CommandFile): void {
  const { command, module } = file;
  if (command === undefined && module === undefined)
    report(reading, ["command"], "is missing; give a command, or a module in its place");
  if (module === undefined) return;
  if (command !== undefined) report(reading, ["module"], "give either command or module, not both");
  for (const field of ["program", "metricFormat", "nested", "environment", "secrets"] as const) {
    const given = file[field];
    if (given !== undefined && Object.keys(given).length > 0)
      report(reading, [field], "is for commands; a module gets its parameters and reports by its context");
  }
}

/** A variable has one value. */
function checkSecrets(reading: SpaceReading, { environment, secrets }: CommandFile): void {
  for (const name of secrets)
    if (Object.hasOwn(environment, name))
      report(reading, ["environment", name], "is a secret of this file too; give one of the two");
}

/** What is registered is what lies in a folder that the file names. */
function checkOutput(reading: SpaceReading, { module, output, register, serve }: CommandFile): void {
  if (register !== undefined && module !== undefined)
    report(
      reading,
      ["register"],
      "is for trialmesh's own models and for commands with an output folder; a module's checkpoint is kept, and `artifact get` fetches it",
    );
  else if (register !== undefined && output === undefined) report(reading, ["register"], registerNeedsOutput);
  checkServe(reading, serve, { isRegistered: register !== undefined, isModule: module !== undefined });
  if (output === undefined) return;
  if (module !== undefined)
    report(reading, ["output"], "is for commands; a module keeps its model by `checkpoint(bytes)`");
  if (!isInsidePath(output.replace(/\/$/, "")))
    report(
      reading,
      ["output"],
      `${describe(output)} should be a folder within the program's own, such as model`,
    );
}

/** Who starts it says where it is to listen, so it has to be told. */
function checkServe(
  reading: SpaceReading,
  serve: CommandFile["serve"],
  { isModule, isRegistered }: { readonly isModule: boolean; readonly isRegistered: boolean },
): void {
  if (serve === undefined) return;
  if (isModule) report(reading, ["serve"], "is for commands; what a module keeps is not registered");
  else if (!isRegistered)
    report(reading, ["serve"], "answers with what is registered; add `output: FOLDER` and `register: NAME`");
  else if (!serve.some((word) => String(word).includes(portMacro)))
    report(
      reading,
      ["serve"],
      `has to say where it listens: ${portMacro} in one of its words stands for the port, as in [python, serve.py, --port, "${portMacro}"]`,
    );
}

/** By hand, because a record leaves one name out: __proto__. */
function environmentOf(reading: SpaceReading, raw: unknown): Readonly<Record<string, string>> {
  const given = new Map<string, string>();
  for (const [name, value] of entriesOf(raw)) {
    if (typeof value === "string") given.set(name, value);
    else if (name === "__proto__")
      report(reading, ["environment", name], `should be text, not ${describe(value)}`);
  }
  return Object.fromEntries(given);
}

function readData(reading: DatasetReading, raw: ReadonlyMap<string, unknown>) {
  if (!raw.has("dataset")) return null;
  if (raw.has("module")) return readDataset(reading, ["dataset"], raw.get("dataset"));
  const message = "is for modules; a command reads its own data, which can travel with its files";
  reading.problems.push({ line: reading.yaml.lineOf(["dataset"]), field: ["dataset"], message });
  return null;
}

function readParameters(reading: SpaceReading, raw: unknown): Space {
  const base: Path = ["parameters"];
  const found = new Map<string, Distribution>();
  if (raw === null || typeof raw !== "object" || Array.isArray(raw)) {
    if (raw !== undefined)
      report(reading, base, `should be a mapping from parameters to their values, not ${describe(raw)}`);
    return {};
  }
  for (const [name, value] of Object.entries(raw)) {
    const field = [...base, name];
    const distribution = readDistribution(reading, field, value);
    if (distribution === null) continue;
    const fault = gridFault(reading.method, distribution);
    if (fault !== null) report(reading, field, fault);
    found.set(name, distribution);
  }
  const space: Space = Object.fromEntries(found);
  if (Object.keys(raw).length === 0) report(reading, base, "names no parameter");
  if (reading.problems.length === 0) checkWhen(reading, base, space);
  return space;
}

function readObjectives(reading: SpaceReading, file: CommandFile): readonly CommandObjective[] | null {
  if (file.objective !== undefined && file.objectives !== undefined) {
    report(reading, ["objectives"], "give either objective or objectives, not both");
    return null;
  }
  const given = file.objectives ?? (file.objective === undefined ? [] : [file.objective]);
  const { method } = file.search;
  if (given.length === 0 && !blindMethods.includes(method)) {
    report(
      reading,
      ["objective"],
      `is missing; ${method} learns from results, so name the metric that the command prints, as in {metric: accuracy}`,
    );
  }
  return given.map(({ goal, keep, metric }) => ({ metric, goal: goal ?? usualGoal(metric), keep }));
}
