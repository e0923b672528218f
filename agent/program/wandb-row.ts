/**
 * What the hook in a script (`wandb-hook/trialmesh_wandb.py`) writes of its calls of wandb, one JSON object a line. Anybody who runs
 * as the same user can write such lines, so each is held to its shape and size here (WLOG-6); what they mean is not said here.
 */
import * as z from "zod";
import { cutRecord, cutText, listOf, shortText } from "../../protocol/bound.ts";
import { spokenNumber } from "./spoken-number.ts";

/** Of one row, and the characters of a name: as many as a trial keeps. */
export const rowNamesMax = 500;
const nameCharactersMax = 250;
const kindCharactersMax = 60;
const waysMax = 10;

const run = shortText.min(1);
const name = cutText(nameCharactersMax);
const values = {
  numbers: cutRecord(spokenNumber, nameCharactersMax, rowNamesMax),
  /** What is no number: its Python type by its name. */
  others: cutRecord(cutText(kindCharactersMax), nameCharactersMax, rowNamesMax),
};

const rowSchema = z.discriminatedUnion("kind", [
  /** `wandb.init`; of several processes that train together the first has rank 0. */
  z.object({
    kind: z.literal("start"),
    run,
    name,
    mode: z.enum(["on", "disabled"]),
    rank: z.int().nonnegative(),
    version: cutText(kindCharactersMax),
  }),
  z.object({
    kind: z.literal("log"),
    run,
    step: z.int().nullable(),
    commit: z.boolean().nullable(),
    ...values,
  }),
  z.object({ kind: z.literal("summary"), run, ...values }),
  /** `define_metric` with a summary; a name may end in `*`. */
  z.object({
    kind: z.literal("metric"),
    run,
    name,
    ways: listOf(cutText(kindCharactersMax), waysMax),
    goal: z.enum(["minimize", "maximize"]),
  }),
  z.object({ kind: z.literal("finish"), run }),
]);
export type WandbRow = z.infer<typeof rowSchema>;
export type WandbValues = Pick<Extract<WandbRow, { kind: "log" }>, "numbers" | "others">;

/** Null where the line is no such row. */
export function readWandbRow(line: string): WandbRow | null {
  try {
    return rowSchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
