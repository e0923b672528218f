/**
 * The fixed work a probe does: small, made up, the same everywhere. It shows that a model's gradients are
 * right on a backend (its first epoch's loss is known) and how fast they are. It says nothing about accuracy.
 */
import { datasetDigest, encodeDataset, type Example, type TextDataset } from "../../data/dataset.ts";
import type { OpenedBackend } from "../runtime/backend.ts";
import { resolveParams } from "../task/parameter.ts";
import { stream } from "../task/random.ts";
import type { ModelDeclaration, Trainer } from "../task/task.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { referenceKinds } from "./reference-machine.ts";

const rows = 512;
const labels = 8;
const wordsPerText = 4;
const letters = "abcdefghijklmnopqrstuvwxyzäöüéñ";
/** The engine compiles hot code while it runs; speed is timed after this long. */
const warmMs = 300;
/** The best of so many slices counts: what else the machine does should not set its price. */
const slices = 3;
const sliceMs = 120;
/** Backends round differently; a wrong gradient is off by far more. */
const lossTolerance = 0.01;

export interface Measurement {
  readonly kind: string;
  readonly examplesPerSecond: number;
  /** Mean log loss of the first epoch. */
  readonly loss: number;
}

export function workloadDataset(): TextDataset {
  const random = stream(1, "workload", 0);
  const word = (label: number): string => {
    const length = 3 + Math.floor(random.next() * 5);
    // Each label favours its own stretch of the alphabet.
    return Array.from(
      { length },
      () => letters[(label * 3 + Math.floor(random.next() * 12)) % letters.length],
    ).join("");
  };
  const examples = Array.from({ length: rows }, (_, row): Example => {
    const label = row % labels;
    return { text: Array.from({ length: wordsPerText }, () => word(label)).join(" "), label };
  });
  const names = Array.from({ length: labels }, (_, label) => `label-${label}`);
  return {
    kind: "text",
    name: "workload",
    labels: names,
    train: examples,
    validation: examples.slice(0, labels),
    test: [],
  };
}

export async function measureModel(
  declaration: ModelDeclaration,
  backend: OpenedBackend,
): Promise<Outcome<Measurement>> {
  const kind = `${declaration.task}/${declaration.model}`;
  const wanted = referenceKinds.find((reference) => reference.kind === kind);
  if (wanted === undefined) return refuse("unknown", `${kind} has no figure of the reference machine`);
  const params = resolveParams(declaration, wanted.params);
  if (!params.ok) return params;
  const made = declaration.create({ params: params.value, seed: 1, dataset: workloadDataset(), backend });
  if (!made.ok) return made;
  const trainer = made.value;
  const { loss } = await trainer.trainEpoch();
  if (!(Math.abs(loss - wanted.loss) < lossTolerance)) {
    return refuse(
      "invalid",
      `${kind} computes wrongly: its first epoch's loss is ${loss.toFixed(4)} and should be ${wanted.loss.toFixed(4)}`,
    );
  }
  await epochsPerSecond(trainer, warmMs);
  let best = 0;
  for (let slice = 0; slice < slices; slice++) best = Math.max(best, await epochsPerSecond(trainer, sliceMs));
  trainer.dispose();
  return accept({ kind, examplesPerSecond: best * wanted.rowsPerEpoch, loss });
}

async function epochsPerSecond(trainer: Trainer, forMs: number): Promise<number> {
  const from = performance.now();
  let epochs = 0;
  while (performance.now() - from < forMs) {
    await trainer.trainEpoch();
    epochs++;
  }
  return epochs / ((performance.now() - from) / 1000);
}

/** Names the workload in the probe's cache, so that another workload is measured anew. */
export function workloadDigest(): string {
  return datasetDigest(encodeDataset(workloadDataset()));
}
