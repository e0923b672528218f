/**
 * Asks the leader for another agent that holds a checkpoint too, and waits until one does. The name of that agent, or null where there is
 * none, or nobody leads who knows of replicas: the mesh's own store is to hold it then.
 */
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { answerSchema } from "../protocol/command.ts";
import type { Digest, Fence } from "../protocol/id.ts";
import { fromBytes, toBytes } from "../protocol/json-bytes.ts";
import { subjectsOf } from "../protocol/subjects.ts";
import { sleep, type Clock } from "../protocol/time/clock.ts";
import { replicaAnswerSchema, type Track } from "../protocol/tracking.ts";

/** Longer than the leader lets anybody wait for an answer. */
const timeoutMs = 5_000;
/** Between two questions, where an answer came at once. */
const againMs = 50;
/** Answers that fail to come, as in an election, before it is given up. */
const silentMax = 3;

export interface AskReplicaOptions {
  readonly bus: Pick<Bus, "request">;
  readonly mesh: string;
  readonly clock: Clock;
}

export interface Replicated {
  readonly digest: Digest;
  readonly bytes: number;
  /** Of the lease under which it was made: that is what it is held for. */
  readonly fence: Fence;
}

export async function askReplica(
  { bus, clock, mesh }: AskReplicaOptions,
  { bytes, digest, fence }: Replicated,
): Promise<string | null> {
  const asked: Track = { kind: "replicate", digest, bytes, fence };
  for (let silent = 0; silent < silentMax;) {
    try {
      const answer = answerSchema.safeParse(
        fromBytes(await bus.request(subjectsOf(mesh).track, toBytes(asked), timeoutMs)),
      );
      if (!answer.success || !answer.data.ok) return null;
      const replica = replicaAnswerSchema.safeParse(answer.data.value);
      if (!replica.success || replica.data.state === "none") return null;
      if (replica.data.state === "held") return replica.data.by ?? null;
      silent = 0;
      await sleep(clock, againMs);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (error.kind !== "timeout") return null;
      silent++;
    }
  }
  return null;
}

/** This agent was asked to hold it, and does not. Where nobody hears that, it is noticed by the time it takes. */
export async function declineReplica(bus: Pick<Bus, "request">, mesh: string, digest: Digest): Promise<void> {
  const said: Track = { kind: "decline", digest };
  try {
    await bus.request(subjectsOf(mesh).track, toBytes(said), timeoutMs);
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
  }
}
