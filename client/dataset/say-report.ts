/** What a build left out or read otherwise than it stood there, one line each. */
import type { BuildReport } from "../../data/version/build-dataset.ts";
import { describeBadRow } from "../../data/row/bad-row.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { plural } from "../../protocol/plural.ts";

export function reportLines(manifest: Manifest, report: BuildReport): readonly string[] {
  const { leaks, name } = manifest;
  const [bad] = report.bad;
  return [
    ...(bad === undefined
      ? []
      : [`${plural(report.badCount, "row")} rejected, the first ${bad.path}, ${describeBadRow(bad)}`]),
    ...(report.latin1Lines > 0
      ? [`${plural(report.latin1Lines, "line")} read as ISO-8859-1, being no UTF-8`]
      : []),
    ...(report.leakedRows > 0
      ? [
          `${plural(report.leakedRows, "training row")} left out, since a held-out split has the same text${firstLeak(leaks)}`,
        ]
      : []),
    ...report.notes,
  ].map((line) => `dataset ${name}: ${line}`);
}

function firstLeak([leak]: Manifest["leaks"]): string {
  return leak === undefined
    ? ""
    : `; the first is ${leak.source}:${leak.line}, as ${leak.heldSource}:${leak.heldLine} in ${leak.heldSplit}`;
}
