/** `keep` of a sweep file: what of its trials stays longer, or less long, than the mesh keeps by itself. Not what keeps it (`coordinator/collect`). */
import * as z from "zod";
import { checkpointsKeptMax } from "../../protocol/retention.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { durationText, formatDuration } from "../../text/duration.ts";

const minuteMs = 60_000;

/** A number alone is told what it lacks, and not that it is no text. */
const span = z
  .preprocess((value) => (typeof value === "number" ? String(value) : value), durationText)
  .meta({ type: "string" });

export const keepShape = z.strictObject({
  checkpoints: z
    .int()
    .nonnegative()
    .max(checkpointsKeptMax)
    .optional()
    .describe("So many checkpoints stay, the best; as the mesh says where it is left out."),
  logs: span
    .optional()
    .describe("For so long what trials wrote stays, such as 30d; as the mesh says where it is left out."),
});
type Keep = z.infer<typeof keepShape>;

export function keepOf(keep: Keep | undefined): Pick<SweepSpec, "keep"> {
  const { checkpoints, logs } = keep ?? {};
  if (checkpoints === undefined && logs === undefined) return {};
  return {
    keep: {
      ...(checkpoints === undefined ? null : { checkpoints }),
      ...(logs === undefined ? null : { logsMs: logs }),
    },
  };
}

/** As it is written. */
export function keepField({
  keep,
}: Pick<SweepSpec, "keep">): { checkpoints?: number; logs?: string } | undefined {
  if (keep === undefined) return undefined;
  const { checkpoints, logsMs } = keep;
  return {
    ...(checkpoints === undefined ? null : { checkpoints }),
    ...(logsMs === undefined ? null : { logs: spanText(logsMs) }),
  };
}

function spanText(ms: number): string {
  return ms % minuteMs === 0 ? formatDuration(ms) : `${ms / minuteMs}m`;
}
