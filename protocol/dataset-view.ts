/** Datasets as people and programs see them: versions, and what was trained on each. Times are ms since the Unix epoch. */
import * as z from "zod";
import { datasetVersionSchema } from "./dataset.ts";

const count = z.int().nonnegative();

export const datasetVersionView = datasetVersionSchema.extend({
  version: count,
  by: z.string(),
  at: z.number(),
});
export type DatasetVersionView = z.infer<typeof datasetVersionView>;

export const datasetsView = z.object({
  datasets: z.array(z.object({ dataset: z.string(), versions: count, latest: datasetVersionView })),
});
export type DatasetsView = z.infer<typeof datasetsView>;

export const datasetView = z.object({
  dataset: z.string(),
  versions: z.array(datasetVersionView),
  /** Lineage forwards: what was trained on a version, the newest first. */
  uses: z.array(
    z.object({
      version: count,
      sweep: z.string(),
      /** Registered models that came of it, such as `reviews@3`. */
      models: z.array(z.string()),
    }),
  ),
});
export type DatasetView = z.infer<typeof datasetView>;
