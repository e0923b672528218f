/** The tables of a profile: columns, and rows that somebody should look at, each with its file and line. */
import { percent } from "../../../text/figure.ts";
import type { LabelErrors } from "../../../data/quality/find-label-errors.ts";
import type {
  ColumnProfile,
  Profile,
  RowGroup,
  RowPlace,
  TextProfile,
} from "../../../data/profile/profile.ts";
import { shortNumber } from "./profile-charts.ts";
import { htmlTable, type HtmlColumn } from "./html-table.ts";
import type { Section } from "./page-shell.ts";

const frequentShown = 3;

export function columnTable({ columns }: Profile): Section {
  const html = htmlTable("Columns, as they stand in the version", columns, [
    { head: "Column", cell: ({ name }) => name },
    { head: "Type", cell: ({ type }) => type },
    { head: "Missing", kind: "number", cell: ({ missing }) => String(missing) },
    { head: "Different", kind: "number", cell: distinctText },
    { head: "Least", kind: "number", cell: (column) => rangeOf(column).min },
    { head: "Mean", kind: "number", cell: (column) => rangeOf(column).mean },
    { head: "Most", kind: "number", cell: (column) => rangeOf(column).max },
    {
      head: "Most frequent",
      kind: "text",
      cell: ({ frequent }) =>
        frequent
          .slice(0, frequentShown)
          .map(({ rows, value }) => `${value} (${rows})`)
          .join(", "),
    },
  ]);
  return { kind: "html", title: "Columns", html };
}

function distinctText({ distinct: { estimate, relativeError } }: ColumnProfile): string {
  return `${relativeError > 0 ? "about " : ""}${Math.round(estimate)}`;
}

/** Of texts, their length in characters. */
function rangeOf(column: ColumnProfile): {
  readonly min: string;
  readonly mean: string;
  readonly max: string;
} {
  if (column.kind === "other") return { min: column.min ?? "-", mean: "-", max: column.max ?? "-" };
  const { max, mean, min } = column.kind === "number" ? column.values : column.characters;
  const unit = column.kind === "text" ? " chars" : "";
  const text = (value: number | null) => (value === null ? "-" : `${shortNumber(value)}${unit}`);
  return { min: text(min), mean: text(mean), max: text(max) };
}

/** Sections only for what there is. */
export function textSections(text: TextProfile, files: readonly string[]): readonly Section[] {
  const { conflicts, exact, leakage, near } = text;
  const about = (estimated: boolean) => (estimated ? "about " : "");
  return [
    ...leakage
      .filter(({ groups }) => groups.length > 0)
      .map((leak) =>
        groupSection(
          `Leakage from ${leak.from} to ${leak.to}`,
          `${leak.sameRows} rows of ${leak.to} have a text that stands in ${leak.from} too, ${leak.nearRows} more one that is nearly the same`,
          leak.groups,
          files,
        ),
      ),
    ...some(conflicts.listed, (groups) =>
      groupSection(
        "Conflicting labels",
        `${about(conflicts.estimated)}${conflicts.groups} texts stand under more than one label, in ${conflicts.rows} rows`,
        groups,
        files,
      ),
    ),
    ...some(exact.listed, (groups) =>
      groupSection(
        "Duplicates",
        `${about(exact.estimated)}${exact.groups} texts stand more than once, but for case, spacing and digits; ${exact.extraRows} rows would go`,
        groups,
        files,
      ),
    ),
    ...some(near.listed, (groups) =>
      groupSection(
        "Near duplicates",
        `${near.groups} groups of texts share ${percent(near.threshold)} of their shingles or more; ${near.extraRows} rows would go`,
        groups,
        files,
      ),
    ),
    ...tokenSection(text),
    ...personalSection(text, files),
    ...unicodeSection(text, files),
  ];
}

interface Placed extends RowPlace {
  readonly first: boolean;
  readonly rest: number;
}

function groupSection(
  title: string,
  caption: string,
  groups: readonly RowGroup[],
  files: readonly string[],
): Section {
  const rows = groups.flatMap(({ places, rows: count }) =>
    places.map((place, at): Placed => ({
      ...place,
      first: at === 0,
      rest: at === places.length - 1 ? count - places.length : 0,
    })),
  );
  const html = htmlTable(caption, rows, placeColumns(files), ({ first }) => first);
  return { kind: "html", title, html };
}

