/**
 * fastText's supervised step (Joulin et al. 2016) as a WebAssembly kernel for rows of so many vectors:
 * mean of embeddings, one linear layer, softmax, plain SGD, one example after the other.
 */
import {
  blockSums,
  doubleBytes,
  exampleCode,
  type ExampleCode,
  logLossCode,
  oneWhere,
  softmaxCode,
  sumRows,
  vectorBlocks,
} from "./example-code.ts";
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

/** Sums of a dot product that do not wait for each other. */
const dotSums = 4;

/** Bytes of scratch space: the hidden layer, its gradient, the labels' scores. */
export function fasttextScratchBytes(vectors: number, labels: number): number {
  return 2 * vectors * vectorBytes + labels * doubleBytes;
}

const modules = new Map<string, WasmModule>();

/**
 * Exports `learn` and `score` as `sparse-engine.ts` calls them, with the tensors `embeddings` [rows, width] and `output` [labels, width].
 */
export function fasttextModule(vectors: number, shared: boolean): WasmModule {
  const key = `${vectors} ${shared}`;
  const found = modules.get(key);
  if (found !== undefined) return found;
  const made = compile([learnFunction(vectors), scoreFunction(vectors)], shared);
  modules.set(key, made);
  return made;
}

function learnFunction(vectors: number): FunctionCode {
  const write = new FunctionCode("learn", "f64");
  const address = () => write.parameter("i32");
  const [order, count, offsets, rows] = [address(), address(), address(), address()];
  const [truths, rates, labelWeights] = [address(), address(), address()];
  const [labels, scratch, embeddings, output] = [address(), address(), address(), address()];
  const forward = forwardCode(write, vectors, { offsets, rows, embeddings, output, labels, scratch });
  const [at, index, truth] = [write.variable("i32"), write.variable("i32"), write.variable("i32")];
  const [label, step, push, hit] = [
    write.variable("i32"),
    write.variable("f32"),
    write.variable("f32"),
    write.variable("f32"),
  ];
  const loss = write.variable("f64");
  const score = scoreAt(forward.scores);
  const outputRow = write.variable("i32");
  const gradient = i32.add(scratch.get, i32.const(vectors * vectorBytes));
  const number = (base: Code, of: Code) => i32.add(base, i32.mul(of, i32.const(numberBytes)));
  write.body = block(
    loop(
      at,
      i32.const(0),
      count.get,
      i32.const(1),
      block(
        index.set(i32.load(number(order.get, at.get))),
        truth.set(i32.load(number(truths.get, index.get))),
        forward.run(index.get),
        loss.set(f64.add(loss.get, logLossCode(score(truth.get)))),
        step.set(f32.mul(f32.load(number(rates.get, at.get)), f32.load(number(labelWeights.get, truth.get)))),
        learnOutput(
          { label, labels, truth, hit, push, step, outputRow, output, scratch },
          vectors,
          gradient,
          score,
        ),
        learnEmbeddings(forward, vectors, gradient, embeddings),
      ),
    ),
    loss.get,
  );
  return write;
}

/** Address of a label's probability. */
function scoreAt(scores: Code): (label: Code) => Code {
  return (label) => i32.add(scores, i32.mul(label, i32.const(doubleBytes)));
}

type OutputLocals = Readonly<
  Record<"label" | "labels" | "truth" | "hit" | "push" | "step" | "outputRow" | "output" | "scratch", Local>
>;

/** Moves the row of every label by the hidden layer, and adds up at `gradient` how that moves the hidden layer. */
function learnOutput(
  { hit, label, labels, output, outputRow, push, scratch, step, truth }: OutputLocals,
  vectors: number,
  gradient: Code,
  score: (label: Code) => Code,
): Code {
  const all = Array.from({ length: vectors }, (_, vector) => vector * vectorBytes);
  return block(
    ...all.map((offset) => f32x4.store(gradient, f32x4.zero, offset)),
    loop(
      label,
      i32.const(0),
      labels.get,
      i32.const(1),
      block(
        oneWhere(i32.equal(label.get, truth.get), hit),
        push.set(f32.mul(step.get, f32.sub(hit.get, f32.fromF64(f64.load(score(label.get)))))),
        outputRow.set(i32.add(output.get, i32.mul(label.get, i32.const(vectors * vectorBytes)))),
        ...all.map((offset) =>
          block(
            f32x4.store(
              gradient,
              f32x4.add(
                f32x4.load(gradient, offset),
                f32x4.mul(f32x4.splat(push.get), f32x4.load(outputRow.get, offset)),
              ),
              offset,
            ),
            f32x4.store(
              outputRow.get,
              f32x4.add(
                f32x4.load(outputRow.get, offset),
                f32x4.mul(f32x4.splat(push.get), f32x4.load(scratch.get, offset)),
              ),
              offset,
            ),
          ),
        ),
      ),
    ),
  );
}

