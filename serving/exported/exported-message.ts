/** What the process that answers with a folder of our own export is told and tells. */
import * as z from "zod";
import { sentenceText, storedList, storedRecord, storedText } from "../../protocol/bound.ts";

const cellSchema = z.union([storedText, z.number(), z.boolean(), z.null()]);

export const exportedRequestSchema = z.discriminatedUnion("kind", [
  z.object({ id: z.int(), kind: z.literal("open"), folder: storedText }),
  z.object({
    id: z.int(),
    kind: z.literal("answer"),
    rows: storedList(storedRecord(storedText, cellSchema)),
  }),
]);

export const exportedReplySchema = z.discriminatedUnion("kind", [
  z.object({ id: z.int(), kind: z.literal("opened") }),
  /** Row after row. */
  z.object({ id: z.int(), kind: z.literal("answered"), rows: storedList(storedList(z.number())) }),
  /** A row that does not fit, in a sentence. */
  z.object({ id: z.int(), kind: z.literal("unfit"), why: sentenceText }),
  z.object({ id: z.int(), kind: z.literal("failed") }),
]);
export type ExportedReply = z.infer<typeof exportedReplySchema>;
