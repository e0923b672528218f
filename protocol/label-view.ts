/** What people made of something on record, as views have it: tags, a note, that it is out of sight. */
import * as z from "zod";
import { answerList, answerText } from "./bound.ts";

/** Each absent where nobody wrote any. */
export const labels = {
  tags: answerList(answerText).exactOptional(),
  notes: answerText.exactOptional(),
};

/** Who took it out of sight, why and when; absent where it is in sight. */
export const removed = z.object({ by: answerText, why: answerText, at: z.number() });
