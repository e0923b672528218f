/** From an example's rows to its labels' scores and probabilities: the part that learning and predicting share. */
import { blockSums, exampleCode, softmaxCode, vectorBlocks, type ExampleCode } from "./example-code.ts";
import { doubleAt, eachLabel, hingeProbabilities, numberAt } from "./label-code.ts";
import { block, f32, f32x4, f64, i32, vectorBytes, when, type Code, type Local } from "./wasm-code.ts";
import type { FunctionCode } from "./wasm-module.ts";

export interface LinearKernelOptions {
  readonly vectors: number;
  /** Whether a tensor `ratios` scales the rows, and scores mix weights with their mean magnitude. */
  readonly ratios: boolean;
  readonly loss: "logistic" | "squared-hinge";
  /** Whether several threads share the memory. */
  readonly shared: boolean;
}

export interface Tables {
  readonly weights: Local;
  readonly bias: Local;
  readonly accumulators: Local;
  readonly biasAccumulator: Local;
  readonly ratios: Local | null;
  /** Mean magnitude of each label's weights, times one less `mix`. */
  readonly means: Local | null;
  readonly l2: Local;
  readonly mix: Local;
}

export function tableParameters(write: FunctionCode, { ratios }: LinearKernelOptions): Tables {
  const address = () => write.parameter("i32");
  const [weights, bias, accumulators, biasAccumulator] = [address(), address(), address(), address()];
  const [ratio, mean] = ratios ? [address(), address()] : [null, null];
  const [l2, mix] = [write.parameter("f32"), write.parameter("f32")];
  return { weights, bias, accumulators, biasAccumulator, ratios: ratio, means: mean, l2, mix };
}

interface Forward {
  readonly example: ExampleCode;
  /** 1 / root of the example's rows, so that its features have unit length; 0 without rows. */
  readonly scale: Local;
  readonly row: Local;
  readonly ratioRow: Local;
  readonly sums: readonly Local[];
  /** Address of the labels' scores, then their probabilities. */
  readonly scores: Code;
  /** From an example's index to its scores; `mixed` as they are for prediction, else as they are learnt. */
  run(index: Code, mixed: boolean): Code;
  /** Turns the scores into probabilities. */
  readonly probabilities: Code;
}

export function forwardCode(
  write: FunctionCode,
  { vectors, loss }: LinearKernelOptions,
  data: { readonly offsets: Local; readonly rows: Local; readonly labels: Local; readonly scratch: Local },
  tables: Tables,
): Forward {
  const { labels, scratch } = data;
  const example = exampleCode(write, data.offsets, data.rows);
  const scale = write.variable("f32");
  const [row, ratioRow, label] = [write.variable("i32"), write.variable("i32"), write.variable("i32")];
  const sums = blockSums(write, vectors);
  const ratioSums = blockSums(write, vectors);
  const scores = i32.add(scratch.get, i32.const(2 * vectors * vectorBytes));
  const rowBytes = vectors * vectorBytes;
  const softmax = softmaxCode(write);
  const normalise = hingeProbabilities(write);
  const blocks = (mixed: boolean): Code =>
    vectorBlocks(vectors).flatMap((offsets) => {
      const parts = offsets.map((offset, at) => ({
        offset,
        sum: sums[at] ?? scale,
        ratioSum: ratioSums[at] ?? scale,
      }));
      const { ratios, means } = tables;
      const addRow = parts.map(({ offset, sum, ratioSum }) => {
        const weight = f32x4.load(row.get, offset);
        if (ratios === null) return sum.set(f32x4.add(sum.get, weight));
        const ratio = f32x4.load(ratioRow.get, offset);
        return block(
          sum.set(f32x4.add(sum.get, f32x4.mul(weight, ratio))),
          mixed ? ratioSum.set(f32x4.add(ratioSum.get, ratio)) : [],
        );
      });
      const whole = parts.map(({ offset, sum, ratioSum }) => {
        const learnt =
          means === null || !mixed
            ? sum.get
            : f32x4.add(
                f32x4.mul(sum.get, f32x4.splat(tables.mix.get)),
                f32x4.mul(ratioSum.get, f32x4.load(means.get, offset)),
              );
        const value = f32x4.add(
          f32x4.mul(learnt, f32x4.splat(scale.get)),
          f32x4.load(tables.bias.get, offset),
        );
        return f32x4.store(scratch.get, value, offset);
      });
      return block(
        ...parts.flatMap(({ sum, ratioSum }) => [sum.set(f32x4.zero), ratioSum.set(f32x4.zero)]),
        example.each(tables.weights.get, rowBytes, row, block(ratioOf(row, ratioRow, tables), ...addRow)),
        ...whole,
      );
    });
  const run = (index: Code, mixed: boolean) =>
    block(
      example.of(index),
      scale.set(f32.const(0)),
      when(
        i32.below(example.from.get, example.to.get),
        scale.set(f32.div(f32.const(1), f32.sqrt(example.size))),
      ),
      blocks(mixed),
      eachLabel(label, labels, (at) =>
        f64.store(doubleAt(scores, at), f64.fromF32(f32.load(numberAt(scratch.get, at)))),
      ),
    );
  const probabilities = loss === "logistic" ? softmax(scores, labels) : normalise(scores, labels);
  return { example, scale, row, ratioRow, sums, scores, run, probabilities };
}

/** The address of a row's ratios, which stand as its weights do. */
export function ratioOf(row: Local, ratioRow: Local, { ratios, weights }: Tables): Code {
  return ratios === null ? [] : ratioRow.set(i32.add(ratios.get, i32.sub(row.get, weights.get)));
}
