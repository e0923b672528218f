/** What a model itself makes of rows: texts as they are, numbers in single precision, what the export says of it for none. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { Row } from "./exported-folder.ts";
import type { TrainedModel } from "./model-case.ts";

const planSchema = z.object({ features: z.array(z.object({ fill: z.number() })).default([]) });

export function ownAnswers({ predictor }: TrainedModel, rows: readonly Row[], folder: string): Float32Array {
  if (predictor.kind === "text")
    return predictor.probabilities(rows.map((row) => String(row["text"] ?? ""))).slice();
  assert.ok(predictor.kind === "table");
  const { features } = planSchema.parse(JSON.parse(readFileSync(join(folder, "transform.json"), "utf8")));
  const cells = rows.flatMap((row) =>
    predictor.features.map((name, at) => {
      const value = row[name];
      return typeof value === "number" ? value : (features[at]?.fill ?? Number.NaN);
    }),
  );
  return predictor.predict(Float32Array.from(cells));
}
