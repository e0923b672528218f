/**
 * A profile as text: what calls for eyes first, then columns with small histograms, labels, and the rows themselves by
 * file and line. No line is wider than asked; control characters and colours of somebody's data do not reach the terminal.
 */
import type {
  ColumnProfile,
  Distribution,
  Histogram,
  Profile,
  RowGroup,
  RowPlace,
} from "../../data/profile/profile.ts";
import { bar } from "../../text/canvas/bar.ts";
import { asciiGlyphs, type Glyphs } from "../../text/glyph.ts";
import { toldApart } from "../../text/look-alike.ts";
import { clean, clip, wrap } from "../../text/width.ts";
import { plural } from "../../protocol/plural.ts";
import { finePercent, formatMetric } from "../../text/figure.ts";
import { fields, table } from "../../text/table.ts";

export interface ProfileTextOptions {
  readonly glyphs: Glyphs;
  /** Columns of the terminal. */
  readonly width: number;
  /** Groups of rows listed of each kind. */
  readonly groups: number;
}

const standard: ProfileTextOptions = { glyphs: asciiGlyphs, width: 120, groups: 10 };
const sentenceWidthLeast = 20;
const barWidth = 20;
const nameWidth = 24;
const valueWidth = 32;
const frequentShown = 3;
const languagesShown = 5;
const tokensShown = 12;

export function profileText(profile: Profile, options: Partial<ProfileTextOptions> = {}): string {
  const print = new ProfilePrint(profile, { ...standard, ...options });
  return print
    .parts()
    .filter((part) => part !== "")
    .join("\n\n");
}

class ProfilePrint {
  readonly #profile: Profile;
  readonly #options: ProfileTextOptions;

  constructor(profile: Profile, options: ProfileTextOptions) {
    this.#profile = profile;
    this.#options = options;
  }

  parts(): string[] {
    return [
      this.#head(),
      this.#findings(),
      this.#columns(),
      this.#becomes(),
      this.#frequent(),
      this.#labels(),
      ...this.#groups(),
      this.#scan(),
      this.#tokens(),
    ].map((part) =>
      part
        .split("\n")
        .map((line) => this.#fit(line))
        .join("\n"),
    );
  }

  #fit(line: string): string {
    const { width, glyphs } = this.#options;
    return clip(clean(line, glyphs.ascii), width, glyphs.ellipsis).trimEnd();
  }

