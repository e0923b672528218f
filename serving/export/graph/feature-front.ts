/**
 * The frozen features of a table as the beginning of its graph, so that a runtime takes columns as the data set's steps leave them:
 * numbers in double precision, NaN where there is none, and categories as words.
 */
import { namesOf, type FrozenFeature } from "../../../data/manifest/feature.ts";
import { sliceEnd, type TensorGraphBuilder } from "./tensor-graph.ts";

/** Which columns the graph's two inputs have, in their order. */
export interface GraphColumns {
  /** Of `numbers`, float64 [batch, columns]. */
  readonly numbers: readonly string[];
  /** Of `categories`, string [batch, columns]; `missing` is the word for none, which is no category. */
  readonly categories: readonly { readonly column: string; readonly missing: string }[];
}

type Numeric = Extract<FrozenFeature, { kind: "numeric" }>;

export function graphColumns(features: readonly FrozenFeature[]): GraphColumns {
  // The numeric ones first: they are scaled all at once.
  const numbers = [...features.filter(isNumeric), ...features.filter(({ kind }) => kind === "buckets")];
  return {
    numbers: numbers.map(({ column }) => column),
    categories: features.flatMap((feature) =>
      feature.kind === "categories" ? [{ column: feature.column, missing: unusedWord(feature.values) }] : [],
    ),
  };
}

/** Gives the name of the features, float32 [batch, features]. */
export function addFeatures(graph: TensorGraphBuilder, features: readonly FrozenFeature[]): string {
  const { categories, numbers } = graphColumns(features);
  const given = numbers.length > 0 ? graph.input("numbers", "float64", ["batch", numbers.length]) : "";
  const words =
    categories.length > 0 ? graph.input("categories", "string", ["batch", categories.length]) : "";
  const numeric = features.filter(isNumeric);
  const scaled = numeric.length > 0 ? scaledNumbers(graph, given, numeric) : "";
  const places = { numeric: 0, buckets: numeric.length, categories: 0 };
  const parts: string[] = [];
  for (let at = 0; at < features.length; at++) {
    const feature = features[at];
    if (feature === undefined) break;
    const place = places[feature.kind]++;
    if (feature.kind === "numeric") {
      // A run of them is one piece.
      while (features[at + 1]?.kind === "numeric") {
        at++;
        places.numeric++;
      }
      parts.push(cut(graph, scaled, place, places.numeric));
    } else if (feature.kind === "buckets") {
      const value = filled(graph, cut(graph, given, place, place + 1), [feature.fill]);
      const bounds = graph.wideWeight([1, feature.bounds.length], feature.bounds);
      const above = graph.node({ op: "Cast", to: "int64" }, graph.node({ op: "Greater" }, value, bounds));
      const bucket = graph.node({ op: "ReduceSum", axes: [1], keepAxes: true }, above);
      parts.push(oneHot(graph, bucket, namesOf(feature).length));
    } else {
      const word = cut(graph, words, place, place + 1);
      const keys = feature.values.length > 0 ? feature.values : [unusedWord([])];
      const known = graph.node({ op: "LabelEncoder", keys }, word);
      // Without any category every word has the one place there is.
      const index =
        feature.values.length > 0 ? known : graph.node({ op: "Mul" }, known, graph.scalar(0, "int64"));
      parts.push(oneHot(graph, index, namesOf(feature).length));
    }
  }
  return parts.length === 1 ? (parts[0] ?? "") : graph.node({ op: "Concat", axis: 1 }, ...parts);
}

function isNumeric(feature: FrozenFeature): feature is Numeric {
  return feature.kind === "numeric";
}

/** [batch, numeric], as single precision. */
function scaledNumbers(graph: TensorGraphBuilder, given: string, numeric: readonly Numeric[]): string {
  const row = (of: (feature: Numeric) => number) => graph.wideWeight([1, numeric.length], numeric.map(of));
  const values = filled(
    graph,
    cut(graph, given, 0, numeric.length),
    numeric.map(({ fill }) => fill),
  );
  const centred = graph.node(
    { op: "Sub" },
    values,
    row(({ offset }) => offset),
  );
  const wide = graph.node(
    { op: "Mul" },
    centred,
    row(({ factor }) => factor),
  );
  return graph.node({ op: "Cast", to: "float32" }, wide);
}

function filled(graph: TensorGraphBuilder, values: string, fills: readonly number[]): string {
  const missing = graph.node({ op: "IsNaN" }, values);
  return graph.node({ op: "Where" }, missing, graph.wideWeight([1, fills.length], fills), values);
}

/** index [batch, 1] → float32 [batch, count]. */
function oneHot(graph: TensorGraphBuilder, index: string, count: number): string {
  const place = graph.node({ op: "Cast", to: "float32" }, index);
  const places = Float32Array.from({ length: count }, (_, at) => at);
  const row = graph.weight(`places.${count}`, { shape: [1, count], data: places });
  return graph.node({ op: "Cast", to: "float32" }, graph.node({ op: "Equal" }, place, row));
}

function cut(graph: TensorGraphBuilder, from: string, start: number, end: number): string {
  return graph.node({ op: "Slice", axes: [1], starts: [start], ends: [Math.min(end, sliceEnd)] }, from);
}

/** A word that is none of the categories: an empty one where that can be. */
function unusedWord(values: readonly string[]): string {
  let word = "";
  while (values.includes(word)) word += "?";
  return word;
}
