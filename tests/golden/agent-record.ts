/** What an agent of the version before this one said to a coordinator, message by message. How it was recorded: `make-agent-record.ts`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { goldenFolder } from "./golden-home.ts";

const messageSchema = z.strictObject({
  /** `hello` is answered; `inbox` is kept in a stream until it is acknowledged. */
  on: z.enum(["hello", "presence", "inbox"]),
  body: z.record(z.string(), z.unknown()),
});
export type AgentMessage = z.infer<typeof messageSchema>;

export const recordedAgent = "old";
/** The sweeps it worked for, in their order: the second was stopped while it ran. */
export const recordedSweeps = [
  { name: "ends", trials: 3, max: 2, milliseconds: 20 },
  { name: "stopped", trials: 1, max: 500, milliseconds: 200 },
] as const;

export const agentRecordFile: string = join(goldenFolder, "agent-1.jsonl");

export function agentRecord(): readonly AgentMessage[] {
  return readFileSync(agentRecordFile, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => messageSchema.parse(JSON.parse(line)));
}
