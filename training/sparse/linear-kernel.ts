/**
 * Linear scores of an example's rows and one AdaGrad step (Duchi et al. 2011), as a WebAssembly kernel for so
 * many vectors of labels. The accumulator is one number per row rather than per weight. Two options: rows scaled
 * by given ratios (NB-SVM, Wang and Manning 2012), and which loss is descended.
 */
import { doubleBytes, logLossCode, oneWhere } from "./example-code.ts";
import { doubleAt, eachLabel, numberAt } from "./label-code.ts";
import {
  forwardCode,
  ratioOf,
  tableParameters,
  type LinearKernelOptions,
  type Tables,
} from "./linear-forward.ts";
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
  type Local,
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
  const [at, index] = [write.variable("i32"), write.variable("i32")];
  const learning: Learning = {
    ...forward,
    vectors: options.vectors,
    tables,
    labels,
    scratch,
    truth: write.variable("i32"),
    label: write.variable("i32"),
    rate: write.variable("f32"),
    weight: write.variable("f32"),
    square: write.variable("f32"),
    step: write.variable("f32"),
  };
  const { label, rate, truth, weight } = learning;
  const total = write.variable("f64");
  const logistic = options.loss === "logistic";
  const gradients = logistic ? logisticGradient(write, learning) : hingeGradient(write, learning);
  const toGradients = eachLabel(label, labels, () => gradients);
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
        logistic ? forward.probabilities : toGradients,
        logistic ? toGradients : forward.probabilities,
        total.set(f64.add(total.get, logLossCode(doubleAt(forward.scores, truth.get)))),
        learnBias(learning),
        learnRows(write, learning),
      ),
    ),
    total.get,
  );
  return write;
}

/** What one step reads and writes. */
interface Learning extends ReturnType<typeof forwardCode> {
  readonly vectors: number;
  readonly tables: Tables;
  readonly labels: Local;
  /** Its first vectors are the gradient by each label's score. */
  readonly scratch: Local;
  readonly truth: Local;
  readonly label: Local;
  readonly rate: Local;
  /** Of the true label. */
  readonly weight: Local;
  /** Sum of the gradient's squares. */
  readonly square: Local;
  readonly step: Local;
}

/** Address of the gradient by the score of `label`. */
function gradientAt({ label, scratch }: Learning): Code {
  return numberAt(scratch.get, label.get);
}

/** Probability, less 1 for the true label. */
function logisticGradient(write: FunctionCode, learning: Learning): Code {
  const { label, scores, truth, weight } = learning;
  const hit = write.variable("f32");
  const probability = f32.fromF64(f64.load(doubleAt(scores, label.get)));
  return block(
    oneWhere(i32.equal(label.get, truth.get), hit),
    f32.store(gradientAt(learning), f32.mul(weight.get, f32.sub(probability, hit.get))),
  );
}

/** Half the squared hinge's gradient: -y max(0, 1 - y score), y 1 for the true label and -1 for others. */
function hingeGradient(write: FunctionCode, learning: Learning): Code {
  const { label, scores, truth, weight } = learning;
  const sign = write.variable("f32");
  const score = f32.fromF64(f64.load(doubleAt(scores, label.get)));
  return block(
    sign.set(f32.const(-1)),
    when(i32.equal(label.get, truth.get), sign.set(f32.const(1))),
    f32.store(
      gradientAt(learning),
      f32.mul(
        f32.sub(f32.const(0), f32.mul(weight.get, sign.get)),
        f32.max(f32.const(0), f32.sub(f32.const(1), f32.mul(sign.get, score))),
      ),
    ),
  );
}

/** AdaGrad's: the rate over the root of what the squares add up to. */
function stepFor({ rate }: Learning, accumulator: Code): Code {
  return f32.div(rate.get, f32.sqrt(f32.add(accumulator, f32.const(accumulatorMin))));
}

/** Sums the gradient's squares, and moves the bias. */
function learnBias(learning: Learning): Code {
  const { label, labels, square, step, tables } = learning;
  const gradient = gradientAt(learning);
  const accumulator = tables.biasAccumulator.get;
  return block(
    square.set(f32.const(0)),
    eachLabel(label, labels, () =>
      square.set(f32.add(square.get, f32.mul(f32.load(gradient), f32.load(gradient)))),
    ),
    f32.store(accumulator, f32.add(f32.load(accumulator), square.get)),
    step.set(stepFor(learning, f32.load(accumulator))),
    eachLabel(label, labels, (at) =>
      f32.store(
        numberAt(tables.bias.get, at),
        f32.sub(f32.load(numberAt(tables.bias.get, at)), f32.mul(step.get, f32.load(gradient))),
      ),
    ),
  );
}

/** Moves and shrinks the weights of the example's rows. */
function learnRows(write: FunctionCode, learning: Learning): Code {
  const { example, ratioRow, row, scale, scratch, square, step, tables, vectors } = learning;
  const [keep, push] = [write.variable("f32"), write.variable("f32")];
  const change = write.variable("v128");
  const accumulator = write.variable("i32");
  const offsets = Array.from({ length: vectors }, (_, vector) => vector * vectorBytes);
  const gradientOf = (offset: number) =>
    tables.ratios === null
      ? f32x4.load(scratch.get, offset)
      : f32x4.mul(f32x4.load(scratch.get, offset), f32x4.load(ratioRow.get, offset));
  const squares = offsets.reduce<Code>(
    (sum, offset) => f32x4.add(sum, f32x4.mul(gradientOf(offset), gradientOf(offset))),
    f32x4.zero,
  );
  const scaleSquare = f32.mul(scale.get, scale.get);
  const rowSquare =
    tables.ratios === null
      ? f32.mul(square.get, scaleSquare)
      : block(change.set(squares), f32.mul(laneSum(change), scaleSquare));
  return example.each(
    tables.weights.get,
    vectors * vectorBytes,
    row,
    block(
      ratioOf(row, ratioRow, tables),
      accumulator.set(i32.add(tables.accumulators.get, i32.mul(example.row, i32.const(numberBytes)))),
      push.set(f32.add(f32.load(accumulator.get), rowSquare)),
      f32.store(accumulator.get, push.get),
      step.set(stepFor(learning, push.get)),
      keep.set(f32.sub(f32.const(1), f32.mul(step.get, tables.l2.get))),
      push.set(f32.mul(step.get, scale.get)),
      ...offsets.map((offset) =>
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
