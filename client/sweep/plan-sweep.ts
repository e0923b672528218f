/**
 * From a sweep file on disk to the plans of its sweeps, or its problems; a program's files are packed. Asks no mesh and
 * builds no data.
 */
import { dirname, resolve } from "node:path";
import { models } from "../../training/catalog/model-catalog.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { readAnyFile, type AnyFileResult } from "../../spec/file/read-any-file.ts";
import { readFileText } from "../../spec/file/read-file-text.ts";
import type { SweepOverrides } from "../../spec/sweep/override.ts";
import type { SweepFileResult } from "../../spec/sweep/read-sweep-file.ts";
import type { Environment } from "../../system/environment.ts";
import { codeVersion } from "../../training/version/code-version.ts";
import { programPlan } from "./program-plan.ts";
import { sourceOfParameters } from "./program-text.ts";

/** What a sweep file of any kind says, or its problems; a file that cannot be read is a refusal. */
export async function readSweepAt(
  file: string,
  overrides: SweepOverrides,
  environment: Environment,
): Promise<Outcome<AnyFileResult>> {
  const text = await readFileText(file, "give the path of a sweep file, such as examples/language-id.yaml");
  if (!text.ok) return text;
  const folders = [process.cwd(), dirname(resolve(file))];
  return accept(
    readAnyFile({
      file,
      text: text.value,
      environment,
      models,
      codeVersion,
      overrides,
      sourceOfParameters: (words) => sourceOfParameters(words, folders),
    }),
  );
}

/** The plans of a file, or its problems; one that runs a program has its files packed. */
export async function planSweep(
  file: string,
  overrides: SweepOverrides,
  environment: Environment,
): Promise<Outcome<SweepFileResult>> {
  const read = await readSweepAt(file, overrides, environment);
  if (!read.ok) return read;
  if (!read.value.ok) return accept(read.value);
  const found = read.value.file;
  if (found.kind === "models") return accept({ ok: true, plan: found.plan, plans: found.plans });
  const plan = await programPlan(file, found);
  return plan.ok ? accept({ ok: true, plan: plan.value, plans: [plan.value] }) : plan;
}
