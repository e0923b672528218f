/** What the coordinator's projection keeps of an agent. */
import * as z from "zod";
import { storedCapability, storedPolicy } from "./stored-machine.ts";
import { storedCount, storedId } from "./stored-value.ts";

/** Measured speed over what the agent's probe claimed, as a natural logarithm, and from how many attempts. */
const speed = z.strictObject({ attempts: storedCount, logFactor: z.number() });

export const agentEntity = z.strictObject({
  agent: storedId,
  incarnation: z.string(),
  /** Its runs before this one, the newest first; not all there ever were. */
  earlier: z.array(z.string()),
  capability: storedCapability,
  policy: storedPolicy,
  present: z.boolean(),
  /** Its credential was taken back, and it has not joined anew. */
  revoked: z.literal(true).exactOptional(),
  /** Why the owner's policy takes no work just now; null when it does. */
  closed: z.string().nullable(),
  draining: z.boolean(),
  /** Takes no new work; what runs there goes on. */
  cordoned: z.boolean(),
  /** Why the coordinator quarantined it; null where it did not. */
  cordonReason: z.string().nullable(),
  /** Trials in a row that failed here and that others then finished. */
  contradicted: storedCount,
  /** What real trials showed of its speed, by kind of task. */
  speed: z.record(z.string(), speed),
});
