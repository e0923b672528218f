/** A made-up model of texts and a version of it that is worse by a set share, so that what a trial finds is known beforehand. Not a test's: those have their own. */
import { fnv1a } from "../../numeric/fnv.ts";
import { mixUnsigned } from "../../numeric/mix.ts";
import { accept } from "../../protocol/refusal.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";

export type TriedBy = "errors" | "agreement" | "truth";

export const triedLabels = ["one", "two", "three", "four"];

/** From [0, 1), by the text alone. */
export function luckOf(text: string, salt: number): number {
  return mixUnsigned(fnv1a(text) ^ Math.imul(salt, 0x9e3779b1)) / 2 ** 32;
}

export function truthOf(text: string): number {
  return Math.floor(luckOf(text, 1) * triedLabels.length);
}

const half = 0.5;

interface TriedModelOptions {
  readonly version: number;
  /** Of the texts, what it fails at or has wrong. */
  readonly wrong: number;
  /** Two versions are wrong at the same of half of the texts where they share the first, and at the same of all where they share both. */
  readonly salts: readonly [number, number];
  readonly by: TriedBy;
}

export function triedModel({ by, salts, version, wrong }: TriedModelOptions): ServedModel {
  const answerTexts = (texts: readonly string[]) => {
    const all = new Float32Array(texts.length * triedLabels.length);
    for (const [row, text] of texts.entries()) {
      const isWrong = luckOf(text, salts[luckOf(text, 2) < half ? 0 : 1]) < wrong;
      if (isWrong && by === "errors") throw new Error("a fault inside the model");
      const best = (truthOf(text) + (isWrong ? 1 : 0)) % triedLabels.length;
      all.fill(0.1, row * triedLabels.length, (row + 1) * triedLabels.length);
      all[row * triedLabels.length + best] = 0.7;
    }
    return all;
  };
  return {
    ...{ model: "tried", version, digest: "00".repeat(32), task: "text-classification", algorithm: "linear" },
    signature: {
      inputs: [{ name: "text", kind: "text", optional: false }],
      labels: triedLabels,
      target: "label",
    },
    answerTexts,
    answer: ({ columns }) =>
      accept({ kind: "labels", probabilities: answerTexts((columns.get("text") ?? []).map(String)) }),
    dispose: () => undefined,
  };
}
