/**
 * README.md of an exported folder: what the model is, what it was trained and measured on, where it comes from, what is not known of
 * it, and how to ask it. Text of people (names, labels, parameters) is shown, never taken as markup.
 */
import type { Manifest } from "../../data/manifest/manifest.ts";
import type { LineageView } from "../../protocol/view.ts";
import { overallOf, type SplitReport } from "../../training/task/classification-report.ts";
import type { CheckpointMeta } from "../../training/task/checkpoint.ts";
import type { VersionName } from "../model/served-model.ts";
import type { TensorGraph } from "./graph/tensor-graph.ts";
import type { TransformDescription } from "./transform-description.ts";
import { transformLines } from "./transform-text.ts";

export interface CardFacts {
  readonly name: VersionName;
  readonly meta: CheckpointMeta;
  readonly manifest: Manifest | null;
  /** Null where the mesh was not asked. */
  readonly lineage: LineageView | null;
  readonly transform: TransformDescription;
  readonly graph: TensorGraph;
  readonly format: FormatText;
  /** Names of the programs' files. */
  readonly programs: readonly string[];
}

/** What a format says of itself. */
export interface FormatText {
  readonly title: string;
  /** Files of the format with what is in them. */
  readonly files: readonly (readonly [file: string, about: string])[];
  /** Packages that the programs need, as pip and npm take them. */
  readonly python: readonly string[];
  readonly node: readonly string[];
  /** Where the Python program lies. */
  readonly pythonProgram: string;
  /** Lines of an example in the format's own words, under a heading of their own; empty where the programs say it all. */
  readonly own: readonly string[];
}

const labelsShown = 50;

export function modelCard(facts: CardFacts): string {
  const { name, meta, format } = facts;
  const title = `${name.model}, version ${name.version}`;
  return [
    `# ${shown(title)}`,
    `Model \`${meta.model}\` of task \`${meta.task}\`, exported from trialmesh as ${format.title}. Nothing here needs trialmesh.`,
    useSection(facts),
    section("What it takes and gives", signatureLines(facts)),
    section("How a row becomes that", transformLines(facts.transform)),
    section("Measured", metricLines(facts)),
    section("Data", dataLines(facts)),
    section("Where it comes from", lineageLines(facts)),
    section("Limits", limitLines(facts)),
    section("Files", fileLines(facts)),
    section("Tensors", tensorLines(facts.graph)),
    "",
  ].join("\n\n");
}

function section(title: string, lines: readonly string[]): string {
  return [`## ${title}`, lines.join("\n")].join("\n\n");
}

function useSection({ format, transform }: CardFacts): string {
  const { python, node, pythonProgram, own } = format;
  const isText = transform.text !== undefined && transform.columns.length === 1;
  const asked = isText ? '--text "some text"' : "rows.csv";
  const lines = [
    "```sh",
    ...(python.length > 0 ? [`pip install ${python.join(" ")}`] : []),
    `python ${pythonProgram} --check          # are its answers those of the model that was exported?`,
    `python ${pythonProgram} ${asked}`,
    ...(node.length > 0 ? [`npm install ${node.join(" ")}`] : []),
    "node predict.mjs --check",
    `node predict.mjs ${asked}`,
    "```",
    "",
    "Both also take `rows.csv`, `rows.jsonl`, or `-` for JSON lines on standard input, and print one JSON object for each row.",
    ...own,
  ];
  return section("Use", lines);
}

function signatureLines({ transform, graph, meta }: CardFacts): readonly string[] {
  const { columns, labels, notes, target } = transform;
  return [
    "| column | kind | may be missing |",
    "| --- | --- | --- |",
    ...columns.map(({ name, kind, optional }) => `| ${shown(name)} | ${kind} | ${optional ? "yes" : "no"} |`),
    "",
    labels === null
      ? `It gives a number, ${shown(target)}.`
      : `It gives a probability for each of ${labels.length} labels of ${shown(target)}: ${listed(labels)}.`,
    ...notes.map(shown),
    ...(transform.text?.kind === "tokens"
      ? [
          `A text counts up to ${transform.text.length} ${transform.text.unit === "char" ? "characters" : "words"}; the rest is cut off.`,
        ]
      : []),
    `The graph itself takes ${graph.inputs.map(({ name, type, shape }) => `\`${name}\` ${type} [${shape.join(", ")}]`).join(", ")} and gives \`${graph.output.name}\` float32 [${graph.output.shape.join(", ")}]${meta.task === "tabular" ? "" : "; `transform.json` says how a text becomes that"}.`,
  ];
}

