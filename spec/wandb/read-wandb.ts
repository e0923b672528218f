/**
 * A W&B sweep file as a command sweep of ours, unmodified. What is understood differently is a note, what cannot be
 * done is refused by name. The format: W&B's sweep configuration schema and its agent's command macros.
 */
import { checkMacros } from "../../protocol/command-macro.ts";
import type { Stopping } from "../../protocol/stopping.ts";
import { blindMethods, ownLength, usualTerms, type CommandSweep } from "../sweep/command-sweep.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import { describe, parseAt } from "../yaml/explain-issue.ts";
import type { LocatedYaml, Path } from "../yaml/located-yaml.ts";
import {
  importSeed,
  noteAt,
  refuseAt,
  slug,
  trialsWithoutLimit,
  type ImportReading,
  type ImportResult,
} from "../import/import-reading.ts";
import { readParameterTree } from "./read-parameter-tree.ts";
import { withMeantScalars } from "./wandb-scalar.ts";
import { wandbShape, type EarlyTerminate, type WandbFile } from "./wandb-shape.ts";

const defaultCommand = ["${env}", "${interpreter}", "${program}", "${args}"];

/** Keys that ask for what a command on a machine of one's own cannot be. */
const refusedKeys: ReadonlyMap<string, string> = new Map([
  ["job", "W&B Launch jobs are not run; give the script as program"],
  ["image_uri", "container images are not run; give the script as program"],
  [
    "metrics",
    "several metrics need W&B's method custom; in a sweep file of trialmesh they are called objectives",
  ],
  ["scheduler", "schedulers of W&B are not run; leave it out, and search is done here"],
]);

export function readWandb(given: LocatedYaml): ImportResult {
  const { notes, yaml } = withMeantScalars(given);
  const reading: ImportReading = { yaml, problems: [], notes: [...yaml.notes, ...notes] };
  const raw = entriesOf(yaml.value);
  const file = parseAt(wandbShape, yaml.value, yaml, [], reading.problems);
  for (const [key, why] of refusedKeys) if (raw.has(key)) refuseAt(reading, [key], why);
  const method = String(raw.get("method"));
  if (method === "custom") {
    refuseAt(
      reading,
      ["method"],
      "W&B's custom method runs a search program of one's own; use grid, random or bayes here",
    );
  }
  const tree = readParameterTree(reading, raw.get("parameters"), method);
  if (file === null) return { ok: false, problems: reading.problems };
  const command = file.command ?? defaultCommand;
  checkMacros(command, (index, message) =>
    refuseAt(reading, file.command === undefined ? ["command"] : ["command", index], message),
  );
  if (file.program === undefined && command.some((word) => word.includes("${program}"))) {
    refuseAt(
      reading,
      ["program"],
      `is missing; the command${file.command === undefined ? ", which is W&B's usual one," : ""} names \${program}`,
    );
  }
  const search = readMethod(reading, file);
  const stopping = readStopping(reading, file);
  sayRest(reading, file);
  if (reading.problems.length > 0) return { ok: false, problems: reading.problems };
  const { metric } = file;
  const sweep: CommandSweep = {
    name: slug(file.name ?? "", "wandb-sweep"),
    command,
    program: file.program ?? null,
    reads: "words",
    environment: {},
    objectives: metric === undefined ? [] : [{ metric: metric.name, goal: metric.goal, keep: "last" }],
    search,
    stopping,
    ...tree,
    where: [],
    metricFormat: [],
    parallel: 1,
    failuresMax: null,
    module: null,
    dataset: null,
    onMesh: usualTerms,
  };
  return { ok: true, sweep, notes: reading.notes };
}

function readMethod(reading: ImportReading, file: WandbFile): CommandSweep["search"] {
  const method = file.method === "bayes" || file.method === "custom" ? "auto" : file.method;
  if (file.method === "bayes")
    noteAt(
      reading,
      ["method"],
      "method bayes → auto: starts quasi-randomly, then a model proposes; the sweep says which",
    );
  if (file.metric === undefined && !blindMethods.includes(method) && file.method === "bayes")
    refuseAt(reading, ["metric"], "is missing; bayes learns from a metric");
  if (file.metric === undefined && method !== "auto")
    noteAt(
      reading,
      ["method"],
      "no metric: trials are run here and not compared; early_terminate, bayes and a mesh need one",
    );
  if (file.run_cap !== undefined)
    noteAt(reading, ["run_cap"], `run_cap ${file.run_cap} → trials: ${file.run_cap}`);
  else if (method !== "grid") {
    noteAt(
      reading,
      ["method"],
      `no run_cap: W&B goes on until it is stopped, here ${trialsWithoutLimit} trials are run (--trials says otherwise)`,
    );
  }
  return { method, trials: file.run_cap ?? gridOr(method), seed: importSeed };
}

