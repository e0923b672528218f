/**
 * MODEL-RUN-1. What an ONNX file says of itself, as far as it has to be known before an engine is given it (github.com/onnx/onnx, onnx/onnx.proto): whose
 * operators it uses, which other files it reads, and what its classes are called. It computes nothing and believes no length.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { WireError, wireFields } from "./wire-field.ts";

export interface OnnxFacts {
  /** Operators of domains that are not ONNX's or its runtime's, as `domain:Name`. */
  readonly foreign: readonly string[];
  /** Paths of files with weights, as they are written. */
  readonly external: readonly string[];
  /** Of a classifier: its classes in the order of their probabilities; null where none are named. */
  readonly classes: readonly string[] | null;
  /** Outputs that are a list of maps, each with the value that the maps are made of. */
  readonly zipMaps: readonly ZipMap[];
  /** `metadata_props`. */
  readonly metadata: ReadonlyMap<string, string>;
}

export interface ZipMap {
  readonly input: string;
  readonly output: string;
}

/** Domains whose operators ONNX Runtime brings along. */
const knownDomains: readonly string[] = ["", "ai.onnx", "ai.onnx.ml", "com.microsoft"];
/** Graphs within graphs, as branches and loops have them. */
const depthMax = 32;
const namedMax = 100_000;

export function readOnnx(bytes: Uint8Array): Outcome<OnnxFacts> {
  try {
    return new OnnxReader().read(bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return refuse("invalid", `it is damaged, or no ONNX model: ${error.message}`);
  }
}

class OnnxReader {
  readonly #foreign = new Set<string>();
  readonly #external = new Set<string>();
  readonly #metadata = new Map<string, string>();
  readonly #zipMaps: ZipMap[] = [];
  readonly #own = new Set<string>();
  #classes: readonly string[] | null = null;

  read(bytes: Uint8Array): Outcome<OnnxFacts> {
    let hasGraph = false;
    for (const { bytes: inner, field } of wireFields(bytes)) {
      if (inner === null) continue;
      if (field === 7) {
        hasGraph = true;
        this.#graph(inner, 0);
      } else if (field === 14) {
        const [key, value] = entryOf(inner);
        this.#metadata.set(key, value);
      } else if (field === 25) this.#function(inner);
    }
    if (!hasGraph) return refuse("invalid", "it is damaged, or no ONNX model: it has no graph");
    return accept({
      foreign: [...this.#foreign].filter((name) => !this.#own.has(name)),
      external: [...this.#external],
      classes: this.#classes,
      zipMaps: this.#zipMaps,
      metadata: this.#metadata,
    });
  }

  /** A function of the model's own, by which an operator of a domain of its own is known. */
  #function(message: Uint8Array): void {
    let [name, domain] = ["", ""];
    for (const { bytes, field } of wireFields(message)) {
      if (bytes === null) continue;
      if (field === 1) name = textOf(bytes);
      else if (field === 10) domain = textOf(bytes);
      else if (field === 7) this.#node(bytes, 1);
    }
    this.#own.add(`${domain}:${name}`);
  }

  #graph(message: Uint8Array, depth: number): void {
    if (depth > depthMax) throw new WireError("its graphs are nested too deep");
    for (const { bytes, field } of wireFields(message)) {
      if (bytes === null) continue;
      if (field === 1) this.#node(bytes, depth);
      else if (field === 5) this.#tensor(bytes);
      else if (field === 15) this.#sparse(bytes);
      // An output is looked at again where maps are taken out, and has to be whole by then.
      else if (field === 12) entryOf(bytes);
    }
  }

  #node(message: Uint8Array, depth: number): void {
    let [operator, domain] = ["", ""];
    let input: string | null = null;
    let output: string | null = null;
    for (const { bytes, field } of wireFields(message)) {
      if (bytes === null) continue;
      if (field === 1) input ??= textOf(bytes);
      else if (field === 2) output ??= textOf(bytes);
      else if (field === 4) operator = textOf(bytes);
      else if (field === 7) domain = textOf(bytes);
      else if (field === 5) this.#attribute(bytes, depth);
    }
    if (!knownDomains.includes(domain) && this.#foreign.size < namedMax)
      this.#foreign.add(`${domain}:${operator}`);
    if (operator === "ZipMap" && depth === 0 && input !== null && output !== null)
      this.#zipMaps.push({ input, output });
  }

  #attribute(message: Uint8Array, depth: number): void {
    let name = "";
    const labels: string[] = [];
    for (const { bytes, field, value } of wireFields(message)) {
      if (field === 1 && bytes !== null) name = textOf(bytes);
      else if (bytes === null) {
        if (field === 8 && value !== null) labels.push(String(value));
      } else if (field === 5 || field === 10) this.#tensor(bytes);
      else if (field === 22 || field === 23) this.#sparse(bytes);
      else if (field === 6 || field === 11) this.#graph(bytes, depth + 1);
      else if (field === 9) labels.push(textOf(bytes));
      // Packed, as other writers than Python's may have them.
      else if (field === 8) labels.push(...packedNumbers(bytes));
    }
    // Classifiers say `classlabels_ints` and `classlabels_strings`, ZipMap `classlabels_int64s` too.
    if (name.startsWith("classlabels_") && labels.length > 0) this.#classes = labels;
  }

  #sparse(message: Uint8Array): void {
    for (const { bytes, field } of wireFields(message))
      if (bytes !== null && (field === 1 || field === 2)) this.#tensor(bytes);
  }

  #tensor(message: Uint8Array): void {
    for (const { bytes, field } of wireFields(message)) {
      if (field !== 13 || bytes === null) continue;
      const [key, value] = entryOf(bytes);
      if (key === "location" && this.#external.size < namedMax) this.#external.add(value);
    }
  }
}

/** A StringStringEntryProto. */
function entryOf(message: Uint8Array): readonly [string, string] {
  let [key, value] = ["", ""];
  for (const { bytes, field } of wireFields(message)) {
    if (field === 1 && bytes !== null) key = textOf(bytes);
    else if (field === 2 && bytes !== null) value = textOf(bytes);
  }
  return [key, value];
}

function packedNumbers(bytes: Uint8Array): readonly string[] {
  const numbers: string[] = [];
  let [value, shift] = [0n, 0n];
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (shift > 70n) throw new WireError("a number has no end");
    if (byte >= 0x80) continue;
    numbers.push(String(BigInt.asIntN(64, value)));
    [value, shift] = [0n, 0n];
  }
  if (shift > 0n) throw new WireError("a number is cut off");
  return numbers;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
