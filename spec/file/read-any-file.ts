/**
 * Reads a sweep file of any kind, recognised by its keys: ours (models, or a command), W&B's, or a Katib Experiment. The rest of
 * the command line need not know which it was.
 */
import { samplerNamed } from "../../search/choose/choose-sampler.ts";
import { readKatib } from "../katib/read-katib.ts";
import { readWandb } from "../wandb/read-wandb.ts";
import { checkMacros, parametersIn, portMacro } from "../../protocol/command-macro.ts";
import { suggestion } from "../../protocol/name.ts";
import { pathOf } from "../../protocol/nested-name.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { startFaults } from "../sweep/check-start.ts";
import { paramsVariable, reachOf } from "../sweep/check-reach.ts";
import type { CommandSweep, MeshTerms } from "../sweep/command-sweep.ts";
import { extrasNotes } from "../sweep/needs-shape.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import { parseDocuments, type LocatedYaml, type Path } from "../yaml/located-yaml.ts";
import { overridden, type SweepOverrides } from "../sweep/override.ts";
import type { Problem } from "../yaml/problem.ts";
import { readCommandFile } from "../sweep/read-command-file.ts";
import { recognise, type Form } from "./recognise.ts";
import { readSweepYaml, type SweepFileInput, type SweepPlan } from "../sweep/read-sweep-file.ts";

export const origins = ["trialmesh", "wandb", "katib"] as const;
export type Origin = (typeof origins)[number];

export type AnySweep =
  | { readonly kind: "models"; readonly plan: SweepPlan; readonly plans: readonly SweepPlan[] }
  | {
      readonly kind: "command";
      readonly origin: Origin;
      readonly sweep: CommandSweep;
      /** How another tool's file is understood where that is not word for word. */
      readonly notes: readonly Problem[];
      /** What is said whenever it is run. */
      readonly warnings: readonly Problem[];
    };

export type AnyFileResult =
  | { readonly ok: true; readonly file: AnySweep }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function readAnyFile(input: SweepFileInput): AnyFileResult {
  const parsed = parseDocuments(input.text);
  if (!parsed.ok) return parsed;
  const found = recognise(parsed.documents);
  if (!found.ok) return found;
  const read = readForm(input, found.form, found.yaml);
  if (!read.ok) return { ok: false, problems: [...found.why, ...read.problems] };
  if (read.file.kind === "models" || found.notes.length === 0) return read;
  return { ok: true, file: { ...read.file, notes: [...found.notes, ...read.file.notes] } };
}

function readForm(input: SweepFileInput, form: Form, yaml: LocatedYaml): AnyFileResult {
  if (form === "models") {
    const read = readSweepYaml(input, yaml);
    if (!read.ok) return read;
    const problems = read.plans.flatMap((plan) => unsuitedModels(yaml, plan));
    return problems.length > 0 ? { ok: false, problems } : { ok: true, file: { kind: "models", ...read } };
  }
  const overrides = input.overrides ?? {};
  if (form === "command") {
    const { models: _, max: __, ...forPrograms } = overrides;
    const own = overridden(yaml, forPrograms);
    const read = readCommandFile(own, input);
    return read.ok ? command(own, "trialmesh", read.sweep, [], input) : read;
  }
  const read = form === "wandb" ? readWandb(yaml) : readKatib(yaml);
  if (!read.ok) return read;
  const { seed = read.sweep.search.seed, trials = read.sweep.search.trials } = overrides;
  const onMesh = withTerms(read.sweep.onMesh, overrides);
  const sweep = { ...read.sweep, onMesh, search: { ...read.sweep.search, seed, trials } };
  return command(yaml, form, sweep, read.notes, input);
}

/** Another tool's file says nothing of a mesh; the command line does. */
function withTerms(
  terms: MeshTerms,
  { beyondBudget, budgetTokens, priority, weight }: SweepOverrides,
): MeshTerms {
  return {
    ...terms,
    weight: weight ?? terms.weight,
    priority: priority ?? terms.priority,
    beyondBudget: beyondBudget ?? terms.beyondBudget,
    cap: budgetTokens === undefined ? terms.cap : Math.round(budgetTokens * milliTokensPerToken),
  };
}

