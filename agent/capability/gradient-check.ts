/** Whether an opened TensorFlow.js backend differentiates rightly: each case's figures against the known ones. */
import type { Tensor } from "@tensorflow/tfjs-core";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { TensorFlow } from "../../training/runtime/backend.ts";
import { stream } from "../../training/tensor/seeded-stream.ts";
import { fingerprint, gradientCases, type GradientCase } from "./gradient-case.ts";

/** Relative to 1 or the figure, whichever is larger. Cards round products to fewer bits than processors. */
const tolerance = 2e-3;

export type GradientFinding =
  | { readonly type: "broken"; readonly reason: string }
  /** A kernel is missing: who needs it cannot use this backend, others can. */
  | { readonly type: "cannot"; readonly reason: string };

/** What is wrong with it; empty where every case is right. */
export async function checkGradients(
  tf: TensorFlow,
  cases: readonly GradientCase[] = gradientCases,
): Promise<readonly GradientFinding[]> {
  const findings: GradientFinding[] = [];
  for (const one of cases) {
    try {
      const finding = compare(one, await figuresOf(tf, one));
      if (finding !== null) findings.push(finding);
    } catch (error) {
      const why = errorSentence(error);
      findings.push({ type: "cannot", reason: `${one.name} cannot be differentiated: ${why}` });
    }
  }
  return findings;
}

function compare(one: GradientCase, found: readonly number[]): GradientFinding | null {
  const wrong = one.wanted.findIndex((wanted, index) => {
    const off = Math.abs((found[index] ?? Number.NaN) - wanted);
    return !(off <= tolerance * Math.max(1, Math.abs(wanted)));
  });
  if (wrong < 0) return null;
  const figure = (figures: readonly number[]): string => figures[wrong]?.toFixed(4) ?? "nothing";
  return {
    type: "broken",
    reason: `it computes wrongly: the ${wrong === 0 ? "value" : "gradient"} of ${one.name} gives ${figure(found)} and should give ${figure(one.wanted)}`,
  };
}

/** The sum, then two figures of each gradient. */
export async function figuresOf(tf: TensorFlow, one: GradientCase): Promise<readonly number[]> {
  const inputs = caseInputs(one).map((values, index) => tf.tensor(values, [...(one.inputs[index] ?? [])]));
  const { value, grads } = tf.valueAndGrads((...tensors: Tensor[]) => one.sum(tf, tensors))(inputs);
  const figures = [(await value.data())[0] ?? Number.NaN];
  for (const grad of grads) figures.push(...fingerprint(await grad.data()));
  tf.dispose([value, grads, inputs]);
  return figures;
}

/** Numbers between -1 and 1, the same everywhere. */
export function caseInputs(one: GradientCase): readonly Float32Array[] {
  return one.inputs.map((shape, index) => {
    const random = stream(index + 1, one.name, 0);
    const length = shape.reduce((product, size) => product * size, 1);
    return Float32Array.from({ length }, () => random.next() * 2 - 1);
  });
}
