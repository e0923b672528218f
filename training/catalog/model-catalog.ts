/** Every model there is. Adding one is adding a file and a line here. */
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { datasetBuild } from "./dataset-build.ts";
import { fasttext } from "../text/fasttext.ts";
import { gru } from "../text/gru.ts";
import { linear } from "../text/linear.ts";
import { nbsvm } from "../text/nbsvm.ts";
import { noop } from "./noop.ts";
import { withPatience } from "./early-stop.ts";
import { tabularLinear } from "../tabular/tabular-linear.ts";
import { tabularMlp } from "../tabular/tabular-mlp.ts";
import type { ModelDeclaration } from "../task/task.ts";
import { textcnn } from "../text/textcnn.ts";
import { transformer } from "../text/transformer.ts";

/** What trains on data; each gets the parameter `patience`. */
const trained: readonly ModelDeclaration[] = [
  linear,
  nbsvm,
  fasttext,
  textcnn,
  gru,
  transformer,
  tabularLinear,
  tabularMlp,
];

export const models: readonly ModelDeclaration[] = [...trained.map(withPatience), noop, datasetBuild];

export const taskNames: readonly string[] = [...new Set(models.map((declaration) => declaration.task))];

export function modelsOf(task: string): readonly ModelDeclaration[] {
  return models.filter((declaration) => declaration.task === task);
}

/** The declaration, or a refusal with the nearest known name. */
export function findModel(task: string, model: string): Outcome<ModelDeclaration> {
  const ofTask = modelsOf(task);
  if (ofTask.length === 0)
    return refuse("unknown", `there is no task "${task}"; ${suggestion(task, taskNames)}`, ["task"]);
  const found = ofTask.find((declaration) => declaration.model === model);
  if (found !== undefined) return accept(found);
  const names = ofTask.map((declaration) => declaration.model);
  return refuse("unknown", `task ${task} has no model "${model}"; ${suggestion(model, names)}`, ["model"]);
}
