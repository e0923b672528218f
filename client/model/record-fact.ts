/**
 * Tells the mesh what only whoever has a version loaded can know of it: an example of its own with the answer, and what answering takes
 * here. Once for each version; who may not write of it, or has no mesh just now, goes on without.
 */
import { hostname } from "node:os";
import { nameCharactersMax } from "../../protocol/bound.ts";
import type { MeshClient } from "../../protocol/client.ts";
import type { Measured, RecordedExample } from "../../protocol/version-fact.ts";
import { batchRows, timeAnswers } from "../../serving/model/time-answers.ts";
import { madeUpRow } from "../../serving/model/prove-served.ts";
import { ownExample } from "./own-example.ts";
import { mayWrite, type RegisteredModel } from "./registered-model.ts";

export async function recordFacts(client: MeshClient, model: RegisteredModel): Promise<void> {
  const { memoryBytes, record, version } = model;
  if (!mayWrite(client, record)) return;
  const example = record.example === undefined ? await ownExample(model) : null;
  const row = record.example?.row ?? example?.row ?? madeUpRow(model);
  const measured = memoryBytes === null ? null : await measure(model, row, memoryBytes);
  if (example === null && measured === null) return;
  await client.command("model-fact", { model: model.model, version, example, measured });
}

async function measure(
  model: RegisteredModel,
  row: RecordedExample["row"],
  memoryBytes: number,
): Promise<Measured> {
  const times = await timeAnswers(model, row, () => performance.now());
  return { ...times, batchRows, memoryBytes, machine: hostname().slice(0, nameCharactersMax) };
}
