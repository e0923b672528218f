/**
 * WebAssembly instructions as expressions in TypeScript: each function gives the bytes of one expression or
 * statement, so that a kernel reads like the program it is. Only what the sparse kernels use; nothing is checked
 * here, the engine validates the module. https://webassembly.github.io/spec/core/binary/instructions.html
 */
export type Code = readonly number[];
export type ValueType = "i32" | "f32" | "f64" | "v128";

export const typeByte: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };
/** Bytes and numbers in one vector register. */
export const vectorBytes = 16;
export const vectorLanes = 4;
export const numberBytes = 4;

const simdPrefix = 0xfd;
const blockOfNothing = 0x40;
/** Alignment hints are logarithms: 4 bytes everywhere, as nothing is promised of rows. */
const align = 2;
const alignDouble = 3;

export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

/** A parameter or variable of a function. */
export interface Local {
  readonly type: ValueType;
  readonly get: Code;
  /** Statement: the value goes in. */
  set(value: Code): Code;
}

export function localOf(index: number, type: ValueType): Local {
  return {
    type,
    get: [0x20, ...unsigned(index)],
    set: (value) => [...value, 0x21, ...unsigned(index)],
  };
}

const binary =
  (...opcode: number[]) =>
  (left: Code, right: Code): Code => [...left, ...right, ...opcode];
const unary =
  (...opcode: number[]) =>
  (value: Code): Code => [...value, ...opcode];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  equal: binary(0x46),
  below: binary(0x49),
  load: (at: Code, offset = 0): Code => [...at, 0x28, align, ...unsigned(offset)],
};

export const f32 = {
  const: (value: number): Code => [0x43, ...new Uint8Array(Float32Array.of(value).buffer)],
  add: binary(0x92),
  sub: binary(0x93),
  mul: binary(0x94),
  div: binary(0x95),
  max: binary(0x97),
  sqrt: unary(0x91),
  fromI32: unary(0xb2),
  fromF64: unary(0xb6),
  load: (at: Code, offset = 0): Code => [...at, 0x2a, align, ...unsigned(offset)],
  store: (at: Code, value: Code, offset = 0): Code => [...at, ...value, 0x38, align, ...unsigned(offset)],
};

export const f64 = {
  const: (value: number): Code => [0x44, ...new Uint8Array(Float64Array.of(value).buffer)],
  add: binary(0xa0),
  sub: binary(0xa1),
  mul: binary(0xa2),
  div: binary(0xa3),
  min: binary(0xa4),
  max: binary(0xa5),
  fromF32: unary(0xbb),
  load: (at: Code, offset = 0): Code => [...at, 0x2b, alignDouble, ...unsigned(offset)],
  store: (at: Code, value: Code, offset = 0): Code => [
    ...at,
    ...value,
    0x39,
    alignDouble,
    ...unsigned(offset),
  ],
};

/** Four single-precision numbers at once. */
export const f32x4 = {
  zero: [simdPrefix, 0x0c, ...Array.from({ length: vectorBytes }, () => 0)] as Code,
  load: (at: Code, offset = 0): Code => [...at, simdPrefix, 0x00, align, ...unsigned(offset)],
  store: (at: Code, value: Code, offset = 0): Code => [
    ...at,
    ...value,
    simdPrefix,
    0x0b,
    align,
    ...unsigned(offset),
  ],
  splat: unary(simdPrefix, 0x13),
  lane: (value: Code, lane: number): Code => [...value, simdPrefix, 0x1f, lane],
  add: binary(simdPrefix, 0xe4, 0x01),
  sub: binary(simdPrefix, 0xe5, 0x01),
  mul: binary(simdPrefix, 0xe6, 0x01),
};

/** Sum of a vector's four numbers, always in the same order. */
export function laneSum(vector: Local): Code {
  const [a, b, c, d] = [0, 1, 2, 3].map((lane) => f32x4.lane(vector.get, lane));
  return f32.add(f32.add(a ?? [], b ?? []), f32.add(c ?? [], d ?? []));
}

export function block(...statements: Code[]): Code {
  return statements.flat();
}

export function call(index: number, ...values: Code[]): Code {
  return [...values.flat(), 0x10, ...unsigned(index)];
}

export function when(condition: Code, then: Code, otherwise: Code = []): Code {
  const tail = otherwise.length === 0 ? [] : [0x05, ...otherwise];
  return [...condition, 0x04, blockOfNothing, ...then, ...tail, 0x0b];
}

/** `for (at = from; at < to; at += step)`, as unsigned numbers; `to` is read in each round. */
export function loop(at: Local, from: Code, to: Code, step: Code, body: Code): Code {
  const more = i32.below(at.get, to);
  const round = [...body, ...at.set(i32.add(at.get, step)), ...more, 0x0d, ...unsigned(0)];
  return block(at.set(from), when(more, [0x03, blockOfNothing, ...round, 0x0b]));
}
