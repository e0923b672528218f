/** The charts of a profile: labels per split, what is missing, each column's values. */
import type {
  ColumnProfile,
  Distribution,
  LabelBalance,
  Profile,
  TextProfile,
} from "../../../data/profile/profile.ts";
import { percentOf } from "../../../text/figure.ts";
import { lyingBars, standingBars } from "./bar-chart.ts";
import type { Section, SizedChart } from "./page-shell.ts";

const labelsMost = 40;
const columnsMost = 60;
const languagesMost = 12;

export function labelChart(balance: LabelBalance): SizedChart {
  const labels = balance.overall.slice(0, labelsMost).map(({ label }) => label);
  const parts =
    balance.splits.length === 0 ? [{ split: "all rows", labels: balance.overall }] : balance.splits;
  const rest = balance.overall.length - labels.length;
  return lyingBars({
    id: "labels",
    title: "Labels",
    about: `The share of each label in each split. Splits drawn alike have bars of one length.${rest > 0 ? ` ${rest} more labels are not drawn.` : ""}`,
    names: labels,
    unit: " %",
    series: parts.map(({ labels: rows, split }) => {
      const total = rows.reduce((sum, one) => sum + one.rows, 0);
      const byLabel = new Map(rows.map((one) => [one.label, one.rows]));
      return { name: split, values: labels.map((label) => percentOf(byLabel.get(label) ?? 0, total)) };
    }),
  });
}

/** Nothing is drawn where nothing is missing. */
export function missingSection({ columns }: Profile): readonly Section[] {
  const missing = columns
    .filter((column) => column.missing > 0)
    .toSorted((a, b) => b.missing / b.rows - a.missing / a.rows)
    .slice(0, columnsMost);
  if (missing.length === 0) return [];
  const chart = lyingBars({
    id: "missing",
    title: "Missing values",
    about: "The share of the rows that have no value, column by column; columns without a gap are left out.",
    names: missing.map(({ name }) => name),
    unit: " %",
    series: [{ name: "missing", values: missing.map((column) => percentOf(column.missing, column.rows)) }],
  });
  return [{ kind: "chart", chart }];
}

export function valueSection({ columns }: Profile): readonly Section[] {
  const drawn = columns.slice(0, columnsMost);
  const charts = drawn.flatMap((column, at) => columnCharts(column, `column-${at}`));
  if (charts.length === 0) return [];
  const rest = columns.length - drawn.length;
  const about = `Rows by value, in bins of equal width; of texts their length; of anything else the most frequent values.${rest > 0 ? ` ${rest} more columns are in the table only.` : ""}`;
  return [{ kind: "small-charts", title: "Values", about, charts }];
}

function columnCharts(column: ColumnProfile, id: string): readonly SizedChart[] {
  switch (column.kind) {
    case "number":
      return histogram(column.values, id, column.name);
    case "text":
      return [
        ...histogram(column.characters, `${id}-characters`, `${column.name}: characters`),
        ...histogram(column.words, `${id}-words`, `${column.name}: words`),
      ];
    case "other":
      if (column.frequent.length === 0) return [];
      return [
        lyingBars(
          {
            id,
            title: column.name,
            about: "Rows of the most frequent values.",
            names: column.frequent.map(({ value }) => value),
            series: [{ name: "rows", values: column.frequent.map(({ rows }) => rows) }],
          },
          "small",
        ),
      ];
    default:
      return column satisfies never;
  }
}

function histogram(
  { histogram: { counts, edges }, mean }: Distribution,
  id: string,
  title: string,
): readonly SizedChart[] {
  if (counts.length === 0) return [];
  const names = counts.map((_, at) => `${shortNumber(edges[at] ?? 0)} to ${shortNumber(edges[at + 1] ?? 0)}`);
  return [
    standingBars({
      id,
      title,
      about: `Rows by value${mean === null ? "" : `; their mean is ${shortNumber(mean)}`}.`,
      names,
      series: [{ name: "rows", values: counts.map((count) => Math.round(count)) }],
    }),
  ];
}

export function languageSection({ languages, scanned }: TextProfile): readonly Section[] {
  if (languages.length === 0) return [];
  const shown = languages.slice(0, languagesMost);
  const chart = lyingBars({
    id: "languages",
    title: "Languages",
    about: `What language the texts seem to be in; "und" where a text is too short to tell. From ${scanned.rows} of ${scanned.of} rows.`,
    names: shown.map(({ language }) => language),
    unit: " %",
    series: [{ name: "rows", values: shown.map(({ rows }) => percentOf(rows, scanned.rows)) }],
  });
  return [{ kind: "chart", chart }];
}

export function shortNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}
