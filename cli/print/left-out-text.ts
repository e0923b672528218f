/** Training rows that a build left out because a held-out split has their text: where each stood, and where its twin is. */
import type { Manifest } from "../../data/manifest/manifest.ts";

const shownMost = 20;

/** Empty where none was. */
export function leftOutText({ leakedRows, leaks }: Manifest): string {
  if (leaks.length === 0) return "";
  const shown = leaks.slice(0, shownMost);
  const rest = leakedRows - shown.length;
  return [
    `Left out of training when it was built, since a held-out split has the text (${leakedRows}):`,
    ...shown.map(
      ({ heldLine, heldSource, heldSplit, line, source }) =>
        `  ${source}:${line}  as ${heldSource}:${heldLine} in ${heldSplit}`,
    ),
    ...(rest > 0 ? [`and ${rest} more`] : []),
  ].join("\n");
}
