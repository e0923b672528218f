/**
 * The messages of `inference.GRPCInferenceService`, the Open Inference Protocol over gRPC, by their numbers of fields: what comes becomes what the
 * same request over HTTP is after its JSON was read, and is judged there.
 */
import type { TensorDescription } from "../model/tensor.ts";
import { quoted, turnDown, type Reading } from "../protocol/http-refusal.ts";
import type { SentInfer, SentTensor } from "../protocol/infer-request.ts";
import type { OutputTensor } from "../protocol/infer-answer.ts";
import { WireReader, WireWriter, type WireFault } from "./proto-wire.ts";

export interface NamedVersion {
  readonly name: string;
  /** Empty where none is named. */
  readonly version: string;
}

export interface SentInference extends NamedVersion {
  readonly sent: SentInfer;
  /** The tensors' bytes, one behind the other; null where none were sent. */
  readonly tail: Buffer | null;
}

/** Of a tensor's contents, each in a field of its own type. */
type Contents = unknown[];

export function readNamed(bytes: Buffer): Reading<NamedVersion> {
  const fault: WireFault = { what: null };
  const reader = new WireReader(bytes, fault);
  let [name, version] = ["", ""];
  for (let field = reader.next(); field > 0; field = reader.next()) {
    if (field === 1) name = reader.text();
    else if (field === 2) version = reader.text();
    else reader.skip();
  }
  return wholeOf(fault, { name, version });
}

export function readInference(bytes: Buffer): Reading<SentInference> {
  const fault: WireFault = { what: null };
  const reader = new WireReader(bytes, fault);
  let [name, version, id] = ["", "", ""];
  const parameters: Parameters = {};
  const inputs: SentTensor[] = [];
  const outputs: { name: string; parameters: Parameters }[] = [];
  const raw: Buffer[] = [];
  for (let field = reader.next(); field > 0; field = reader.next()) {
    if (field === 1) name = reader.text();
    else if (field === 2) version = reader.text();
    else if (field === 3) id = reader.text();
    else if (field === 4) readParameter(reader.message(), parameters);
    else if (field === 5) inputs.push(readInput(reader.message()));
    else if (field === 6) outputs.push(readOutput(reader.message()));
    else if (field === 7) raw.push(reader.bytes());
    else reader.skip();
  }
  const shaped = raw.length === 0 ? { ok: true as const, value: inputs } : withRaw(inputs, raw);
  const read = wholeOf(fault, null);
  if (!read.ok) return read;
  if (!shaped.ok) return shaped;
  const sent = {
    ...(id === "" ? {} : { id }),
    // Answers go as bytes, as Triton's do.
    ...{ parameters: { ...parameters, binary_data_output: true } },
    ...{ inputs: shaped.value, outputs },
  };
  return { ok: true, value: { name, version, sent, tail: raw.length === 0 ? null : Buffer.concat(raw) } };
}

function wholeOf<T>(fault: WireFault, value: T): Reading<T> {
  return fault.what === null
    ? { ok: true, value }
    : turnDown(400, `the message is none of the protocol's: it has ${fault.what}`);
}

/** Either all inputs lie in the message's own list of bytes, in their order, or none does. */
function withRaw(inputs: readonly SentTensor[], raw: readonly Buffer[]): Reading<SentTensor[]> {
  const both = inputs.find(({ data }) => data !== undefined);
  if (both !== undefined)
    return turnDown(
      400,
      `the input ${quoted(both.name)} has contents, and there are raw_input_contents; one of them is to be sent`,
    );
  if (raw.length !== inputs.length)
    return turnDown(
      400,
      `there are ${inputs.length} inputs and ${raw.length} raw_input_contents; each input has one, in their order`,
    );
  const sized = inputs.map((input, at) => ({
    ...input,
    parameters: { binary_data_size: raw[at]?.length ?? 0 },
  }));
  return { ok: true, value: sized };
}

type Parameters = Record<string, unknown>;

/** An entry of a map: a key, and a value of one type or another. */
function readParameter(reader: WireReader, into: Parameters): void {
  let key = "";
  let value: unknown;
  for (let field = reader.next(); field > 0; field = reader.next()) {
    if (field === 1) key = reader.text();
    else if (field === 2) value = parameterValue(reader.message());
    else reader.skip();
  }
  Object.defineProperty(into, key, { value, configurable: true, enumerable: true, writable: true });
}

