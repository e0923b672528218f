/**
 * What links a message of the journal to the one before it: the hash it carries. Read without the rest, since a chain whose end
 * is known needs no other proof of what lies in it, nor a reader that knows every event.
 */
import * as z from "zod";
import { fromOldBytes } from "../../protocol/json-bytes.ts";

/** Every format begins with its version, its epoch and this. */
const beginning = /^\{"v":\d+,"epoch":\d+,"prev":"([0-9a-f]*)"/;
const beginningBytesMax = 128;
const linkSchema = z.object({ prev: z.string() });

/** The hash of the message before this one; null where it names none. */
export function prevOf(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, beginningBytesMax));
  const found = beginning.exec(start.toString("latin1"))?.[1];
  if (found !== undefined) return found;
  return linkSchema.safeParse(fromOldBytes(bytes)).data?.prev ?? null;
}
