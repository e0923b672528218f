/** What explains a model's answers, from its checkpoint; refused for models whose score is no sum over what they read. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { decodeCheckpoint } from "../../training/task/checkpoint.ts";
import { tabular } from "../../training/tabular/table-task.ts";
import { textClassification } from "../../training/text/text-classification.ts";
import type { Explainer } from "./explanation.ts";
import { tableExplainer } from "./explain-table.ts";
import { textExplainer } from "./explain-text.ts";

export function openExplainer(bytes: Uint8Array): Outcome<Explainer> {
  const decoded = decodeCheckpoint(bytes);
  if (!decoded.ok) return decoded;
  const { model, task } = decoded.value.meta;
  const explainer =
    task === tabular
      ? tableExplainer(decoded.value)
      : task === textClassification
        ? textExplainer(decoded.value)
        : null;
  return explainer === null
    ? refuse(
        "invalid",
        `${model} of ${task} cannot be explained: its score is no sum over words or columns; linear, nbsvm and fasttext are explained`,
      )
    : accept(explainer);
}
