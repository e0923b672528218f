/** Every model there is. Adding one is adding a file and a line here. */
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { fasttext } from "./fasttext.ts";
import { linear } from "./linear.ts";
import { noop } from "./noop.ts";
import type { ModelDeclaration } from "./task.ts";
import { textcnn } from "./textcnn.ts";

export const models: readonly ModelDeclaration[] = [linear, fasttext, textcnn, noop];

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