function parameterValue(reader: WireReader): unknown {
  let value: unknown;
  for (let field = reader.next(); field > 0; field = reader.next()) {
    if (field === 1) value = reader.boolean();
    else if (field === 2) value = reader.integer();
    else if (field === 3) value = reader.text();
    else if (field === 4) value = reader.double();
    else if (field === 5) value = reader.unsigned();
    else reader.skip();
  }
  // What is left out is what its type has in place of nothing; which type that was, nobody can tell.
  return value ?? false;
}

function readInput(reader: WireReader): SentTensor {
  let [name, datatype] = ["", ""];
  const shape: number[] = [];
  const parameters: Parameters = {};
  let data: Contents | undefined;
  for (let field = reader.next(); field > 0; field = reader.next()) {
    if (field === 1) name = reader.text();
    else if (field === 2) datatype = reader.text();
    else if (field === 3) reader.repeated(shape, 0, (one) => one.integer());
    else if (field === 4) readParameter(reader.message(), parameters);
    else if (field === 5) data = readContents(reader.message());
    else reader.skip();
  }
  return { name, datatype, shape, ...(data === undefined ? {} : { data }) };
}

function readContents(reader: WireReader): Contents {
  const data: Contents = [];
  for (let field = reader.next(); field > 0; field = reader.next()) {
    if (field === 1) reader.repeated(data, 0, (one) => one.boolean());
    else if (field === 2 || field === 3) reader.repeated(data, 0, (one) => one.integer());
    else if (field === 4 || field === 5) reader.repeated(data, 0, (one) => one.unsigned());
    else if (field === 6) reader.repeated(data, 4, (one) => one.float());
    else if (field === 7) reader.repeated(data, 8, (one) => one.double());
    else if (field === 8) data.push(reader.text());
    else reader.skip();
  }
  return data;
}

function readOutput(reader: WireReader): { name: string; parameters: Parameters } {
  let name = "";
  const parameters: Parameters = {};
  for (let field = reader.next(); field > 0; field = reader.next()) {
    if (field === 1) name = reader.text();
    else if (field === 2) readParameter(reader.message(), parameters);
    else reader.skip();
  }
  return { name, parameters };
}

/** Of ServerLive, ServerReady and ModelReady. */
export function yesMessage(isSo: boolean): WireWriter {
  return new WireWriter().boolean(1, isSo);
}

export function serverMessage(name: string, version: string, extensions: readonly string[]): WireWriter {
  const writer = new WireWriter().text(1, name).text(2, version);
  for (const extension of extensions) writer.text(3, extension);
  return writer;
}

export interface ModelMessage {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
}

export function modelMessage({ inputs, name, outputs, platform, versions }: ModelMessage): WireWriter {
  const writer = new WireWriter().text(1, name);
  for (const version of versions) writer.text(2, version);
  writer.text(3, platform);
  for (const tensor of inputs) writer.message(4, tensorMessage(tensor));
  for (const tensor of outputs) writer.message(5, tensorMessage(tensor));
  return writer;
}

function tensorMessage({
  datatype,
  name,
  shape,
}: Pick<TensorDescription, "name" | "shape"> & { readonly datatype: string }): WireWriter {
  return new WireWriter().text(1, name).text(2, datatype).integers(3, shape);
}

export interface InferenceMessage extends NamedVersion {
  readonly id: string | null;
  readonly parameters: Readonly<Record<string, string>>;
  readonly outputs: readonly OutputTensor[];
}

export function inferenceMessage({ id, name, outputs, parameters, version }: InferenceMessage): WireWriter {
  const writer = new WireWriter()
    .text(1, name)
    .text(2, version)
    .text(3, id ?? "");
  for (const [key, value] of Object.entries(parameters))
    writer.message(4, new WireWriter().text(1, key).message(2, new WireWriter().text(3, value)));
  for (const output of outputs) writer.message(5, tensorMessage(output));
  for (const { parts } of outputs) writer.bytes(6, ...parts);
  return writer;
}
