/** A profile as one HTML page: what was found first, then labels, columns, values, and the rows to look at. */
import type { LabelErrors } from "../../../data/quality/find-label-errors.ts";
import type { Profile } from "../../../data/profile/profile.ts";
import { plural } from "../../../protocol/plural.ts";
import { shortDigest } from "../../../text/figure.ts";
import type { PageParts } from "../chart-library.ts";
import { remarkList } from "./html-table.ts";
import { pageShell } from "./page-shell.ts";
import { labelChart, languageSection, missingSection, shortNumber, valueSection } from "./profile-charts.ts";
import { columnTable, suspectSection, textSections } from "./profile-tables.ts";

/** `errors`: null where labels were not judged. */
export function profilePage(profile: Profile, errors: LabelErrors | null, parts: PageParts): string {
  const { files, findings, labels, name, text } = profile;
  return pageShell(
    {
      title: `Dataset ${name}`,
      subtitle: "its profile, made by trialmesh",
      facts: factsOf(profile, errors),
      sections: [
        {
          kind: "html",
          title: "Findings",
          html: remarkList(findings, "Nothing was found that should worry anybody."),
        },
        ...(labels === null ? [] : [{ kind: "chart" as const, chart: labelChart(labels) }]),
        ...suspectSection(errors),
        ...(text === null ? [] : textSections(text, files)),
        columnTable(profile),
        ...missingSection(profile),
        ...valueSection(profile),
        ...(text === null ? [] : languageSection(text)),
      ],
    },
    parts,
  );
}

function factsOf(
  { columns, digest, files, labels, rows, splits, text }: Profile,
  errors: LabelErrors | null,
): readonly (readonly [string, string])[] {
  return [
    ["Rows", String(rows)],
    ["Splits", splits.map(({ rows: count, split }) => `${split} ${count}`).join(", ") || "none"],
    ["Version", digest === null ? "none" : shortDigest(digest)],
    ["Sources", files.join(", ") || "unknown"],
    ["Columns", plural(columns.length, "column")],
    ...(labels === null
      ? []
      : [
          [
            "Labels",
            `${plural(labels.overall.length, "label")}${labels.ratio === null ? "" : `, the largest ${shortNumber(labels.ratio)} times the smallest`}`,
          ] as const,
        ]),
    ...(text === null
      ? []
      : ([
          ["Duplicates", `${plural(text.exact.extraRows, "row")} exact, ${text.near.extraRows} near`],
          ["Conflicting labels", plural(text.conflicts.groups, "text")],
          [
            "Leakage",
            plural(
              text.leakage.reduce((sum, leak) => sum + leak.sameRows + leak.nearRows, 0),
              "held-out row",
            ),
          ],
        ] as const)),
    ...(errors === null ? [] : [["Likely wrong labels", `${errors.suspects} of ${errors.judged}`] as const]),
  ];
}
