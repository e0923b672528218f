/** Walks through the labels of an example: addresses of their numbers, and the squared hinge's probabilities. */
import { doubleBytes } from "./example-code.ts";
import { block, f64, i32, loop, numberBytes, type Code, type Local } from "./wasm-code.ts";
import { exp, type FunctionCode } from "./wasm-module.ts";

/** Below this score the squared hinge's probability, (1 + score) / 2, falls as an exponential, never to 0. */
export const hingeBend = -0.9;

/**
 * Squared hinge: its best score is 2 × probability - 1 (Zhang 2004), so (1 + score) / 2 is the probability, bent so
 * that it stays above 0, and divided by the labels' sum.
 */
export function hingeProbabilities(write: FunctionCode): (scores: Code, labels: Local) => Code {
  const [label, score, sum] = [write.variable("i32"), write.variable("f64"), write.variable("f64")];
  const bend = f64.const(hingeBend);
  return (scores, labels) =>
    block(
      sum.set(f64.const(0)),
      eachLabel(label, labels, (at) =>
        block(
          score.set(f64.load(doubleAt(scores, at))),
          // Above the bend (1 + score) / 2, below it the exponential that touches it there.
          score.set(
            f64.mul(
              f64.const((1 + hingeBend) / 2),
              f64.add(
                exp(f64.min(f64.const(0), f64.div(f64.sub(score.get, bend), f64.const(1 + hingeBend)))),
                f64.div(f64.max(f64.const(0), f64.sub(score.get, bend)), f64.const(1 + hingeBend)),
              ),
            ),
          ),
          f64.store(doubleAt(scores, at), score.get),
          sum.set(f64.add(sum.get, score.get)),
        ),
      ),
      eachLabel(label, labels, (at) =>
        f64.store(doubleAt(scores, at), f64.div(f64.load(doubleAt(scores, at)), sum.get)),
      ),
    );
}

export function eachLabel(label: Local, labels: Local, body: (at: Code) => Code): Code {
  return loop(label, i32.const(0), labels.get, i32.const(1), body(label.get));
}

export function numberAt(base: Code, index: Code): Code {
  return i32.add(base, i32.mul(index, i32.const(numberBytes)));
}

export function doubleAt(base: Code, index: Code): Code {
  return i32.add(base, i32.mul(index, i32.const(doubleBytes)));
}
