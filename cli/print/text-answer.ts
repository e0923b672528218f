/** Answers to texts for a terminal: under each text its labels, the most probable first, with a bar for each probability. */
import type { TextAnswer, TextAnswers } from "../../client/predict/answer-text.ts";
import type { Explanation } from "../../serving/explain/explanation.ts";
import { bar } from "../../text/canvas/bar.ts";
import type { Glyphs } from "../../text/glyph.ts";
import { clip, widthOf } from "../../text/width.ts";

const labelsShown = 5;
const barWidth = 24;
const digits = 4;

export function textAnswers(
  { answers, model, trainedBy, version }: TextAnswers,
  columns: number,
  glyphs: Glyphs,
): string {
  return [
    `${model}@${version}, ${trainedBy}`,
    ...answers.map((answer) => oneAnswer(answer, columns, glyphs)),
  ].join("\n\n");
}

function oneAnswer(
  { explanation, prediction, probabilities, text }: TextAnswer,
  columns: number,
  glyphs: Glyphs,
): string {
  const all = Object.entries(probabilities).toSorted(([, a], [, b]) => b - a);
  const shown = all.slice(0, labelsShown);
  const width = Math.max(...shown.map(([label]) => widthOf(label)));
  const lines = shown.map(
    ([label, probability]) =>
      `  ${label}${" ".repeat(width - widthOf(label))}  ${bar(probability, 1, barWidth, glyphs)}  ${probability.toFixed(digits)}`,
  );
  const more = all.length - shown.length;
  return [
    clip(text.replaceAll(/\s+/gu, " "), columns, glyphs.ellipsis),
    ...lines,
    ...(more === 0 ? [] : [`  ${more} more under ${(shown.at(-1)?.[1] ?? 0).toFixed(digits)}`]),
    ...(explanation === undefined ? [] : explained(explanation, prediction)),
  ].join("\n");
}

const partsShown = 8;

/** What counts for the label and against it. */
function explained({ base, parts, score }: Explanation, label: string): readonly string[] {
  const shown = parts.slice(0, partsShown);
  const rest = parts.slice(partsShown);
  const sum = rest.reduce((total, { contribution }) => total + contribution, 0);
  const lines: readonly (readonly [number, string])[] = [
    ...shown.map(({ contribution, part }) => [contribution, part] as const),
    ...(rest.length === 0 ? [] : [[sum, `${rest.length} more parts`] as const]),
    [base, "in any case"],
  ];
  return [
    `  why ${label}: its score ${score.toFixed(digits)} is`,
    ...lines.map(([value, part]) => `  ${signed(value).padStart(numberWidth)}  ${part}`),
  ];
}

const numberWidth = 9;

function signed(value: number): string {
  return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(digits)}`;
}
