/** A predictor from the bytes of a checkpoint and nothing else: opens the backend its model needs, in this process. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { backendPreference, openBackend } from "../runtime/open.ts";
import { decodeCheckpoint } from "../task/checkpoint.ts";
import { findModel } from "./model-catalog.ts";
import type { Predictor } from "../task/task.ts";

export async function loadModel(bytes: Uint8Array): Promise<Outcome<Predictor>> {
  const decoded = decodeCheckpoint(bytes);
  if (!decoded.ok) return decoded;
  const found = findModel(decoded.value.meta.task, decoded.value.meta.model);
  if (!found.ok) return found;
  const declaration = found.value;
  // TensorFlow greets with a line about this on standard error, whatever its log level; a few predictions need no more than without.
  process.env["TF_ENABLE_ONEDNN_OPTS"] ??= "0";
  for (const name of backendPreference) {
    if (!declaration.backends.includes(name)) continue;
    const backend = await openBackend(name);
    if (!backend.ok) continue;
    const predictor = declaration.load(bytes, backend.value);
    return predictor.ok ? accept(predictor.value) : predictor;
  }
  return refuse(
    "unavailable",
    `none of ${declaration.backends.join(", ")} starts on this machine, and model ${declaration.model} needs one`,
  );
}
