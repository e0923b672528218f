/** What goes out of sight where an entry of the registry is removed, and what stands on it: the same before and after. */
import * as z from "zod";
import { answerList, answerText } from "./bound.ts";

export const removalView = z.object({
  /** As people write it: `language-id@3`, `language-id`. */
  entry: answerText,
  versions: answerList(z.int().positive()),
  /** Of their artifacts, each counted once. */
  bytes: z.int().nonnegative(),
  /** In words; it stays as it is. */
  dependents: answerList(answerText),
});
export type RemovalView = z.infer<typeof removalView>;
