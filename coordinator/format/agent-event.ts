/** What happens to agents, as it stands in the journal since format 2. */
import * as z from "zod";
import { storedCapability, storedPolicy } from "./stored-machine.ts";
import { storedFence, storedId } from "./stored-value.ts";

const agent = storedId;

export const agentEvents = [
  z.strictObject({
    kind: z.literal("AgentJoined"),
    agent,
    incarnation: z.string(),
    capability: storedCapability,
    policy: storedPolicy,
    /** By kind of task: the natural logarithm of the rate claimed now over that before, where something was learned against it. */
    claims: z.record(z.string(), z.number()).exactOptional(),
  }),
  z.strictObject({ kind: z.literal("AgentSeen"), agent }),
  /** `revoked`: its credential was taken back; left out where it was only heard no more. */
  z.strictObject({ kind: z.literal("AgentSilent"), agent, revoked: z.literal(true).exactOptional() }),
  z.strictObject({ kind: z.literal("AgentClosed"), agent, reason: z.string().nullable() }),
  z.strictObject({ kind: z.literal("AgentDraining"), agent, drain: z.boolean() }),
  z.strictObject({
    kind: z.literal("AgentCordoned"),
    agent,
    cordon: z.boolean(),
    /** Why the coordinator quarantined it; left out where somebody cordoned it. */
    reason: z.string().optional(),
  }),
  /** A report that came too late to count: kept as a note, changes nothing. */
  z.strictObject({ kind: z.literal("ReportNoted"), agent, fence: storedFence, report: z.string() }),
] as const;
