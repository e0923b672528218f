/** Datasets as people and programs see them: versions, and what was trained on each. Times are ms since the Unix epoch. */
import * as z from "zod";
import { answerList, answerText } from "./bound.ts";
import { datasetVersionSchema } from "./dataset.ts";
import { labels, removed } from "./label-view.ts";

const count = z.int().nonnegative();

export const datasetVersionView = datasetVersionSchema.extend({
  version: count,
  by: answerText,
  at: z.number(),
  ...labels,
  removed: removed.exactOptional(),
});
export type DatasetVersionView = z.infer<typeof datasetVersionView>;

export const datasetsView = z.object({
  datasets: answerList(
    z.object({ dataset: answerText, versions: count, latest: datasetVersionView, ...labels }),
  ),
});
export type DatasetsView = z.infer<typeof datasetsView>;

export const datasetView = z.object({
  dataset: answerText,
  versions: answerList(datasetVersionView),
  ...labels,
  /** Lineage forwards: what was trained on a version, the newest first. */
  uses: answerList(
    z.object({
      version: count,
      sweep: answerText,
      /** Registered models that came of it, such as `reviews@3`. */
      models: answerList(answerText),
    }),
  ),
});
export type DatasetView = z.infer<typeof datasetView>;
