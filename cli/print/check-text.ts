/** A dataset version's check in a word or two, for tables. */
import type { DatasetCheck } from "../../protocol/dataset.ts";

export function checkText({ failed, warned }: DatasetCheck): string {
  if (failed > 0) return `${failed} failed`;
  return warned > 0 ? `${warned} warned` : "holds";
}
