/** Patterns for metrics: RE2's regular expressions with two groups, a name and a value. */
import { regularExpression } from "../../text/regular-expression.ts";
import { describe } from "../yaml/explain-issue.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { report, type SpaceReading } from "./read-distribution.ts";

/** Tells every format that is no expression, or has fewer groups: it would find nothing, and say nothing. */
export function checkFormats(
  reading: Pick<SpaceReading, "yaml" | "problems">,
  formats: readonly string[],
  base: Path = ["metricFormat"],
): void {
  for (const [index, format] of formats.entries()) {
    const fault = formatFault(format);
    if (fault !== null) report(reading, [...base, index], fault);
  }
}

const groupsNeeded = 2;

function formatFault(format: string): string | null {
  const read = regularExpression(format);
  if (!read.ok) return `${describe(format)} ${read.refusal.message}`;
  return read.value.groups >= groupsNeeded
    ? null
    : `${describe(format)} needs two groups in brackets: one for the metric's name, one for its value`;
}
