/**
 * transform.json and the files it names: everything between a row as people have it and the numbers that the graph takes, so that
 * a program in any language can follow it. The two programs beside it do.
 */
import { htmlEntities } from "../../data/engine/html.ts";
import { namesOf, type FrozenFeature } from "../../data/manifest/feature.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Checkpoint } from "../../training/task/checkpoint.ts";
import { numberParam } from "../../training/task/parameter.ts";
import { tableShapeFrom } from "../../training/tabular/table-model.ts";
import type { InputColumn } from "../model/served-model.ts";
import { typeOfColumn } from "../transform/input-type.ts";
import type { Column } from "../../data/plan/compile-step.ts";
import type { ColumnType } from "../../data/declaration/source.ts";
import type { GraphColumns } from "./graph/feature-front.ts";
import { portablePlan, type PortablePlan, type PortableStep } from "./portable-plan.ts";

/** Raised where an older program could not follow what is written now. */
export const transformFormat = 1;

type TextReading =
  | {
      readonly kind: "ngrams";
      readonly column: string;
      readonly wordNgrams: number;
      readonly charMin: number;
      readonly charMax: number;
      readonly bucketBits: number;
      /** Whether an n-gram counts once per text. */
      readonly binary: boolean;
      /** File of the bucket of each row, little-endian int32. */
      readonly buckets: string;
    }
  | {
      readonly kind: "tokens";
      readonly column: string;
      readonly unit: "char" | "word";
      readonly length: number;
      /** File of the tokens; the first is number 2. */
      readonly vocabulary: string;
    };

export interface DescribedColumn extends InputColumn {
  /** As its source was read; `any` for what is to be given as a step makes it, or where nothing is known of the source. */
  readonly type: ColumnType | "any";
}

export interface TransformDescription {
  readonly format: "trialmesh-transform";
  readonly version: number;
  readonly labels: readonly string[] | null;
  readonly target: string;
  /** What a row is to have. */
  readonly columns: readonly DescribedColumn[];
  readonly steps: readonly PortableStep[];
  readonly notes: readonly string[];
  readonly text?: TextReading;
  readonly features?: readonly FrozenFeature[];
  /** Where the graph begins with the columns of `features` and makes those itself. */
  readonly graph?: GraphColumns;
  /** What stands for no value: null, and these words; an empty one too, but in a text where `emptyIsText`. */
  readonly missing: { readonly words: readonly string[]; readonly emptyIsText: boolean };
  /** For the step `clean`. */
  readonly entities: Readonly<Record<string, string>>;
  /** Lower case of single characters beyond ASCII, by code point, for languages whose Unicode is older. */
  readonly lowercase?: Readonly<Record<number, string>>;
}

