/** Runs a file's command on this machine, with the folder, interpreter and sampler that it asks for; leaves no files. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { samplerNamed } from "../../search/choose/choose-sampler.ts";
import type { AnySweep } from "../../spec/file/read-any-file.ts";
import { makeTemporaryFolder } from "../../system/temporary-folder.ts";
import type { Environment } from "../../system/environment.ts";
import { findFolder } from "./find-folder.ts";
import { checkOwnPython } from "./own-python.ts";
import { runLocal, type LocalOptions, type LocalResult } from "./run-local.ts";

export type CommandFile = Extract<AnySweep, { kind: "command" }>;

export interface RunFileOptions extends Pick<LocalOptions, "interrupted" | "onEnded"> {
  readonly environment: Environment;
  /** Trials at a time; left out: the file's. */
  readonly parallel?: number | undefined;
  /** Seconds one trial may run; left out: as long as it likes. */
  readonly timeout?: number | undefined;
}

export async function runCommandFile(
  file: string,
  { origin, sweep: given }: CommandFile,
  options: RunFileOptions,
): Promise<Outcome<LocalResult>> {
  const { environment, interrupted, onEnded, parallel = given.parallel, timeout } = options;
  const sweep = { ...given, parallel };
  const { method } = sweep.search;
  const sampler = samplerNamed(method);
  if (sampler === null)
    return refuse(
      "invalid",
      `${file}: method ${method} takes its trials from another program, and only a mesh can be asked by one`,
    );
  const interpreter = findInterpreter(environment);
  const checked = await checkOwnPython(file, sweep.onMesh.needs, interpreter, environment);
  if (!checked.ok) return checked;
  // It was sealed to agents, and nobody here can read it.
  const unset = sweep.onMesh.secrets.find((name) => (environment[name] ?? "") === "");
  if (unset !== undefined)
    return refuse(
      "invalid",
      `${file}: field secrets: on this machine alone the program takes ${unset} from your own environment, where it is not set`,
    );
  const temporary = makeTemporaryFolder("trialmesh-local-");
  let files = 0;
  try {
    const result = await runLocal({
      sweep,
      sampler,
      folder: findFolder(sweep, origin, file),
      environment,
      interpreter,
      timeoutMs: timeout === undefined ? null : timeout * 1000,
      writeFile(text) {
        const path = join(temporary, `args-${++files}.json`);
        writeFileSync(path, text);
        return path;
      },
      scratchOf: (trial) => join(temporary, `wandb-${trial}`),
      onEnded,
      interrupted,
    });
    return accept(result);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** False where nothing came of it: no trial has a result, or too many have failed. */
export function cameToResult({ sweep }: CommandFile, { best, end, trials }: LocalResult): boolean {
  if (end === "failures") return false;
  return sweep.objectives.length === 0 ? trials.some(({ state }) => state === "completed") : best !== null;
}