/** More than any grid that could be walked: a grid ends where it ends. */
const wholeGrid = 1_000_000;

function gridOr(method: CommandSweep["search"]["method"]): number {
  return method === "grid" ? wholeGrid : trialsWithoutLimit;
}

/** Where no last iteration is named, rungs are laid out for so many steps of eta. */
const rungsWithoutEnd = 4;

function readStopping(reading: ImportReading, file: WandbFile): Stopping {
  const target = file.metric?.target;
  const until = target === undefined ? {} : { target };
  if (target !== undefined)
    noteAt(reading, ["metric", "target"], `target ${target} → the sweep ends once a trial reaches it`);
  const given = file.early_terminate;
  if (given === undefined) return { ...ownLength, ...until };
  if (file.metric === undefined) {
    refuseAt(reading, ["metric"], "is missing; early_terminate compares by a metric");
    return ownLength;
  }
  const rungs = rungsOf(reading, given);
  return rungs === null ? ownLength : { policy: "asha", ...rungs, ...until };
}

function rungsOf(
  reading: ImportReading,
  { eta: given, max_iter, min_iter, s, strict }: EarlyTerminate,
): { readonly min: number; readonly max: number; readonly eta: number } | null {
  const field = ["early_terminate"];
  if (max_iter === undefined ? min_iter === undefined : s === undefined && min_iter === undefined)
    return refuseNull(reading, field, "needs min_iter, or max_iter and s");
  const counted = max_iter !== undefined && s !== undefined;
  if (counted && min_iter !== undefined)
    noteAt(reading, [...field, "min_iter"], "min_iter counts for nothing beside max_iter and s, as in W&B");
  const eta = Math.max(2, Math.round(given));
  if (eta !== given)
    noteAt(reading, [...field, "eta"], `eta ${given} → ${eta}: one in eta trials goes on, a whole number`);
  const min = counted ? Math.max(1, Math.floor(max_iter / eta ** s)) : (min_iter ?? 1);
  const max = max_iter ?? min * eta ** rungsWithoutEnd;
  if (min > max)
    return refuseNull(reading, [...field, "min_iter"], `min_iter ${min} is above max_iter ${max}`);
  const end = max_iter === undefined ? `, the last rung at ${max}` : "";
  noteAt(
    reading,
    field,
    `early_terminate hyperband → asha with min ${min} eta ${eta}${end}: promoted, not only stopped`,
  );
  if (strict === false)
    noteAt(
      reading,
      [...field, "strict"],
      "strict false → asha is as strict as W&B's strict: only one in eta goes on",
    );
  return { min, max, eta };
}

function refuseNull(reading: ImportReading, field: Path, message: string): null {
  refuseAt(reading, field, message);
  return null;
}

function sayRest(reading: ImportReading, file: WandbFile): void {
  const ignored = (["project", "entity", "description", "apiVersion", "kind", "controller"] as const).filter(
    (key) => file[key] !== undefined,
  );
  const [first] = ignored;
  if (first !== undefined) noteAt(reading, [first], `${ignored.join(", ")} ignored`);
  if (file.name !== undefined && slug(file.name, "wandb-sweep") !== file.name)
    noteAt(reading, ["name"], `name ${describe(file.name)} → ${slug(file.name, "wandb-sweep")}`);
  const { metric } = file;
  if (metric?.impute !== undefined) {
    noteAt(
      reading,
      ["metric", "impute"],
      metric.impute === "worst"
        ? "impute worst → failed trials count as bad ones, as here always"
        : `impute ${metric.impute} ignored: a failed trial counts as a bad one, whatever it last reported`,
    );
  }
  if (metric?.impute_while_running !== undefined)
    noteAt(
      reading,
      ["metric", "impute_while_running"],
      "impute_while_running ignored: running trials always count",
    );
  noteAt(
    reading,
    file.program === undefined ? ["command"] : ["program"],
    "metrics are heard from wandb.log, and from what the script prints (name=value, or JSON lines); parameters come by wandb.config and by the command line; wandb runs offline",
  );
}