  #cut(text: string, width: number): string {
    const { glyphs } = this.#options;
    return clip(clean(text, glyphs.ascii), width, glyphs.ellipsis);
  }

  #head(): string {
    const { name, rows, splits, columns } = this.#profile;
    const inSplits = splits.map(({ split, rows: some }) => `${split} ${some}`).join(", ");
    return `${name}: ${plural(rows, "row")}${inSplits === "" ? "" : ` (${inSplits})`}, ${plural(columns.length, "column")}`;
  }

  /** Sentences are wrapped, never cut. */
  #findings(): string {
    const { findings } = this.#profile;
    if (findings.length === 0) return "nothing in it calls for attention";
    const rowsWidth = Math.max(4, ...findings.map(({ rows }) => String(rows).length));
    const indent = "FINDING".length + 2 + rowsWidth + 2;
    const lines = findings.flatMap(({ severity, rows, sentence }) =>
      wrap(sentence, Math.max(sentenceWidthLeast, this.#options.width - indent)).map((part, at) =>
        at === 0
          ? `${severity.padEnd("FINDING".length)}  ${String(rows).padStart(rowsWidth)}  ${part}`
          : " ".repeat(indent) + part,
      ),
    );
    return [`FINDING  ${"ROWS".padStart(rowsWidth)}  WHAT`, ...lines].join("\n");
  }

  /** What the label's values are shows in the table of labels. */
  #columnsBesideLabel(): readonly ColumnProfile[] {
    const { columns, labels } = this.#profile;
    return columns.filter(({ name }) => name !== labels?.column);
  }

  #columns(): string {
    const rows = this.#columnsBesideLabel().flatMap(rowsOfColumn);
    return table(
      rows,
      [
        { head: "COLUMN", cell: ({ name }) => this.#cut(name, nameWidth) },
        { head: "TYPE", cell: ({ type }) => this.#cut(type, nameWidth) },
        {
          head: "MISSING",
          cell: ({ column }) => (column === null ? "" : finePercent(column.missing / column.rows)),
          right: true,
        },
        { head: "DISTINCT", cell: ({ column }) => (column === null ? "" : distinctOf(column)), right: true },
        { head: "MIN", cell: ({ min }) => this.#cut(min, nameWidth), right: true },
        { head: "MEDIAN", cell: ({ values }) => formatMetric(medianOf(values)), right: true },
        { head: "MEAN", cell: ({ values }) => formatMetric(values?.mean ?? null), right: true },
        { head: "SD", cell: ({ values }) => formatMetric(values?.sd ?? null), right: true },
        { head: "MAX", cell: ({ max }) => this.#cut(max, nameWidth), right: true },
        { head: "", cell: ({ values }) => (values === null ? "" : this.#spark(values.histogram)) },
      ],
      "",
    );
  }

  /** What training reads in a column's place. */
  #becomes(): string {
    const told = this.#columnsBesideLabel().filter(({ becomes }) => becomes !== undefined);
    if (told.length === 0) return "";
    return table(
      told,
      [
        { head: "COLUMN", cell: ({ name }) => this.#cut(name, nameWidth) },
        { head: "WHAT THE PLAN MAKES OF IT", cell: ({ becomes }) => becomes ?? "" },
      ],
      "",
    );
  }

  /** Counts as heights; what is there at all never looks like nothing. */
  #spark({ counts }: Histogram): string {
    const { spark } = this.#options.glyphs;
    const most = Math.max(...counts);
    return counts
      .map((count) =>
        count === 0
          ? " "
          : (spark[Math.min(spark.length - 1, Math.floor((count / most) * spark.length))] ?? ""),
      )
      .join("");
  }

  #frequent(): string {
    const rows = this.#columnsBesideLabel().flatMap((column) =>
      column.frequent
        .filter(({ rows: some }) => some > 1)
        .slice(0, frequentShown)
        .map((value) => ({ column, ...value })),
    );
    return table(
      rows,
      [
        { head: "COLUMN", cell: ({ column }) => this.#cut(column.name, nameWidth) },
        { head: "FREQUENT VALUE", cell: ({ value }) => this.#cut(value, valueWidth) },
        {
          head: "ROWS",
          cell: ({ rows: some, undercount }) =>
            undercount === 0 ? String(some) : `${some} to ${some + undercount}`,
          right: true,
        },
      ],
      "",
    );
  }

  #labels(): string {
    const { labels, rows } = this.#profile;
    if (labels === null) return "";
    const most = Math.max(...labels.overall.map((label) => label.rows));
    const shown = toldApart(labels.overall.map(({ label }) => label));
    return table(
      labels.overall,
      [
        { head: "LABEL", cell: ({ label }) => this.#cut(shown.get(label) ?? label, nameWidth) },
        { head: "ROWS", cell: ({ rows: some }) => String(some), right: true },
        { head: "SHARE", cell: ({ rows: some }) => finePercent(some / rows), right: true },
        { head: "", cell: ({ rows: some }) => `[${bar(some, most, barWidth, this.#options.glyphs)}]` },
        ...labels.splits.map(({ split, labels: inSplit }) => ({
          head: split.toUpperCase(),
          cell: ({ label }: { readonly label: string }) =>
            String(inSplit.find((each) => each.label === label)?.rows ?? 0),
          right: true,
        })),
      ],
      "",
    );
  }

  #groups(): string[] {
    const { text } = this.#profile;
    if (text === null) return [];
    const leaks = text.leakage.map(({ from, to, sameRows, nearRows, groups }) =>
      this.#list(
        `In ${from} and in ${to} (${sameRows} rows of ${to} the same, ${nearRows} nearly)`,
        groups,
        groups.length,
      ),
    );
    return [
      this.#list("The same text under different labels", text.conflicts.listed, text.conflicts.groups),
      ...leaks,
      this.#list("The same text more than once", text.exact.listed, text.exact.groups),
      this.#list(
        `Nearly the same text (overlap ${text.near.threshold} or more)`,
        text.near.listed,
        text.near.groups,
      ),
    ];
  }

  #list(title: string, groups: readonly RowGroup[], all: number): string {
    if (groups.length === 0) return "";
    const shown = groups.slice(0, this.#options.groups);
    const lines = shown.flatMap(({ rows, places }) => {
      const more = rows - places.length;
      return [
        ...places.map((place) => this.#place(place)),
        ...(more > 0 ? [`    and ${plural(more, "row")} more`] : []),
        "",
      ];
    });
    const rest = all - shown.length;
    return [
      `${title}:`,
      ...lines.slice(0, -1),
      ...(rest > 0 ? [`and ${plural(rest, "more group")}`] : []),
    ].join("\n");
  }

  #place({ split, file, line, label, text }: RowPlace): string {
    const where = `${this.#profile.files[file] ?? ""}:${line}`;
    return `  ${[where, split, label === null ? "" : `[${label}]`, text].filter((part) => part !== "").join("  ")}`;
  }

  #scan(): string {
    const { text } = this.#profile;
    if (text === null) return "";
    const { rows, of } = text.scanned;
    const places = (examples: readonly string[]) =>
      examples.length === 0 ? "" : ` (${examples.join(", ")})`;
    const at = ({ file, line }: Pick<RowPlace, "file" | "line">) =>
      `${this.#profile.files[file] ?? ""}:${line}`;
    return fields([
      ["looked into", rows === of ? `all ${plural(of, "row")}` : `${rows} of ${of} rows, drawn by a hash`],
      [
        "languages",
        text.languages
          .slice(0, languagesShown)
          .map((each) => `${each.language} ${finePercent(each.rows / rows)}`)
          .join(", ") || "-",
      ],
      ...text.personal.map(({ kind, rows: some, examples }): [string, string] => [
        kind,
        plural(some, "row") + places(examples.map((each) => `${at(each)} ${each.masked}`)),
      ]),
      ...text.unicode.map(({ kind, rows: some, examples }): [string, string] => [
        kind,
        plural(some, "row") + places(examples.map(at)),
      ]),
    ]);
  }

  #tokens(): string {
    return table(
      (this.#profile.text?.tokens ?? []).slice(0, tokensShown),
      [
        { head: "TOKEN", cell: ({ token }) => this.#cut(token, nameWidth) },
        { head: "SPEAKS FOR", cell: ({ label }) => this.#cut(label, nameWidth) },
        { head: "Z", cell: ({ z }) => z.toFixed(1), right: true },
        { head: "ROWS", cell: ({ rows }) => String(rows), right: true },
        { head: "OF THAT LABEL", cell: ({ labelRows, rows }) => finePercent(labelRows / rows), right: true },
        { head: "", cell: ({ givesAway }) => (givesAway ? "gives it away" : "") },
      ],
      "",
    );
  }
}

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  /** null on a column's second line. */
  readonly column: ColumnProfile | null;
  readonly values: Distribution | null;
  readonly min: string;
  readonly max: string;
}

/** A column of texts has two lines: its characters and its words. */
function rowsOfColumn(column: ColumnProfile): ColumnRow[] {
  const measured = (values: Distribution) => ({
    values,
    min: formatMetric(values.min),
    max: formatMetric(values.max),
  });
  const { name, type } = column;
  switch (column.kind) {
    case "number":
      return [{ name, type, column, ...measured(column.values) }];
    case "text":
      return [
        { name, type: "characters", column, ...measured(column.characters) },
        { name: "", type: "words", column: null, ...measured(column.words) },
      ];
    case "other":
      return [{ name, type, column, values: null, min: column.min ?? "-", max: column.max ?? "-" }];
  }
}

function medianOf(values: Distribution | null): number | null {
  return values?.quantiles.find(({ q }) => q === 0.5)?.value ?? null;
}

function distinctOf({ distinct }: ColumnProfile): string {
  return `${distinct.relativeError === 0 ? "" : "~"}${Math.round(distinct.estimate)}`;
}
