/**
 * One message of the journal: a batch of events with the leader's epoch, its time, and the hash of the
 * message before it. JOURNAL-1: a batch whose `prev` is not its predecessor's hash does not belong here.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { parseOutside, type Outcome } from "../../protocol/refusal.ts";
import { eventSchema } from "../state/event.ts";
import { upcast } from "./upcast.ts";

export const batchVersion = 1;

const batchSchema = z.object({
  v: z.literal(batchVersion),
  epoch: z.int().positive(),
  prev: z.string(),
  at: z.number(),
  events: z.array(eventSchema).min(1),
});
export type Batch = z.infer<typeof batchSchema>;

/** Hash before the first message. */
export const genesisHash = "";

export function encodeBatch(batch: Omit<Batch, "v">): Uint8Array {
  return toBytes({ v: batchVersion, ...batch });
}

export function decodeBatch(bytes: Uint8Array, where: string): Outcome<Batch> {
  return parseOutside<Batch>(batchSchema, upcast(fromBytes(bytes)), where);
}

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
