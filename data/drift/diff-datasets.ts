/** From two dataset versions to how they differ. The first is the reference; either may be narrowed to one split. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { withRawVersion, type RawOptions } from "../quality/raw-version.ts";
import { categoryDrift, numberDrift, type ColumnDrift } from "./column-drift.ts";
import { readSide, type DatasetSide } from "./dataset-side.ts";
import type { DatasetDiff } from "./diff.ts";
import { rowDiff } from "./row-diff.ts";
import { textDrift } from "./text-drift.ts";
import { verdictsOf } from "./verdict.ts";

export interface DiffInput {
  /** Of the version's Parquet file. */
  readonly path: string;
  /** SHA-256 of the file, where the caller knows it. */
  readonly digest: string | null;
  /** Only this split; all where it is left out. */
  readonly split?: "train" | "validation" | "test" | undefined;
}

export async function diffDatasets(
  reference: DiffInput,
  other: DiffInput,
  options: RawOptions,
): Promise<Outcome<DatasetDiff>> {
  const sides: DatasetSide[] = [];
  for (const { digest, path, split } of [reference, other]) {
    const side = await withRawVersion(path, options, async (version) =>
      accept(await readSide(version, digest, split ?? null)),
    );
    if (!side.ok) return side;
    if (side.value.places.length === 0)
      return refuse(
        "invalid",
        `${side.value.side.name} has no rows${split === undefined ? "" : ` in ${split}`}; there is nothing to compare`,
      );
    sides.push(side.value);
  }
  const [a, b] = sides;
  if (a === undefined || b === undefined) throw new Error("a side of the diff is missing");
  if (a.kind !== b.kind)
    return refuse(
      "invalid",
      `${a.side.name} is a ${a.kind} dataset and ${b.side.name} a ${b.kind} dataset; compare two of a kind`,
    );
  const columns = columnDrifts(a, b);
  const text = a.kind === "text" ? textDrift(a.texts, b.texts) : null;
  const found = {
    kind: a.kind,
    a: a.side,
    b: b.side,
    schema: schemaDiff(a, b),
    rows: rowDiff(a, b),
    labels: labelRows(a, b),
    columns,
    text,
    drifted: columns.some(({ drifted }) => drifted) || text?.drifted === true,
  };
  return accept({ format: "trialmesh-diff", version: 1, ...found, verdicts: verdictsOf(found) });
}

function columnDrifts(a: DatasetSide, b: DatasetSide): ColumnDrift[] {
  return [...a.measured].flatMap(([name, inA]) => {
    // The targets are compared whatever they are called.
    const inB = b.measured.get(name === a.target ? b.target : name);
    if (inB === undefined) return [];
    if (inA.kind === "number" && inB.kind === "number") return [numberDrift(name, inA, inB)];
    if (inA.kind === "category" && inB.kind === "category") return [categoryDrift(name, inA, inB)];
    return [];
  });
}

function schemaDiff(a: DatasetSide, b: DatasetSide): DatasetDiff["schema"] {
  const [inA, inB] = [a, b].map(({ columns }) => new Map(columns.map(({ kind, name }) => [name, kind])));
  if (inA === undefined || inB === undefined) throw new Error("a side of the diff is missing");
  const labelsA = new Set(a.labels);
  const labelsB = new Set(b.labels);
  return {
    columnsAdded: [...inB.keys()].filter((name) => !inA.has(name)),
    columnsRemoved: [...inA.keys()].filter((name) => !inB.has(name)),
    kindChanged: [...inA].flatMap(([column, kind]) => {
      const now = inB.get(column);
      return now === undefined || now === kind ? [] : [{ column, a: kind, b: now }];
    }),
    labelsAdded: [...labelsB].filter((label) => !labelsA.has(label)),
    labelsRemoved: [...labelsA].filter((label) => !labelsB.has(label)),
  };
}

function labelRows(a: DatasetSide, b: DatasetSide): DatasetDiff["labels"] {
  const [inA, inB] = [a.measured.get(a.target), b.measured.get(b.target)];
  if (inA?.kind !== "category" || inB?.kind !== "category") return [];
  return [...new Set([...(a.labels ?? []), ...(b.labels ?? [])])].map((label) => ({
    label,
    a: inA.counts.get(label) ?? 0,
    b: inB.counts.get(label) ?? 0,
  }));
}
