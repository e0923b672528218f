/** Labels of Prometheus as text. */
import type { Lane } from "../batch/lane.ts";

/** Which version it is about. */
export function versionLabels({ described: { model } }: Lane): string {
  return `model="${escapedLabel(model.model)}",version="${model.version}"`;
}

export function escapedLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