/** What every command sweep is held to, whoever's file it came from. */
function command(
  yaml: LocatedYaml,
  origin: Origin,
  given: CommandSweep,
  notes: readonly Problem[],
  { overrides = {}, sourceOfParameters }: SweepFileInput,
): AnyFileResult {
  const problems: Problem[] = [];
  const said: Problem[] = [];
  const tell = (field: Path, message: string) => problems.push({ line: yaml.lineOf(field), field, message });
  const reached = readReach(yaml, origin, given, sourceOfParameters);
  const { sweep } = reached;
  problems.push(...reached.problems);
  if (origin === "trialmesh") {
    checkMacros(sweep.command, (index, message) => tell(["command", index], message));
    const serve = (sweep.onMesh.serve ?? []).map((word) => word.replaceAll(portMacro, ""));
    checkMacros(serve, (index, message) => tell(["serve", index], message));
    if (sweep.program === null && sweep.command.some((word) => word.includes("${program}")))
      tell(["program"], "is missing; the command names ${program}");
    const names = Object.keys(sweep.space);
    const unknown = (words: readonly string[], field: Path) => {
      for (const name of parametersIn(words))
        if (!names.includes(name))
          tell(field, `\${parameter:${name}} names no parameter, ${suggestion(name, names)}`);
    };
    unknown(sweep.command, ["command"]);
    for (const [name, text] of Object.entries(sweep.environment)) unknown([text], ["environment", name]);
  }
  for (const { field, message } of startFaults(sweep))
    tell(origin === "katib" ? ["spec", "trialTemplate", "trialSpec"] : field, message);
  const task = sweep.module === null ? "command" : "module";
  for (const [flag, given] of [
    // The launch form names the one there is.
    ["--models", overrides.models?.every((model) => model === task) === true ? undefined : overrides.models],
    ["--max", overrides.max],
  ] as const) {
    if (given !== undefined)
      problems.push({
        line: 1,
        field: [],
        message: `${flag} is for files that train models; this one runs a command`,
      });
  }
  for (const { index, message } of extrasNotes(sweep.onMesh.needs)) {
    const field = ["needs", "python", index];
    said.push({ line: yaml.lineOf(field), field, message });
  }
  const { objectives, search, space, where } = sweep;
  const problem = { space, where, ...search, objectives: Math.max(1, objectives.length) };
  const unsuited = samplerNamed(search.method)?.unsuited(problem) ?? null;
  if (unsuited !== null) tell(parameterAt(yaml, origin, sweep, unsuited.parameter), unsuited.message);
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    file: {
      kind: "command",
      origin,
      sweep,
      notes: [...notes, ...reached.notes, ...said],
      warnings: reached.warnings,
    },
  };
}

interface ReadReach {
  readonly sweep: CommandSweep;
  readonly problems: readonly Problem[];
  readonly notes: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** Whether the search reaches the program; where its source says that it takes the parameters itself, that stands in the sweep. */
function readReach(
  yaml: LocatedYaml,
  origin: Origin,
  sweep: CommandSweep,
  sourceOfParameters: SweepFileInput["sourceOfParameters"],
): ReadReach {
  const nothing = { sweep, problems: [], notes: [], warnings: [] };
  const reach = reachOf(sweep);
  if (reach.kind === "all") return nothing;
  const field = ["command"];
  const at = (where: Path, message: string): Problem => ({ line: yaml.lineOf(where), field: where, message });
  const words = [...sweep.command, sweep.program ?? ""];
  const source = origin === "katib" ? null : (sourceOfParameters?.(words) ?? null);
  if (source !== null) {
    const note = at(field, `not every parameter is passed by a word; the program takes them from ${source}`);
    return { ...nothing, sweep: { ...sweep, reads: "environment" }, notes: [note] };
  }
  if (reach.kind === "none") {
    const elsewhere = {
      trialmesh: `, or say \`reads: environment\` where the program reads the file that ${paramsVariable} names`,
      wandb: `; a program that imports wandb, or reads the file that ${paramsVariable} names, needs none`,
      katib: "",
    }[origin];
    return { ...nothing, problems: [at(field, reach.message + elsewhere)] };
  }
  const warnings = [...reach.unreached].map(([name, message]) =>
    at(parameterAt(yaml, origin, sweep, name), message),
  );
  return { ...nothing, warnings };
}

function parameterAt(yaml: LocatedYaml, origin: Origin, sweep: CommandSweep, name: string): Path {
  if (origin === "trialmesh") return ["parameters", name];
  if (origin === "wandb") {
    const path = Object.hasOwn(sweep.paths, name) ? sweep.paths[name] : undefined;
    return (path ?? pathOf(name, sweep.nested)).flatMap((part) => ["parameters", part]);
  }
  const list = entriesOf(entriesOf(yaml.value).get("spec")).get("parameters");
  const index = Array.isArray(list)
    ? list.findIndex((entry: unknown) => entriesOf(entry).get("name") === name)
    : -1;
  return ["spec", "parameters", index];
}

/** Whether the method can search the models' spaces. */
function unsuitedModels(yaml: LocatedYaml, plan: SweepPlan): Problem[] {
  const { alsoObjectives, models, search } = plan.spec(null);
  const sampler = samplerNamed(search.method);
  return models.flatMap(({ model, space, where }) => {
    const problem = { space, where, ...search, objectives: 1 + alsoObjectives.length };
    const unsuited = sampler?.unsuited(problem) ?? null;
    if (unsuited === null) return [];
    const field = ["models", model, unsuited.parameter];
    return [{ line: yaml.lineOf(field), field, message: unsuited.message }];
  });
}
