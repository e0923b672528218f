/**
 * Builds a dataset version on an agent: one epoch of a task that trains nothing, whose checkpoint is the version's file.
 * What it reads is its sweep's dataset (the recipe) and parts (the recipe's files, and what is expected of the version).
 * It says what it built and what the expectations came to; that it goes on record is the coordinator's decision.
 */
import { readFile } from "node:fs/promises";
import { buildRecipe } from "../../data/recipe/build-recipe.ts";
import { recipeSchema, type Recipe } from "../../data/recipe/recipe.ts";
import { checkExpectations } from "../../data/expectation/check-expectations.ts";
import { readExpectations } from "../../data/expectation/expectation-artifact.ts";
import { recordedCheck } from "../../data/expectation/recorded-check.ts";
import type { BuiltVersion } from "../../data/version/build-dataset.ts";
import type { BuiltDataset, DatasetCheck } from "../../protocol/dataset.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Metrics, ModelDeclaration, Trainer, TrainerOptions } from "../task/task.ts";

export const datasetTask = "dataset";
export const datasetBuildModel = "build";

/** Of the memory the process may hold; the rest is for Node itself and the version in it. */
const engineShare = 0.5;
const checkThreads = 2;

type Job = NonNullable<TrainerOptions["job"]>;

interface Version {
  readonly built: BuiltVersion;
  readonly bytes: Uint8Array;
  readonly check: DatasetCheck | null;
}

function createBuild({ job }: TrainerOptions): Outcome<Trainer> {
  if (job === undefined || job.datasetPath === null)
    return refuse("invalid", "a dataset is built from a recipe; `trialmesh dataset add FILE` makes one");
  const { datasetPath } = job;
  let version: Version | null = null;
  return accept({
    predictor: { kind: "none", dispose: () => undefined },
    get epoch() {
      return version === null ? 0 : 1;
    },
    get built() {
      return version === null ? undefined : factsOf(version);
    },
    trainEpoch: async () => {
      const built = await build(datasetPath, job);
      if (!built.ok) return { loss: Number.NaN, why: built.refusal.message };
      const bytes = await readFile(built.value.path);
      version = { built: built.value, bytes, check: await checkOf(built.value, job) };
      return { loss: 0 };
    },
    evaluate: () => (version === null ? {} : metricsOf(version.built)),
    save: () => version?.bytes ?? new Uint8Array(),
    restore: () => refuse("invalid", "a dataset build has nothing to go on from; it begins again"),
    dispose: () => undefined,
  });
}

/** Null where an expectation cannot be read or asked of this dataset, which is no fault of what was built. */
async function checkOf(
  { digest, path }: BuiltVersion,
  { expectationsPath, memoryMiB, workDir }: Job,
): Promise<DatasetCheck | null> {
  if (expectationsPath === undefined) return { failed: 0, warned: 0, sentences: [] };
  const read = readExpectations(await readFile(expectationsPath, "utf8"));
  if (!read.ok) return null;
  const report = await checkExpectations(
    { path, digest, expectations: read.value },
    { workDir, threads: checkThreads, memoryMiB: Math.floor(memoryMiB * engineShare) },
  );
  return report.ok ? recordedCheck(report.value) : null;
}

function factsOf({ built: { manifest }, check }: Version): BuiltDataset {
  const { bad, declaration, labels, name, rows } = manifest;
  return { dataset: name, kind: declaration.form.kind, rows, labels, badRows: bad.count, check };
}

async function build(recipePath: string, { memoryMiB, parts, workDir }: Job): Promise<Outcome<BuiltVersion>> {
  let given: unknown;
  try {
    given = JSON.parse(await readFile(recipePath, "utf8"));
  } catch {
    return refuse("invalid", "the recipe of the dataset is no JSON; add the dataset again");
  }
  const recipe: Outcome<Recipe> = parseOutside(recipeSchema, given, "the recipe of the dataset");
  if (!recipe.ok) return recipe;
  return buildRecipe(recipe.value, parts, { workDir, memoryMiB: Math.floor(memoryMiB * engineShare) });
}

function metricsOf({ bytes, manifest }: BuiltVersion): Metrics {
  const { train, validation, test } = manifest.rows;
  return { rows: train + validation + test, badRows: manifest.bad.count, bytes };
}

export const datasetBuild: ModelDeclaration = {
  task: datasetTask,
  model: datasetBuildModel,
  about: "builds a dataset version from its recipe",
  parameters: {},
  backends: ["none"],
  data: "none",
  reference: null,
  defaultSpace: {},
  metrics: ["rows", "badRows", "bytes"],
  create: createBuild,
  load: () => refuse("invalid", "a dataset version is no model; `trialmesh dataset show NAME` shows it"),
};
