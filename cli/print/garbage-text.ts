/** What could go from the mesh's store, and what keeps an artifact there, as text. */
import type { GarbageView } from "../../protocol/garbage-view.ts";
import { plural } from "../../protocol/plural.ts";
import { formatDuration } from "../../text/duration.ts";
import { formatBytes, formatTime, shortDigest } from "../../text/figure.ts";
import { fields, table } from "../../text/table.ts";

/** `isDry`: nothing was asked for but to be told. */
export function garbageText(view: GarbageView, isDry: boolean): string {
  const { artifacts, garbage, leaving, restMs, retention, stored, storedBytes, young } = view;
  const left = garbage.artifacts - artifacts.length;
  const now = Date.now();
  const list = table(
    artifacts,
    [
      { head: "DIGEST", cell: ({ digest }) => shortDigest(digest) },
      { head: "SIZE", cell: ({ bytes }) => formatBytes(bytes), right: true },
      {
        head: "GOES",
        cell: ({ until }) => (until === null ? "not marked" : until <= now ? "next" : formatTime(until, now)),
      },
      { head: "WHY", cell: ({ why }) => why },
    ],
    "nothing would go: something refers to all that is stored, or it was stored only lately",
  );
  const said = [
    `${plural(garbage.artifacts, "artifact")} of ${formatBytes(garbage.bytes)} ${isDry ? "would go" : "are marked"}, of ${stored} stored with ${formatBytes(storedBytes)}`,
    ...(left > 0 ? [`${left} more are not listed; --limit lists more`] : []),
    ...(leaving.artifacts > 0
      ? [`${plural(leaving.artifacts, "artifact")} of ${formatBytes(leaving.bytes)} are being removed`]
      : []),
    ...(young.artifacts > 0
      ? [
          `${plural(young.artifacts, "artifact")} of ${formatBytes(young.bytes)} were stored so lately that somebody may be about to refer to them; they stay for up to ${formatDuration(retention.uploadMs)}`,
        ]
      : []),
    ...(restMs > 0 && garbage.artifacts > 0
      ? [
          `the coordinator has just begun to lead, and removes nothing in the next ${formatDuration(Math.ceil(restMs / 1000) * 1000)}`,
        ]
      : []),
    ...(isDry && garbage.artifacts > 0
      ? [
          `\`trialmesh gc\` marks them, and they go ${formatDuration(retention.graceMs)} later unless something refers to them by then`,
        ]
      : []),
  ];
  return `${list}\n\n${said.join("\n")}`;
}

const states: Readonly<Record<NonNullable<GarbageView["subject"]>["state"], string>> = {
  kept: "is kept",
  marked: "is marked to go, as nothing refers to it",
  collected: "was collected: its bytes are no longer kept",
  stored: "is stored, and nothing refers to it",
  "not stored": "is not in the mesh's store",
};

export function subjectText({ digest, reasons, state }: NonNullable<GarbageView["subject"]>): string {
  return [`${digest} ${states[state]}:`, ...reasons.map((reason) => `  ${reason}`)].join("\n");
}

export function policyText(retention: GarbageView["retention"]): string {
  const { checkpoints, graceMs, logsMs, removedMs, uploadMs } = retention;
  const logs: [string, string][] =
    logsMs === undefined ? [] : [["logs", `${formatDuration(logsMs)} for what the trials of a sweep wrote`]];
  return fields([
    ["checkpoints", `the best ${checkpoints} of each sweep, besides what is registered, pinned or goes on`],
    ["grace", `${formatDuration(graceMs)} between the mark and the removal`],
    ["removed", `${formatDuration(removedMs)} for what a removed sweep was run with, and its best`],
    ["uploads", `${formatDuration(uploadMs)} for what nothing speaks of`],
    ...logs,
    ["curves", "as long as their sweep; of trials that go on, the newest points and lines of each machine"],
    ["its own", "`keep` in a sweep's file goes before checkpoints and logs here"],
  ]);
}
