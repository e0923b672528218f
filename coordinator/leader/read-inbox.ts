/**
 * A message of the inbox as it comes in: whether its sender may say so much, what it says, and which of the bytes with it are what
 * they are called (CARRY-2). Nothing is decided or stored here; what cannot be read is set aside.
 */
import { digestOf } from "../../artifact/blob.ts";
import type { Delivered } from "../../protocol/bus/bus.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { Digest } from "../../protocol/id.ts";
import { parseOutside, refuse } from "../../protocol/refusal.ts";
import { batchBytesOf, readReports, type Contents } from "../../protocol/report-message.ts";
import { reportBatchSchema, type Report, type ReportBatch } from "../../protocol/report.ts";
import { agentOf } from "../../protocol/subjects.ts";
import type { SenderQuota } from "./sender-quota.ts";
import type { SetAside } from "./set-aside.ts";

export interface InboxReader {
  readonly clock: Clock;
  readonly quota: SenderQuota;
  readonly setAside: SetAside;
}

export interface ReadMessage {
  readonly message: Delivered;
  readonly agent: string;
  readonly reports: ReportBatch["reports"];
  /** Of its JSON. */
  readonly batchBytes: number;
  /** Those that are what they are called. */
  readonly contents: Contents;
  /** By what they are called, what the others are. */
  readonly forged: ReadonlyMap<Digest, string>;
}

/** Null where it was set aside, or is not taken for now: it comes again in a while, and takes up one of its agent's places until then. */
export function readInbox({ clock, quota, setAside }: InboxReader, message: Delivered): ReadMessage | null {
  const agent = agentOf(message.subject);
  // Before anything is read of it: reading is most of what it costs.
  const batchBytes = batchBytesOf(message.data);
  const carriedBytes = message.data.length - batchBytes;
  if (!quota.allows("report", `agent/${agent}`, batchBytes, clock.now(), carriedBytes)) return null;
  const read = readReports(message.data);
  const what = `report of ${agent}`;
  const batch =
    read === null
      ? refuse("invalid", `${what} does not have the bytes that it says come with it`)
      : parseOutside(reportBatchSchema, read.batch, what);
  if (read === null || !batch.ok) {
    const { length: bytes } = message.data;
    if (!batch.ok) setAside.note({ kind: "report", sender: agent, bytes, sentence: batch.refusal.message });
    message.ack();
    return null;
  }
  const contents = new Map(read.contents);
  const forged = new Map<Digest, string>();
  for (const [digest, content] of read.contents) {
    const found = digestOf(content);
    if (found === digest) continue;
    contents.delete(digest);
    forged.set(digest, found);
  }
  return { message, agent, reports: batch.value.reports, batchBytes, contents, forged };
}

/** Why a report does not count that names bytes which came and are something else; null where it names none. */
export function forgeryOf(
  { agent, forged }: Pick<ReadMessage, "agent" | "forged">,
  report: Report,
): string | null {
  if (forged.size === 0) return null;
  for (const digest of namedBy(report)) {
    const found = forged.get(digest);
    if (found !== undefined)
      return `the bytes that ${agent} sent as checkpoint ${digest.slice(0, 12)} have the digest ${found.slice(0, 12)}; its report does not count`;
  }
  return null;
}

function namedBy(report: Report): readonly Digest[] {
  if (report.kind !== "checkpoint" && report.kind !== "finished" && report.kind !== "stopped") return [];
  const { best, digest } = report;
  return [...(digest === null ? [] : [digest]), ...(best === undefined ? [] : [best.digest])];
}
