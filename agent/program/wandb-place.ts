/**
 * What wandb finds where trialmesh starts a program (WLOG-1): the trial's parameters as a sweep's, a folder of its own to write into, no
 * network (WLOG-7), and the hook that has its calls heard. Who asks for an account of W&B's keeps that. It hears nothing itself.
 */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Params } from "../../protocol/value.ts";
import { makeFolderSync } from "../../system/make-folder.ts";
import type { Environment } from "../../system/environment.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { givenArguments, type Expandable } from "./expand-command.ts";
import { pyyamlText } from "./pyyaml-text.ts";

export interface WandbPlace {
  /** A folder of the trial's own, made anew. */
  readonly folder: string;
  /** What the sweep and the trial are called. */
  readonly sweep: string;
  readonly trial: string;
  /** The objectives by name. */
  readonly metrics: readonly string[];
  /** What the program is given otherwise: what of wandb's stands in it was meant. */
  readonly environment: Environment;
}

/** Copied, for Python writes what it compiles beside it. */
const hookSource = join(projectFolder, "agent", "program", "wandb-hook");
const hookFiles = ["sitecustomize.py", "trialmesh_wandb.py"];

export function wandbRowsOf(folder: string): string {
  return join(folder, "rows.jsonl");
}

/** Writes what wandb is to find, and gives the variables that say where. Throws where the folder cannot be made. */
export function makeWandbPlace(place: WandbPlace, sweep: Expandable, params: Params): Record<string, string> {
  const { environment, folder, metrics } = place;
  rmSync(folder, { recursive: true, force: true });
  makeFolderSync(folder, 0o700);
  const parameters = join(folder, "parameters.yaml");
  writeFileSync(parameters, sweepParameters(sweep, params), { mode: 0o600 });
  const hook = join(folder, "hook");
  mkdirSync(hook, { mode: 0o700 });
  for (const name of hookFiles) copyFileSync(join(hookSource, name), join(hook, name));
  const path = environment["PYTHONPATH"] ?? "";
  const heard = {
    PYTHONPATH: path === "" ? hook : `${hook}${delimiter}${path}`,
    TRIALMESH_WANDB_ROWS: wandbRowsOf(folder),
    // A variable cannot hold every name; one that is left out is heard all the same, but where rows are too many.
    TRIALMESH_WANDB_METRICS: metrics.filter((name) => !/[\0\n]/.test(name)).join("\n"),
    WANDB_SWEEP_PARAM_PATH: parameters,
  };
  return wantsAccount(environment) ? heard : { ...heard, ...aloneEnvironment(place) };
}

/** A mode that is no other, or a key without a mode: what the program logs goes to W&B as well. */
function wantsAccount({ WANDB_API_KEY = "", WANDB_MODE = "" }: Environment): boolean {
  return WANDB_MODE === "" ? WANDB_API_KEY !== "" : !["offline", "dryrun", "disabled"].includes(WANDB_MODE);
}

/** Neither account nor network, and no files outside the folder, but where the program's own variables say where. */
function aloneEnvironment({ environment, folder, sweep, trial }: WandbPlace): Record<string, string> {
  const usual = {
    WANDB_MODE: "offline",
    WANDB_NAME: trial,
    WANDB_ERROR_REPORTING: "false",
    ...Object.fromEntries(
      ["DIR", "CACHE_DIR", "CONFIG_DIR", "DATA_DIR", "ARTIFACT_DIR"].map((name) => {
        const own = join(folder, name.toLowerCase().replace("_", "-"));
        return [`WANDB_${name}`, own];
      }),
    ),
  };
  const unset = Object.entries(usual).filter(([name]) => (environment[name] ?? "") === "");
  for (const [name, value] of unset) if (name.endsWith("DIR")) mkdirSync(value, { mode: 0o700 });
  return { ...Object.fromEntries(unset), WANDB_SWEEP_ID: sweep };
}

/** As W&B's agent hands a run its parameters: each under its name, digit for digit. */
function sweepParameters(sweep: Expandable, params: Params): string {
  const entries = givenArguments(sweep, params).map(
    ([name, json]) => `? ${pyyamlText(JSON.stringify(name))}\n: {"value": ${pyyamlText(json)}}\n`,
  );
  return entries.length === 0 ? "{}\n" : entries.join("");
}
