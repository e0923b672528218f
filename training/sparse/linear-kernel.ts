/**
 * Linear scores of an example's rows and one AdaGrad step (Duchi et al. 2011), as a WebAssembly kernel for so
 * many vectors of labels. The accumulator is one number per row rather than per weight. Two options: rows scaled
 * by given ratios (NB-SVM, Wang and Manning 2012), and which loss is descended.
 */
import { doubleBytes, logLossCode, oneWhere } from "./example-code.ts";
import { doubleAt, eachLabel, numberAt } from "./label-code.ts";
import { forwardCode, ratioOf, tableParameters, type LinearKernelOptions } from "./linear-forward.ts";
import {
  block,
  f32,
  f32x4,
  f64,
  i32,
  laneSum,
  loop,
  numberBytes,
  vectorBytes,
  when,
  type Code,
} from "./wasm-code.ts";
import { compile, FunctionCode, type WasmModule } from "./wasm-module.ts";

/** Added to accumulators, so that the first step is finite. */
const accumulatorMin = 1e-8;
/** Bytes of scratch space: a vector of labels' single-precision numbers, their mean magnitudes, their scores. */
export function linearScratchBytes(vectors: number, labels: number): number {
  return 2 * vectors * vectorBytes + labels * doubleBytes;
}

const modules = new Map<string, WasmModule>();

/**
 * Exports `learn` and `score` as `sparse-engine.ts` calls them, with the tensors `weights` [rows, labels],
 * `bias` [1, labels], `accumulators` [rows, 1], `biasAccumulator` [1, 1], with ratios also `ratios` [rows, labels] and
 * `means` [1, labels]; and the numbers `l2` and `mix`.
 */
export function linearModule(options: LinearKernelOptions): WasmModule {
  const key = JSON.stringify(options);
  const found = modules.get(key);
  if (found !== undefined) return found;
  const made = compile([learnFunction(options), scoreFunction(options)], options.shared);
  modules.set(key, made);
  return made;
}