function metricLines({ lineage, meta }: CardFacts): readonly string[] {
  const rows: string[] = [];
  if (lineage !== null)
    for (const [metric, value] of Object.entries(lineage.version.metrics))
      rows.push(`| ${shown(metric)} | ${figure(value)} | the trial's last evaluation |`);
  const { test, validation } = meta.report ?? {};
  for (const [split, report] of [
    ["validation", validation],
    ["test", test],
  ] as const)
    if (report !== undefined)
      for (const [metric, value] of Object.entries(splitFigures(report)))
        rows.push(`| ${metric} | ${figure(value)} | ${split} split, ${report.rows} rows |`);
  if (rows.length === 0) return ["No figures are kept with this version."];
  return ["| metric | value | on |", "| --- | --- | --- |", ...rows];
}

function splitFigures(report: SplitReport): Readonly<Record<string, number>> {
  return { ...overallOf(report), logLoss: report.logLoss };
}

function dataLines({ lineage, manifest }: CardFacts): readonly string[] {
  const dataset = lineage?.version.dataset ?? null;
  if (dataset === null && manifest === null) return ["The data it was trained on is not known here."];
  const rows = dataset?.rows ?? manifest?.rows;
  return [
    ...(dataset === null
      ? [`- data set: ${shown(manifest?.name ?? "")}`]
      : [`- data set: ${shown(dataset.name)}, version of digest \`${dataset.digest}\``]),
    ...(rows === undefined
      ? []
      : [`- rows: ${rows.train} for training, ${rows.validation} for validation, ${rows.test} for the test`]),
    ...(manifest === null
      ? []
      : manifest.sources.map(
          (source) => `- source: ${shown(source.name)}, ${source.rows} rows, SHA-256 \`${source.digest}\``,
        )),
    ...(manifest === null || manifest.bad.count === 0
      ? []
      : [`- rows rejected as unreadable: ${manifest.bad.count}`]),
  ];
}

function lineageLines({ lineage, meta, name }: CardFacts): readonly string[] {
  const params = Object.entries(meta.params).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  const own = [
    `- artifact: \`${name.digest}\``,
    `- trained: ${meta.epoch} epochs, seed ${meta.seed}, on backend ${meta.backend}`,
    `- parameters: ${shown(params.join(", "))}`,
  ];
  if (lineage === null) return own;
  const { sweep, trial, version, origin } = lineage;
  return [
    `- sweep: ${shown(sweep.sweep)} (${shown(sweep.name)})`,
    `- trial: ${shown(trial.trial)}${origin === null ? "" : `, answered from the record of ${shown(origin.trial)}`}`,
    `- code: ${shown(version.codeVersion)}`,
    `- agent: ${shown(version.agent)}`,
    ...own,
  ];
}

function limitLines({ lineage, manifest, meta, transform }: CardFacts): readonly string[] {
  const tested = meta.report?.test !== undefined;
  const { labels } = transform;
  const rows = lineage?.version.dataset?.rows ?? manifest?.rows;
  return [
    labels === null
      ? "- It gives a number for every row, however unlike the rows of its training."
      : "- It knows no label beside those above: whatever it is given, their probabilities sum to one.",
    ...(rows === undefined
      ? []
      : [
          `- It was measured on ${rows.validation} validation rows, by which it was chosen${tested ? `, and on ${rows.test} test rows` : ""}.`,
        ]),
    ...(tested
      ? []
      : ["- It was not measured on rows that nobody had chosen it by: figures on new rows may be worse."]),
    "- Not measured: rows from elsewhere or of another time, other languages than the data's, groups of people within the data, texts made to deceive it.",
  ];
}

function fileLines({ format, programs, transform }: CardFacts): readonly string[] {
  const { text } = transform;
  const files = [
    ...format.files,
    ["transform.json", "from a row to the graph's input, as it was frozen in training"] as const,
    ...(text?.kind === "ngrams"
      ? [[text.buckets, "hash bucket of each row of the weight table, little-endian int32"] as const]
      : []),
    ...(text?.kind === "tokens"
      ? [[text.vocabulary, "tokens; the first is number 2, 0 fills up, 1 is any other"] as const]
      : []),
    ["example.json", "inputs with the answers that trialmesh gave"] as const,
    ...programs.map((file) => [file, file.endsWith(".py") ? "Python" : "Node"] as const),
  ];
  return files.map(([file, about]) => `- \`${file}\`: ${about}`);
}

function tensorLines({ weights }: TensorGraph): readonly string[] {
  return [
    "| tensor | shape |",
    "| --- | --- |",
    ...[...weights].map(([name, { shape }]) => `| \`${name}\` | ${shape.join(" × ")} |`),
  ];
}

function listed(labels: readonly string[]): string {
  const some = labels.slice(0, labelsShown).map(shown).join(", ");
  return labels.length > labelsShown
    ? `${some} and ${labels.length - labelsShown} more (all in transform.json)`
    : some;
}

const significantDigits = 6;

function figure(value: number): string {
  return String(Number(value.toPrecision(significantDigits)));
}

/** One line of text in which Markdown sees no markup. */
function shown(text: string): string {
  return text.replaceAll(/\p{C}|\p{Zl}|\p{Zp}/gu, " ").replaceAll(/[\\`*_[\]<>|#~&]/gu, (one) => `\\${one}`);
}
