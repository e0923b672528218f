/**
 * One message of the journal: a batch of events with the leader's epoch, its time, and the hash of the
 * message before it. JOURNAL-1: a batch whose `prev` is not its predecessor's hash does not belong here.
 *
 * FORMAT-2: every format that was ever written is read, and the newest is written. What this version does not know in full it
 * does not read at all: a part of it left out would be lost with the next write.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { fromOldBytes, toBytes } from "../../protocol/json-bytes.ts";
import { eventSchema, type Event } from "../format/event.ts";
import { event1Schema } from "./format-1/event-1.ts";

/** The newest format, which is written. */
export const journalFormat = 3;
/** The first whose messages coordinators sign: `seal.ts`. */
export const firstSealedFormat = 3;

const head = { epoch: z.int().positive(), prev: z.string(), at: z.number() };
const batchSchema = z.discriminatedUnion("v", [
  z.strictObject({ v: z.literal(1), ...head, events: z.array(event1Schema).min(1) }),
  z.strictObject({ v: z.literal(2), ...head, events: z.array(eventSchema).min(1) }),
  z.strictObject({
    v: z.literal(journalFormat),
    ...head,
    /** The sequence of the journal's first signed message. */
    signedFrom: z.int().positive(),
    events: z.array(eventSchema).min(1),
  }),
]);
/** A batch in the format it was written in. */
export type Batch = z.infer<typeof batchSchema>;

export interface NewBatch {
  readonly epoch: number;
  readonly prev: string;
  readonly at: number;
  readonly signedFrom: number;
  readonly events: readonly Event[];
  /** The events as JSON, where the caller has them already. */
  readonly texts?: readonly string[];
}

/** Hash before the first message. */
export const genesisHash = "";

/** Without the signature that it needs to count. */
export function encodeBatch({ at, epoch, events, prev, signedFrom, texts }: NewBatch): Uint8Array {
  if (texts === undefined) return toBytes({ v: journalFormat, epoch, prev, at, signedFrom, events });
  const head = JSON.stringify({ v: journalFormat, epoch, prev, at, signedFrom });
  return Buffer.from(`${head.slice(0, -1)},"events":[${texts.join(",")}]}`);
}

export type BatchReading =
  | { readonly kind: "read"; readonly batch: Batch }
  /** A version after this one wrote it; `what` is not known here. */
  | { readonly kind: "newer"; readonly what: string }
  | { readonly kind: "broken"; readonly what: string };

export function decodeBatch(bytes: Uint8Array): BatchReading {
  const raw = fromOldBytes(bytes);
  const parsed = batchSchema.safeParse(raw, { reportInput: true });
  if (parsed.success) return { kind: "read", batch: parsed.data };
  const format = formatOf(raw);
  if (format > journalFormat) return newerFormat(format);
  const { issues } = parsed.error;
  const unknown = format < 1 ? undefined : issues.find(isUnknown);
  if (unknown !== undefined) return { kind: "newer", what: whatOf(unknown) };
  const [first] = issues;
  return { kind: "broken", what: first === undefined ? "it does not parse" : whatOf(first) };
}

/** The number of a message's format; 0 where it says none. */
export function formatOf(raw: unknown): number {
  return z.object({ v: z.int() }).safeParse(raw).data?.v ?? 0;
}

export function newerFormat(format: number): BatchReading {
  return { kind: "newer", what: `its format is ${format}, and this version reads up to ${journalFormat}` };
}

type Issue = z.core.$ZodIssue;

/** A key, a kind of event or a choice that this version has not heard of, at whatever depth. */
function isUnknown(issue: Issue): boolean {
  if (issue.code === "unrecognized_keys") return true;
  // What is missing is no choice that somebody made.
  if (issue.code === "invalid_value") return issue.input !== undefined;
  if (issue.code !== "invalid_union") return false;
  return issue.errors.length === 0 || issue.errors.some((errors) => errors.some(isUnknown));
}

function whatOf(issue: Issue): string {
  const where = issue.path.map(String).join(".");
  return where === "" ? issue.message : `field ${where}: ${issue.message}`;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
