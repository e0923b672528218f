/**
 * Builds a dataset version on an agent: one epoch of a task that trains nothing, whose checkpoint is the version's file.
 * What it reads is its sweep's dataset (the recipe) and parts (the recipe's files). Whether the version is recorded,
 * and under which name, is for whoever asked.
 */
import { readFile } from "node:fs/promises";
import { buildRecipe } from "../../data/recipe/build-recipe.ts";
import { recipeSchema, type Recipe } from "../../data/recipe/recipe.ts";
import type { BuiltVersion } from "../../data/version/build-dataset.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Metrics, ModelDeclaration, Trainer, TrainerOptions } from "../task/task.ts";

export const datasetTask = "dataset";
export const datasetBuildModel = "build";

/** Of the memory the process may hold; the rest is for Node itself and the version in it. */
const engineShare = 0.5;

type Job = NonNullable<TrainerOptions["job"]>;

function createBuild({ job }: TrainerOptions): Outcome<Trainer> {
  if (job === undefined || job.datasetPath === null)
    return refuse("invalid", "a dataset is built from a recipe; `trialmesh dataset add FILE` makes one");
  const { datasetPath } = job;
  let version: { readonly built: BuiltVersion; readonly bytes: Uint8Array } | null = null;
  return accept({
    predictor: { kind: "none", dispose: () => undefined },
    get epoch() {
      return version === null ? 0 : 1;
    },
    trainEpoch: async () => {
      const built = await build(datasetPath, job);
      if (!built.ok) return { loss: Number.NaN, why: built.refusal.message };
      version = { built: built.value, bytes: await readFile(built.value.path) };
      return { loss: 0 };
    },
    evaluate: () => (version === null ? {} : metricsOf(version.built)),
    save: () => version?.bytes ?? new Uint8Array(),
    restore: () => refuse("invalid", "a dataset build has nothing to go on from; it begins again"),
    dispose: () => undefined,
  });
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
