/** Where artifacts lie as far as anybody has said: the answer to the query `holders`. Whether they can be reached is another question. */
import * as z from "zod";
import { answerList, answerText } from "./bound.ts";

export const holdersView = z.object({
  /** In the order that was asked. */
  artifacts: answerList(
    z.object({
      digest: answerText,
      /** Agents that are present and say that they hold all of it, by name. */
      agents: answerList(answerText),
      /** Agents that are bringing it. */
      bringing: answerList(answerText),
      /** Whether the mesh's store has it, by itself or in a pack. */
      inStore: z.boolean(),
    }),
  ),
});
export type ArtifactHolders = z.infer<typeof holdersView>["artifacts"][number];
