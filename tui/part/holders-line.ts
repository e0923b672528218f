/** Who holds an artifact, as far as it has been told. */
import { holdersSentence } from "../../text/holders.ts";
import { answerTo, refusalTo } from "../model/mesh-data.ts";
import { holdersWant } from "../model/list.ts";
import type { View } from "./screen-view.ts";

export function holdersText({ data }: View, digest: string): string {
  const asked = holdersWant(digest);
  const told = answerTo(data, asked)?.artifacts[0];
  if (told !== undefined) return holdersSentence(told);
  // A coordinator of an older version knows no such question.
  return refusalTo(data, asked) === null ? "…" : "unknown";
}
