/**
 * The fixed data a probe trains on: small, made up, the same everywhere. One set of texts and one table.
 * What is learnt from it says nothing about accuracy; how it is measured is in `measure-model.ts`.
 */
import { createHash } from "node:crypto";
import type { Dataset, Example, TableDataset, TableRows, TextDataset } from "../../data/row/dataset-rows.ts";
import { stream } from "../../training/tensor/seeded-stream.ts";

const rows = 512;
const textLabels = 8;
const wordsPerText = 4;
const letters = "abcdefghijklmnopqrstuvwxyzäöüéñ";

const tableLabels = 4;
const tableFeatures = 16;
/** Distance of the classes' centres from the origin, along each feature, against noise of variance 1. */
const centreSize = 0.7;
/** A sum of so many uniform numbers is close to normal, and needs no function that engines round differently. */
const uniformsPerNormal = 12;

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
    const label = row % textLabels;
    return { text: Array.from({ length: wordsPerText }, () => word(label)).join(" "), label };
  });
  return {
    kind: "text",
    name: "workload",
    labels: labelNames(textLabels),
    train: examples,
    validation: examples.slice(0, textLabels),
    test: [],
  };
}

/** Four overlapping clouds of points in sixteen dimensions. */
export function workloadTable(): TableDataset {
  const random = stream(1, "workload-table", 0);
  const centres = Array.from({ length: tableLabels * tableFeatures }, () =>
    random.next() < 0.5 ? -centreSize : centreSize,
  );
  const noise = (): number => {
    let sum = -uniformsPerNormal / 2;
    for (let draw = 0; draw < uniformsPerNormal; draw++) sum += random.next();
    return sum;
  };
  const features = new Float32Array(rows * tableFeatures);
  const target = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const label = row % tableLabels;
    target[row] = label;
    for (let column = 0; column < tableFeatures; column++)
      features[row * tableFeatures + column] = (centres[label * tableFeatures + column] ?? 0) + noise();
  }
  const firstRows = (count: number): TableRows => ({
    count,
    features: features.slice(0, count * tableFeatures),
    target: target.slice(0, count),
  });
  return {
    kind: "table",
    name: "workload",
    features: Array.from({ length: tableFeatures }, (_, column) => `feature-${column}`),
    target: "label",
    labels: labelNames(tableLabels),
    train: firstRows(rows),
    validation: firstRows(tableLabels),
    test: firstRows(0),
  };
}

/** What a model of this kind is measured on; null for one that reads no data. */
export function workloadOf(kind: Dataset["kind"] | "none"): Dataset | null {
  switch (kind) {
    case "text":
      return workloadDataset();
    case "table":
      return workloadTable();
    case "none":
      return null;
  }
}

/** Names the workload in the probe's cache, so that another workload is measured anew. */
export function workloadDigest(): string {
  const { features, target } = workloadTable().train;
  return createHash("sha256")
    .update(JSON.stringify(workloadDataset()))
    .update(features)
    .update(target)
    .digest("hex");
}

function labelNames(count: number): string[] {
  return Array.from({ length: count }, (_, label) => `label-${label}`);
}
