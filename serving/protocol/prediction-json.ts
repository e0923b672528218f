/** What a model answers to one row as a JSON object for people and tables: its label with probabilities by label, or its number. */
import type { Answers } from "../model/served-model.ts";
import type { DescribedModel } from "./described-model.ts";
import { bestOf } from "./best-label.ts";
import { numberJson } from "./number-json.ts";

export function predictionJson({ labelJson }: DescribedModel, answers: Answers, row: number): string {
  if (answers.kind === "values") return `{"value":${numberJson(answers.values[row] ?? 0)}}`;
  const { probabilities } = answers;
  const width = labelJson.length;
  const best = bestOf(probabilities, row, width);
  const start = row * width;
  let json = `{"label":${labelJson[best] ?? '""'},"probability":${numberJson(probabilities[start + best] ?? 0)},"probabilities":{`;
  for (let at = 0; at < width; at++)
    json += `${at > 0 ? "," : ""}${labelJson[at] ?? '""'}:${numberJson(probabilities[start + at] ?? 0)}`;
  return `${json}}}`;
}
