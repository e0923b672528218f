/**
 * What keeps a requester's program from the rest of a machine, and what of the network it has: the words in which an agent says it
 * and a requester asks for it. How a program is confined is the agent's.
 */
import * as z from "zod";
import { cutText, sentenceCharactersMax } from "./bound.ts";

/** The ladder, lowest first. `none`: it runs with all that the agent's user may do. */
export const sandboxRungs = ["none", "bubblewrap"] as const;
export const sandboxRungSchema = z.enum(sandboxRungs);
export type SandboxRung = z.infer<typeof sandboxRungSchema>;

/** What programs reach: nothing, or all that the machine reaches. */
export const programNetworks = ["none", "all"] as const;
export type ProgramNetwork = (typeof programNetworks)[number];

export const sandboxViewSchema = z.object({
  rung: sandboxRungSchema,
  network: z.enum(programNetworks),
  /** What stands between this machine and a higher rung; null on the highest. */
  missing: cutText(sentenceCharactersMax).nullable(),
});
export type SandboxView = z.infer<typeof sandboxViewSchema>;

/** SANDBOX-9. Whether a program there is confined at least as well. An agent of before the ladder has none. */
export function isConfined(has: SandboxView | undefined, wanted: SandboxRung): boolean {
  return sandboxRungs.indexOf(has?.rung ?? "none") >= sandboxRungs.indexOf(wanted);
}
