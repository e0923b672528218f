/** What a diff comes to, in sentences: drift with its figure and threshold, changes of shape, rows under other labels. */
import type { ColumnDrift } from "./column-drift.ts";
import type { DatasetDiff } from "./diff.ts";

type Found = Omit<DatasetDiff, "format" | "version" | "verdicts">;
type Verdict = DatasetDiff["verdicts"][number];

const ranks = { bad: 0, warn: 1, note: 2 } as const;
/** Digits of a figure in a sentence. */
const digits = 3;

export function verdictsOf(found: Found): Verdict[] {
  return [...schemaVerdicts(found), ...driftVerdicts(found), ...rowVerdicts(found)].sort(
    (a, b) => ranks[a.severity] - ranks[b.severity],
  );
}

function schemaVerdicts({ schema }: Found): Verdict[] {
  const lists = [
    ["columns", "came", schema.columnsAdded],
    ["columns", "went", schema.columnsRemoved],
    ["labels", "came", schema.labelsAdded],
    ["labels", "went", schema.labelsRemoved],
  ] as const;
  return [
    ...lists.flatMap(([subject, what, names]): Verdict[] =>
      names.length === 0
        ? []
        : [{ severity: "bad", subject, sentence: `${subject} that ${what}: ${names.join(", ")}` }],
    ),
    ...schema.kindChanged.map(({ a, b, column }): Verdict => ({
      severity: "bad",
      subject: column,
      sentence: `${column} was ${a} and is ${b} now`,
    })),
  ];
}

export function driftVerdicts({ columns, text }: Pick<Found, "columns" | "text">): Verdict[] {
  const found: Verdict[] = columns.flatMap((column): Verdict[] => {
    if (column.drifted)
      return [
        {
          severity: "bad",
          subject: column.column,
          sentence: `${column.column} has drifted: ${driftFigure(column)}`,
        },
      ];
    if (column.stability.verdict === "none") return [];
    return [
      {
        severity: column.stability.verdict === "much" ? "warn" : "note",
        subject: column.column,
        sentence: `${column.column} has moved: its stability index is ${short(column.stability.index)}, though ${driftFigure(column)}`,
      },
    ];
  });
  if (text?.drifted !== true || text.auc === null) return found;
  const words = text.words.slice(0, 5).map(({ word }) => word);
  const telling = words.length === 0 ? "" : `; it goes by ${words.join(", ")}`;
  return [
    {
      severity: "bad",
      subject: "text",
      sentence: `the texts have drifted: a classifier tells the two apart with an AUC of ${short(text.auc)} (above ${text.threshold})${telling}`,
    },
    ...found,
  ];
}

const testNames = {
  "kolmogorov-smirnov": "Kolmogorov-Smirnov",
  "chi-square": "chi-square",
  wasserstein: "Wasserstein",
  "jensen-shannon": "Jensen-Shannon",
  none: "no test",
} as const;

/** The figure that decided, with its threshold. */
export function driftFigure({ pValue, statistic, test, threshold }: ColumnDrift): string {
  const name = testNames[test];
  if (test === "none") return "no value to compare";
  if (pValue !== null)
    return `${name} p ${pValue < 1e-4 ? pValue.toExponential(1) : short(pValue)} (drift below ${threshold})`;
  const unit = test === "wasserstein" ? "distance in standard deviations" : "distance";
  return `${name} ${unit} ${short(statistic)} (drift from ${threshold})`;
}

function rowVerdicts({ rows }: Found): Verdict[] {
  const { added, relabelled, removed } = rows;
  return [
    ...(relabelled.rows === 0
      ? []
      : [
          {
            severity: "warn" as const,
            subject: "rows",
            sentence: `${relabelled.rows} of the rows in both stand under another label`,
          },
        ]),
    ...(added.rows + removed.rows === 0
      ? []
      : [
          {
            severity: "note" as const,
            subject: "rows",
            sentence: `${added.rows} rows came and ${removed.rows} went`,
          },
        ]),
  ];
}

function short(value: number): string {
  return String(Number(value.toPrecision(digits)));
}