/** Moves the embeddings of the example's rows, each by its share of the gradient. */
function learnEmbeddings(
  { example, row, scale, sums }: Forward,
  vectors: number,
  gradient: Code,
  embeddings: Local,
): Code {
  return vectorBlocks(vectors).flatMap((blockOffsets) => {
    const parts = blockOffsets.map((offset, vector) => ({ offset, change: sums[vector] ?? row }));
    return block(
      ...parts.map(({ offset, change }) =>
        change.set(f32x4.mul(f32x4.load(gradient, offset), f32x4.splat(scale.get))),
      ),
      example.each(
        embeddings.get,
        vectors * vectorBytes,
        row,
        block(
          ...parts.map(({ offset, change }) =>
            f32x4.store(row.get, f32x4.add(f32x4.load(row.get, offset), change.get), offset),
          ),
        ),
      ),
    );
  });
}

function scoreFunction(vectors: number): FunctionCode {
  const write = new FunctionCode("score", "f64");
  const address = () => write.parameter("i32");
  const [count, offsets, rows, out] = [address(), address(), address(), address()];
  const [labels, scratch, embeddings, output] = [address(), address(), address(), address()];
  const forward = forwardCode(write, vectors, { offsets, rows, embeddings, output, labels, scratch });
  const [at, label] = [write.variable("i32"), write.variable("i32")];
  write.body = block(
    loop(
      at,
      i32.const(0),
      count.get,
      i32.const(1),
      block(
        forward.run(at.get),
        loop(
          label,
          i32.const(0),
          i32.mul(labels.get, i32.const(doubleBytes)),
          i32.const(doubleBytes),
          f64.store(i32.add(out.get, label.get), f64.load(i32.add(forward.scores, label.get))),
        ),
        out.set(i32.add(out.get, i32.mul(labels.get, i32.const(doubleBytes)))),
      ),
    ),
    f64.const(0),
  );
  return write;
}

interface Forward {
  readonly example: ExampleCode;
  /** One divided by the example's rows; 0 without rows. */
  readonly scale: Local;
  readonly row: Local;
  readonly sums: readonly Local[];
  /** Address of the labels' probabilities. */
  readonly scores: Code;
  /** From an example's index to the hidden layer at `scratch` and the probabilities. */
  run(index: Code): Code;
}

function forwardCode(
  write: FunctionCode,
  vectors: number,
  parts: Readonly<Record<"offsets" | "rows" | "embeddings" | "output" | "labels" | "scratch", Local>>,
): Forward {
  const { embeddings, output, labels, scratch } = parts;
  const example = exampleCode(write, parts.offsets, parts.rows);
  const [scale, row] = [write.variable("f32"), write.variable("i32")];
  const sums = blockSums(write, vectors);
  const dots = write.variables("v128", dotSums);
  const [dot = row, ...otherDots] = dots;
  const [label, layerRow] = [write.variable("i32"), write.variable("i32")];
  const softmax = softmaxCode(write);
  const scores = i32.add(scratch.get, i32.const(2 * vectors * vectorBytes));
  const product = (offset: number) =>
    f32x4.mul(f32x4.load(layerRow.get, offset), f32x4.load(scratch.get, offset));
  const score = block(
    ...dots.map((sum) => sum.set(f32x4.zero)),
    ...Array.from({ length: vectors }, (_, vector) => {
      const sum = dots[vector % dotSums] ?? dot;
      return sum.set(f32x4.add(sum.get, product(vector * vectorBytes)));
    }),
    ...otherDots.map((sum) => dot.set(f32x4.add(dot.get, sum.get))),
    f64.store(i32.add(scores, i32.mul(label.get, i32.const(doubleBytes))), f64.fromF32(laneSum(dot))),
  );
  const run = (index: Code) =>
    block(
      example.of(index),
      scale.set(f32.const(0)),
      when(i32.below(example.from.get, example.to.get), scale.set(f32.div(f32.const(1), example.size))),
      sumRows(example, vectors, sums, row, embeddings.get, scratch.get, scale),
      loop(
        label,
        i32.const(0),
        labels.get,
        i32.const(1),
        block(layerRow.set(i32.add(output.get, i32.mul(label.get, i32.const(vectors * vectorBytes)))), score),
      ),
      softmax(scores, labels),
    );
  return { example, scale, row, sums, scores, run };
}