function placeColumns(files: readonly string[]): readonly HtmlColumn<Placed>[] {
  return [
    {
      head: "Place",
      cell: ({ file, line, rest }) => `${files[file] ?? "row"}:${line}${rest > 0 ? ` and ${rest} more` : ""}`,
    },
    { head: "Split", cell: ({ split }) => split || "-" },
    { head: "Label", cell: ({ label }) => label ?? "-" },
    { head: "Text", kind: "text", cell: ({ text }) => text },
  ];
}

function tokenSection({ tokens }: TextProfile): readonly Section[] {
  return some(tokens, (listed) => ({
    kind: "html",
    title: "Words that speak for a label",
    html: htmlTable(
      "Strongest first; a word that gives its label away may be an accident of how the data was made",
      listed,
      [
        { head: "Word", cell: ({ token }) => token },
        { head: "Label", cell: ({ label }) => label },
        { head: "Rows", kind: "number", cell: ({ rows }) => String(rows) },
        {
          head: "Of the label",
          kind: "number",
          cell: ({ labelRows, rows }) => percent(labelRows / Math.max(1, rows)),
        },
        { head: "z", kind: "number", cell: ({ z }) => z.toFixed(1) },
        { head: "Gives it away", cell: ({ givesAway }) => (givesAway ? "yes" : "") },
      ],
    ),
  }));
}

function personalSection({ personal }: TextProfile, files: readonly string[]): readonly Section[] {
  const rows = personal.flatMap(({ examples, kind, rows: count }) =>
    examples.map((example) => ({ ...example, kind, count })),
  );
  return some(rows, (listed) => ({
    kind: "html",
    title: "Likely personal data",
    html: htmlTable("Examples, with most of each masked", listed, [
      { head: "Place", cell: ({ file, line }) => `${files[file] ?? "row"}:${line}` },
      { head: "Kind", cell: ({ kind }) => kind },
      { head: "Rows", kind: "number", cell: ({ count }) => String(count) },
      { head: "Masked", kind: "text", cell: ({ masked }) => masked },
    ]),
  }));
}

function unicodeSection({ unicode }: TextProfile, files: readonly string[]): readonly Section[] {
  const rows = unicode.flatMap(({ examples, kind, rows: count }) =>
    examples.map((example) => ({ ...example, kind, count })),
  );
  return some(rows, (listed) => ({
    kind: "html",
    title: "Broken characters",
    html: htmlTable("Examples of texts that were read or written in the wrong encoding", listed, [
      { head: "Place", cell: ({ file, line }) => `${files[file] ?? "row"}:${line}` },
      { head: "Kind", cell: ({ kind }) => kind },
      { head: "Rows", kind: "number", cell: ({ count }) => String(count) },
      { head: "Text", kind: "text", cell: ({ text }) => text },
    ]),
  }));
}

export function suspectSection(errors: LabelErrors | null): readonly Section[] {
  if (errors === null || errors.listed.length === 0) return [];
  const caption = `${errors.suspects} of ${errors.judged} labels are likely wrong; the first ${errors.listed.length}, most suspect first. The model that judges them agrees with ${percent(errors.agreement)} of the labels it has not seen.`;
  const html = htmlTable(caption, errors.listed, [
    {
      head: "Place",
      cell: ({ file, line }) => `${file === "" ? "row" : file}${line === null ? "" : `:${line}`}`,
    },
    { head: "Split", cell: ({ split }) => split || "-" },
    { head: "Label", cell: ({ label }) => label },
    { head: "Perhaps", cell: ({ suggested }) => suggested },
    { head: "Score", kind: "number", cell: ({ score }) => score.toFixed(2) },
    { head: "Text", kind: "text", cell: ({ text }) => text },
  ]);
  return [{ kind: "html", title: "Labels that may be wrong", html }];
}

function some<Row>(rows: readonly Row[], section: (rows: readonly Row[]) => Section): readonly Section[] {
  return rows.length === 0 ? [] : [section(rows)];
}
