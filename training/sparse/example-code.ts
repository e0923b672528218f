/**
 * What the sparse kernels share: how they walk through examples, and softmax. An example is the row numbers
 * `rows[offsets[i] .. offsets[i + 1])`; all addresses are in bytes, all numbers but probabilities single precision.
 */
import {
  block,
  f32,
  f32x4,
  f64,
  i32,
  loop,
  numberBytes,
  vectorBytes,
  when,
  type Code,
  type Local,
} from "./wasm-code.ts";
import { exp, log, type FunctionCode } from "./wasm-module.ts";

export const doubleBytes = 8;
/** So many vectors of a row are summed at a time: as many as fit in registers. */
const blockVectors = 8;

/** Byte offsets of a row's vectors, in blocks. */
export function vectorBlocks(vectors: number): readonly (readonly number[])[] {
  return Array.from({ length: Math.ceil(vectors / blockVectors) }, (_, at) =>
    Array.from(
      { length: Math.min(blockVectors, vectors - at * blockVectors) },
      (__, index) => (at * blockVectors + index) * vectorBytes,
    ),
  );
}

/** One example of the data, after `of` has found it. */
export interface ExampleCode {
  /** Addresses of its first row number and of the end of them. */
  readonly from: Local;
  readonly to: Local;
  /** Sets both for the example with this index. */
  of(example: Code): Code;
  /** How many rows it has, as f32. */
  readonly size: Code;
  /** Number of the row that `each` is at. */
  readonly row: Code;
  /** Runs `body` for each row, with `row` as the address of the row's numbers. */
  each(table: Code, rowBytes: number, row: Local, body: Code): Code;
}

export function exampleCode(write: FunctionCode, offsets: Local, rows: Local): ExampleCode {
  const [from, to, at] = [write.variable("i32"), write.variable("i32"), write.variable("i32")];
  const address = (index: Code, offset: number) =>
    i32.add(
      rows.get,
      i32.mul(
        i32.load(i32.add(offsets.get, i32.mul(index, i32.const(numberBytes))), offset),
        i32.const(numberBytes),
      ),
    );
  return {
    from,
    to,
    of: (example) => block(from.set(address(example, 0)), to.set(address(example, numberBytes))),
    size: f32.div(f32.fromI32(i32.sub(to.get, from.get)), f32.const(numberBytes)),
    row: i32.load(at.get),
    each: (table, rowBytes, row, body) =>
      loop(
        at,
        from.get,
        to.get,
        i32.const(numberBytes),
        block(row.set(i32.add(table, i32.mul(i32.load(at.get), i32.const(rowBytes)))), body),
      ),
  };
}

/** Sums a table's rows of the example into `into`, times `scale`. `sums` are as many vectors as a block has. */
export function sumRows(
  example: ExampleCode,
  vectors: number,
  sums: readonly Local[],
  row: Local,
  table: Code,
  into: Code,
  scale: Local,
): Code {
  return vectorBlocks(vectors).flatMap((offsets) => {
    const parts = offsets.map((offset, at) => ({ offset, sum: sums[at] ?? row }));
    return block(
      ...parts.map(({ sum }) => sum.set(f32x4.zero)),
      example.each(
        table,
        vectors * vectorBytes,
        row,
        block(...parts.map(({ sum, offset }) => sum.set(f32x4.add(sum.get, f32x4.load(row.get, offset))))),
      ),
      ...parts.map(({ sum, offset }) =>
        f32x4.store(into, f32x4.mul(sum.get, f32x4.splat(scale.get)), offset),
      ),
    );
  });
}

/** Variables for a block's sums. */
export function blockSums(write: FunctionCode, vectors: number): readonly Local[] {
  return write.variables("v128", Math.min(blockVectors, vectors));
}

/** Turns `labels` doubles at `scores` into probabilities; subtracts the largest first, so that nothing overflows. */
export function softmaxCode(write: FunctionCode): (scores: Code, labels: Local) => Code {
  const [at, end] = [write.variable("i32"), write.variable("i32")];
  const [largest, sum, value] = [write.variable("f64"), write.variable("f64"), write.variable("f64")];
  return (scores, labels) => {
    const each = (body: Code) => loop(at, scores, end.get, i32.const(doubleBytes), body);
    return block(
      end.set(i32.add(scores, i32.mul(labels.get, i32.const(doubleBytes)))),
      largest.set(f64.const(-Infinity)),
      each(largest.set(f64.max(largest.get, f64.load(at.get)))),
      sum.set(f64.const(0)),
      each(
        block(
          value.set(exp(f64.sub(f64.load(at.get), largest.get))),
          f64.store(at.get, value.get),
          sum.set(f64.add(sum.get, value.get)),
        ),
      ),
      each(f64.store(at.get, f64.div(f64.load(at.get), sum.get))),
    );
  };
}

/** -ln of the probability at this address, never infinite; NaN stays NaN. */
export function logLossCode(probability: Code): Code {
  return f64.sub(f64.const(0), log(f64.max(f64.load(probability), f64.const(Number.MIN_VALUE))));
}

/** Statement: 1 into `into` where the addresses are the same, else 0. */
export function oneWhere(same: Code, into: Local): Code {
  return block(into.set(f32.const(0)), when(same, into.set(f32.const(1))));
}
