/** MODEL-RUN-3. Tensors that somebody sent, fitted to what a model takes: each input there once, of its type and a shape that is the model's. */
import type { NamedTensor, TensorDescription } from "../model/tensor.ts";
import { quoted, turnDown, type Reading } from "./http-refusal.ts";
import { rowsPerRequestMax } from "./serving-limit.ts";

/** In the order of the model's inputs. */
export function fitTensors(
  wanted: readonly TensorDescription[],
  sent: readonly NamedTensor[],
): Reading<readonly NamedTensor[]> {
  const names = () => wanted.map(describeTensor).join(", ");
  const stranger = sent.find(({ name }) => !wanted.some((one) => one.name === name));
  if (stranger !== undefined)
    return turnDown(400, `the model has no input ${quoted(stranger.name)}; it takes ${names()}`);
  const fitted: NamedTensor[] = [];
  for (const one of wanted) {
    const tensor = sent.find(({ name }) => name === one.name);
    if (tensor === undefined)
      return turnDown(400, `the input ${quoted(one.name)} is missing; the model takes ${names()}`);
    if (tensor.datatype !== one.datatype)
      return turnDown(
        400,
        `the input ${quoted(one.name)} was sent as ${tensor.datatype}; the model takes ${describeTensor(one)}`,
      );
    if (!fitsShape(tensor.shape, one.shape))
      return turnDown(
        400,
        `the input ${quoted(one.name)} has shape [${tensor.shape.join(", ")}]; the model takes ${describeTensor(one)}`,
      );
    const [rows = 1] = tensor.shape;
    if (one.shape[0] === -1 && rows > rowsPerRequestMax)
      return turnDown(413, `the request has ${rows} rows; one request takes at most ${rowsPerRequestMax}`);
    fitted.push(tensor);
  }
  return unlikeRows(wanted, fitted) ?? { ok: true, value: fitted };
}

/** A first length that any will do for is the number of rows, the same of all. */
function unlikeRows(wanted: readonly TensorDescription[], fitted: readonly NamedTensor[]) {
  const free = fitted.filter((_, at) => wanted[at]?.shape[0] === -1);
  const [first] = free;
  const other = free.find(({ shape }) => shape[0] !== first?.shape[0]);
  if (free.some(({ shape }) => shape[0] === 0))
    return turnDown(400, "the request has no rows; it takes at least one");
  if (first === undefined || other === undefined) return null;
  return turnDown(
    400,
    `the input ${quoted(first.name)} has ${first.shape[0] ?? 0} rows and ${quoted(other.name)} has ${other.shape[0] ?? 0}`,
  );
}

function fitsShape(shape: readonly number[], wanted: readonly number[]): boolean {
  return (
    shape.length === wanted.length && shape.every((length, at) => wanted[at] === -1 || wanted[at] === length)
  );
}

/** `X FP32 [-1, 4]`. */
export function describeTensor({ datatype, name, shape }: TensorDescription): string {
  return `${name} ${datatype} [${shape.join(", ")}]`;
}