function learnFunction(options: LinearKernelOptions): FunctionCode {
  const { vectors, loss } = options;
  const write = new FunctionCode("learn", "f64");
  const address = () => write.parameter("i32");
  const [order, count, offsets, rows] = [address(), address(), address(), address()];
  const [truths, rates, labelWeights, labels, scratch] = [
    address(),
    address(),
    address(),
    address(),
    address(),
  ];
  const tables = tableParameters(write, options);
  const forward = forwardCode(write, options, { offsets, rows, labels, scratch }, tables);
  const { example, scale, row, scores } = forward;
  const [at, index, truth, label] = [
    write.variable("i32"),
    write.variable("i32"),
    write.variable("i32"),
    write.variable("i32"),
  ];
  const [rate, weight, hit] = [write.variable("f32"), write.variable("f32"), write.variable("f32")];
  const [square, step, keep, push] = [
    write.variable("f32"),
    write.variable("f32"),
    write.variable("f32"),
    write.variable("f32"),
  ];
  const total = write.variable("f64");
  const change = write.variable("v128");
  const gradient = numberAt(scratch.get, label.get);
  const gradients =
    loss === "logistic"
      ? block(
          oneWhere(i32.equal(label.get, truth.get), hit),
          f32.store(
            gradient,
            f32.mul(weight.get, f32.sub(f32.fromF64(f64.load(doubleAt(scores, label.get))), hit.get)),
          ),
        )
      : // Half the squared hinge's gradient: -y max(0, 1 - y score), y 1 for the true label and -1 for others.
        block(
          hit.set(f32.const(-1)),
          when(i32.equal(label.get, truth.get), hit.set(f32.const(1))),
          f32.store(
            gradient,
            f32.mul(
              f32.sub(f32.const(0), f32.mul(weight.get, hit.get)),
              f32.max(
                f32.const(0),
                f32.sub(f32.const(1), f32.mul(hit.get, f32.fromF64(f64.load(doubleAt(scores, label.get))))),
              ),
            ),
          ),
        );
  const rateOf = (accumulator: Code) =>
    f32.div(rate.get, f32.sqrt(f32.add(accumulator, f32.const(accumulatorMin))));
  const learnBias = block(
    square.set(f32.const(0)),
    eachLabel(label, labels, () =>
      square.set(f32.add(square.get, f32.mul(f32.load(gradient), f32.load(gradient)))),
    ),
    f32.store(tables.biasAccumulator.get, f32.add(f32.load(tables.biasAccumulator.get), square.get)),
    step.set(rateOf(f32.load(tables.biasAccumulator.get))),
    eachLabel(label, labels, () =>
      f32.store(
        numberAt(tables.bias.get, label.get),
        f32.sub(f32.load(numberAt(tables.bias.get, label.get)), f32.mul(step.get, f32.load(gradient))),
      ),
    ),
  );
  const offsetsOfRow = Array.from({ length: vectors }, (_, vector) => vector * vectorBytes);
  const gradientOf = (offset: number) =>
    tables.ratios === null
      ? f32x4.load(scratch.get, offset)
      : f32x4.mul(f32x4.load(scratch.get, offset), f32x4.load(forward.ratioRow.get, offset));
  const rowSquare =
    tables.ratios === null
      ? f32.mul(square.get, f32.mul(scale.get, scale.get))
      : block(
          change.set(
            offsetsOfRow.reduce<Code>(
              (sum, offset) => f32x4.add(sum, f32x4.mul(gradientOf(offset), gradientOf(offset))),
              f32x4.zero,
            ),
          ),
          f32.mul(laneSum(change), f32.mul(scale.get, scale.get)),
        );
  const accumulator = write.variable("i32");
  const learnRows = example.each(
    tables.weights.get,
    vectors * vectorBytes,
    row,
    block(
      ratioOf(row, forward.ratioRow, tables),
      accumulator.set(i32.add(tables.accumulators.get, i32.mul(example.row, i32.const(numberBytes)))),
      push.set(f32.add(f32.load(accumulator.get), rowSquare)),
      f32.store(accumulator.get, push.get),
      step.set(rateOf(push.get)),
      keep.set(f32.sub(f32.const(1), f32.mul(step.get, tables.l2.get))),
      push.set(f32.mul(step.get, scale.get)),
      ...offsetsOfRow.map((offset) =>
        f32x4.store(
          row.get,
          f32x4.sub(
            f32x4.mul(f32x4.load(row.get, offset), f32x4.splat(keep.get)),
            f32x4.mul(f32x4.splat(push.get), gradientOf(offset)),
          ),
          offset,
        ),
      ),
    ),
  );
  write.body = block(
    loop(
      at,
      i32.const(0),
      count.get,
      i32.const(1),
      block(
        index.set(i32.load(numberAt(order.get, at.get))),
        truth.set(i32.load(numberAt(truths.get, index.get))),
        rate.set(f32.load(numberAt(rates.get, at.get))),
        weight.set(f32.load(numberAt(labelWeights.get, truth.get))),
        forward.run(index.get, false),
        // The hinge descends from scores, the logistic loss from probabilities.
        loss === "logistic" ? forward.probabilities : eachLabel(label, labels, () => gradients),
        loss === "logistic" ? eachLabel(label, labels, () => gradients) : forward.probabilities,
        total.set(f64.add(total.get, logLossCode(doubleAt(scores, truth.get)))),
        learnBias,
        learnRows,
      ),
    ),
    total.get,
  );
  return write;
}

function scoreFunction(options: LinearKernelOptions): FunctionCode {
  const write = new FunctionCode("score", "f64");
  const address = () => write.parameter("i32");
  const [count, offsets, rows, out] = [address(), address(), address(), address()];
  const [labels, scratch] = [address(), address()];
  const tables = tableParameters(write, options);
  const forward = forwardCode(write, options, { offsets, rows, labels, scratch }, tables);
  const [at, label] = [write.variable("i32"), write.variable("i32")];
  write.body = block(
    loop(
      at,
      i32.const(0),
      count.get,
      i32.const(1),
      block(
        forward.run(at.get, true),
        forward.probabilities,
        eachLabel(label, labels, (of) =>
          f64.store(doubleAt(out.get, of), f64.load(doubleAt(forward.scores, of))),
        ),
        out.set(i32.add(out.get, i32.mul(labels.get, i32.const(doubleBytes)))),
      ),
    ),
    f64.const(0),
  );
  return write;
}