export interface DescribedTransform {
  readonly description: TransformDescription;
  /** What it names, by file name. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const bucketsFile = "buckets.bin";
const vocabularyFile = "vocabulary.json";

/** `manifest`: of the data set it was trained on; null where that is not known. `inputs`: columns of its sources. */
export function describeTransform(
  checkpoint: Checkpoint,
  manifest: Manifest | null,
  inputs: readonly Column[],
): Outcome<DescribedTransform> {
  const isText = checkpoint.meta.task === "text-classification";
  if (manifest !== null && (manifest.declaration.form.kind === "text") !== isText)
    return refuse("invalid", `data set ${manifest.name} is not what this model was trained on`);
  const types = new Map(inputs.map((column) => [column.name, typeOfColumn(column)]));
  const plan = (read: readonly string[]) =>
    portablePlan(manifest?.declaration.plan ?? [], read, (column) => types.get(column) ?? "text");
  const typeOf = ({ made }: PortablePlan, name: string): DescribedColumn["type"] =>
    manifest === null || made.has(name) ? "any" : (types.get(name) ?? "text");
  const known = { manifest, plan, typeOf };
  return isText ? describeText(checkpoint, known) : describeTable(checkpoint, known);
}

interface Known {
  readonly manifest: Manifest | null;
  readonly plan: (read: readonly string[]) => PortablePlan;
  readonly typeOf: (plan: PortablePlan, name: string) => DescribedColumn["type"];
}

function describeText(
  { meta, tensors }: Checkpoint,
  { manifest, plan, typeOf }: Known,
): Outcome<DescribedTransform> {
  const form = manifest?.declaration.form;
  const column = form?.kind === "text" ? form.text : "text";
  const worked = plan([column]);
  const { inputs, notes, steps } = worked;
  const buckets = tensors.get("buckets")?.data;
  const shared = {
    format: "trialmesh-transform",
    version: transformFormat,
    labels: meta.labels,
    target: form?.kind === "text" ? form.label : "label",
    columns: [...inputs.keys()].map((name) => ({
      name,
      kind: "text" as const,
      optional: inputs.size > 1,
      type: typeOf(worked, name),
    })),
    steps,
    notes,
    missing: missingOf(manifest),
    entities: htmlEntities,
    lowercase: lowercaseTable(),
  } as const;
  if (buckets !== undefined) {
    const { params } = meta;
    const text: TextReading = {
      kind: "ngrams",
      column,
      wordNgrams: numberParam(params, "wordNgrams"),
      charMin: numberParam(params, "charMin"),
      charMax: numberParam(params, "charMax"),
      bucketBits: numberParam(params, "bucketBits"),
      binary: meta.model === "nbsvm",
      buckets: bucketsFile,
    };
    const raw = new Uint8Array(buckets.buffer, buckets.byteOffset, buckets.byteLength);
    return accept({ description: { ...shared, text }, files: new Map([[bucketsFile, raw]]) });
  }
  const vocabulary = meta.extra["vocabulary"];
  if (typeof vocabulary !== "string")
    return refuse("invalid", `the checkpoint has no vocabulary; it is not one of ${meta.model}`);
  const text: TextReading = {
    kind: "tokens",
    column,
    unit: meta.params["unit"] === "char" ? "char" : "word",
    length: numberParam(meta.params, "length"),
    vocabulary: vocabularyFile,
  };
  const files = new Map([[vocabularyFile, new TextEncoder().encode(vocabulary)]]);
  return accept({ description: { ...shared, text }, files });
}

function describeTable(
  checkpoint: Checkpoint,
  { manifest, plan, typeOf }: Known,
): Outcome<DescribedTransform> {
  const shape = tableShapeFrom(checkpoint);
  if (!shape.ok) return shape;
  const { features: names, labels, scale } = shape.value;
  // Without the data set's own, a number is taken as it is, and one that is missing as training's mean.
  const plain = names.map((column, at): FrozenFeature => ({
    kind: "numeric",
    column,
    scale: "none",
    fill: scale.mean[at] ?? 0,
    offset: 0,
    factor: 1,
  }));
  const features = manifest?.features ?? plain;
  const made = features.flatMap(namesOf);
  if (made.length !== names.length || made.some((name, at) => name !== names[at]))
    return refuse("invalid", `data set ${manifest?.name ?? ""} has other features than this model`);
  const form = manifest?.declaration.form;
  const read = features.map((feature) => feature.column);
  const worked = plan(read);
  const { inputs, notes, steps } = worked;
  const kinds = new Map(features.map((feature) => [feature.column, feature.kind]));
  const columns = [...inputs].map(([name, ends]): DescribedColumn => {
    const type = typeOf(worked, name);
    const isText = type === "text" || (type === "any" && ends.some((end) => kinds.get(end) === "categories"));
    const kind = isText || type === "boolean" ? "category" : "number";
    return { name, kind, optional: true, type };
  });
  return accept({
    description: {
      format: "trialmesh-transform",
      version: transformFormat,
      labels,
      target: form?.kind === "table" ? form.target : "target",
      columns,
      steps,
      notes,
      features,
      missing: missingOf(manifest),
      entities: htmlEntities,
    },
    files: new Map(),
  });
}

/** An empty text is a text in JSON and none in CSV, as the sources were read. */
function missingOf(manifest: Manifest | null): TransformDescription["missing"] {
  const sources = manifest?.declaration.sources ?? [];
  const words = sources.flatMap((source) => ("missing" in source ? source.missing : []));
  const emptyIsText =
    sources.length === 0 || sources.some(({ format }) => format !== "csv" && format !== "tsv");
  return { words: [...new Set(words)], emptyIsText };
}

const firstBeyondAscii = 0x80;
const codePoints = 0x11_0000;

function lowercaseTable(): Record<number, string> {
  const table: Record<number, string> = {};
  for (let code = firstBeyondAscii; code < codePoints; code++) {
    const one = String.fromCodePoint(code);
    const lower = one.toLowerCase();
    if (lower !== one && [...lower].length === 1) table[code] = lower;
  }
  return table;
}
