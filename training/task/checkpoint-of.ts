/** A checkpoint that must be of one model: what a trainer restores and a predictor loads. */
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { decodeCheckpoint, type Checkpoint } from "./checkpoint.ts";
import type { ModelDeclaration } from "./task.ts";

export function checkpointOf(
  { task, model }: Pick<ModelDeclaration, "task" | "model">,
  bytes: Uint8Array,
): Outcome<Checkpoint> {
  const decoded = decodeCheckpoint(bytes);
  if (!decoded.ok) return decoded;
  const { meta } = decoded.value;
  if (meta.task === task && meta.model === model) return decoded;
  return refuse(
    "invalid",
    `the checkpoint is of model ${meta.model} of task ${meta.task}, not of ${model} of ${task}`,
  );
}
