/**
 * A WebAssembly module from functions written with `wasm-code.ts`, and its instances on a memory.
 * Every module here imports one memory and Math's exp and log, and exports functions of numbers.
 * https://webassembly.github.io/spec/core/binary/modules.html
 */
import { call, localOf, typeByte, unsigned, type Code, type Local, type ValueType } from "./wasm-code.ts";

/** What TypeScript's library without a browser does not declare, as far as it is used here. */
export interface WasmMemory {
  readonly buffer: ArrayBufferLike;
  grow(pages: number): number;
}
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum?: number; shared?: boolean }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { env: { memory: WasmMemory; exp: (value: number) => number; log: (value: number) => number } },
  ) => { readonly exports: WasmExports };
};

export type WasmExports = Readonly<Record<string, (...values: number[]) => number>>;
export type WasmModule = object;

export const pageBytes = 2 ** 16;
/** As many as 32-bit addresses reach; what a shared memory has to say it may grow to. */
const pagesMax = 2 ** 16;

const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const importedFunctions = 2;

/** Imported from JavaScript, so that probabilities are Math's. */
export const exp = (value: Code): Code => call(0, value);
export const log = (value: Code): Code => call(1, value);

/** A function while it is written: parameters and variables by name, then its body. */
export class FunctionCode {
  readonly name: string;
  readonly result: ValueType | null;
  body: Code = [];
  readonly #parameters: ValueType[] = [];
  readonly #variables: ValueType[] = [];

  constructor(name: string, result: ValueType | null) {
    this.name = name;
    this.result = result;
  }

  /** All parameters come before the first variable. */
  parameter(type: ValueType): Local {
    if (this.#variables.length > 0) throw new Error(`${this.name}: a parameter after a variable`);
    this.#parameters.push(type);
    return localOf(this.#parameters.length - 1, type);
  }

  variable(type: ValueType): Local {
    this.#variables.push(type);
    return localOf(this.#parameters.length + this.#variables.length - 1, type);
  }

  variables(type: ValueType, count: number): readonly Local[] {
    return Array.from({ length: count }, () => this.variable(type));
  }

  get signature(): Code {
    const results = this.result === null ? [] : [typeByte[this.result]];
    return [
      0x60,
      ...vector(this.#parameters.map((type) => [typeByte[type]])),
      ...vector(results.map((type) => [type])),
    ];
  }

  get code(): Code {
    const declarations = this.#variables.map((type) => [1, typeByte[type]]);
    const whole = [...vector(declarations), ...this.body, 0x0b];
    return [...unsigned(whole.length), ...whole];
  }
}

/** `shared`: for a memory that several threads use. */
export function compile(functions: readonly FunctionCode[], shared: boolean): WasmModule {
  const mathType = [0x60, 1, typeByte.f64, 1, typeByte.f64];
  const limits = shared ? [0x03, ...unsigned(1), ...unsigned(pagesMax)] : [0x00, ...unsigned(1)];
  const imports = [
    [...text("env"), ...text("memory"), 0x02, ...limits],
    [...text("env"), ...text("exp"), 0x00, ...unsigned(0)],
    [...text("env"), ...text("log"), 0x00, ...unsigned(0)],
  ];
  const bytes = [
    ...magicAndVersion,
    ...section(1, vector([mathType, ...functions.map((one) => one.signature)])),
    ...section(2, vector(imports)),
    ...section(3, vector(functions.map((_, index) => unsigned(index + 1)))),
    ...section(
      7,
      vector(
        functions.map((one, index) => [...text(one.name), 0x00, ...unsigned(importedFunctions + index)]),
      ),
    ),
    ...section(10, vector(functions.map((one) => one.code))),
  ];
  return new WebAssembly.Module(Uint8Array.from(bytes));
}

export function instantiate(module: WasmModule, memory: WasmMemory): WasmExports {
  return new WebAssembly.Instance(module, { env: { memory, exp: Math.exp, log: Math.log } }).exports;
}

/** A memory of so many pages of 64 KiB; a RangeError where the machine has not so much. */
export function createMemory(pages: number, shared: boolean): WasmMemory {
  return new WebAssembly.Memory(shared ? { initial: pages, maximum: pagesMax, shared } : { initial: pages });
}

function vector(items: readonly Code[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, content: Code): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function text(value: string): number[] {
  return vector([...new TextEncoder().encode(value)].map((byte) => [byte]));
}
