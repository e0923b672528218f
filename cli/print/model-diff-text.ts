/** Two versions of models beside each other: what differs, with what both have alike left out. */
import type { VersionDiff, VersionSide } from "../../client/model/compare-versions.ts";
import { plural } from "../../protocol/plural.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { Value } from "../../protocol/value.ts";
import { formatBytes, formatMetric, formatTime, shortDigest } from "../../text/figure.ts";
import { formatValue } from "../../text/shown-parameter.ts";
import { fields, table } from "../../text/table.ts";

/** Of labels that came or went so many are named. */
const labelsNamedMax = 20;

export function modelDiffText(diff: VersionDiff): string {
  const { from, metrics, parameters, to } = diff;
  const head = fields([
    ["from", sideText(from)],
    ["to", sideText(to)],
  ]);
  const figures = table(
    metrics,
    [
      { head: "METRIC", cell: ({ name }) => name },
      { head: "FROM", cell: (metric) => formatMetric(metric.from), right: true },
      { head: "TO", cell: (metric) => formatMetric(metric.to), right: true },
      { head: "DIFFERENCE", cell: ({ difference }) => signed(difference), right: true },
      { head: "", cell: verdict },
    ],
    "neither has a figure",
  );
  const rows = [
    ...parameters.map((each) => [each.name, valueText(each.from), valueText(each.to)] as const),
    ...factRows(diff),
  ];
  const facts = table(
    rows,
    [
      { head: "WHAT", cell: ([what]) => what },
      { head: "FROM", cell: ([, before]) => before },
      { head: "TO", cell: ([, , after]) => after },
    ],
    diff.same ? "they are the same bytes" : "parameters, data, code and size are alike",
  );
  return [head, figures, facts, ...labelLines(diff)].join("\n\n");
}

function factRows(diff: VersionDiff): (readonly [string, string, string])[] {
  const { bytes, code, data, epoch, spent, trainedBy } = diff;
  const text = (value: string | null) => value ?? "none";
  return [
    ...(trainedBy === null ? [] : [["trained by", text(trainedBy.from), text(trainedBy.to)] as const]),
    ...(epoch === null ? [] : [["epoch", valueText(epoch.from), valueText(epoch.to)] as const]),
    ...(code === null ? [] : [["code", text(code.from), text(code.to)] as const]),
    ...(data.same ? [] : [["data", dataText(data, "from"), dataText(data, "to")] as const]),
    ...(bytes.from === bytes.to
      ? []
      : [["size", formatBytes(bytes.from ?? 0), formatBytes(bytes.to ?? 0)] as const]),
    ...(spent.from === spent.to
      ? []
      : [["tokens", formatTokens(spent.from ?? 0), formatTokens(spent.to ?? 0)] as const]),
  ];
}

function dataText({ digest, name, rows }: VersionDiff["data"], side: "from" | "to"): string {
  const digits = digest[side];
  if (digits === null) return "none";
  return `${name[side] ?? ""} ${shortDigest(digits)}, ${plural(rows[side] ?? 0, "row")}`;
}

function labelLines({ labels }: VersionDiff): string[] {
  if (labels === null || labels.added.length + labels.removed.length === 0) return [];
  const lines = [
    ["labels added", labels.added] as const,
    ["labels removed", labels.removed] as const,
  ].flatMap(([what, names]) => (names.length === 0 ? [] : [[what, namesText(names)] as const]));
  return [fields(lines)];
}

function namesText(names: readonly string[]): string {
  const more = names.length - labelsNamedMax;
  return [...names.slice(0, labelsNamedMax), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

function sideText({ agent, aliases, at, backend, sweep, trial, version }: VersionSide): string {
  const called = aliases.length === 0 ? "" : `, called ${aliases.join(", ")}`;
  return `${version}${called}: ${trial} of ${sweep} on ${agent} (${backend}), ${formatTime(at, Date.now())}`;
}

function verdict({ better, objective }: VersionDiff["metrics"][number]): string {
  if (!objective) return "";
  if (better === null) return "the objective";
  return better ? "better" : "worse";
}

function signed(difference: number | null): string {
  if (difference === null) return "-";
  return `${difference > 0 ? "+" : ""}${formatMetric(difference)}`;
}

function valueText(value: Value | null): string {
  return value === null ? "none" : formatValue(value);
}
