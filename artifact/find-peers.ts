/** Asks who holds an artifact. Nobody, where no leader answers: the mesh's own store is asked then. */
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { answerSchema } from "../protocol/command.ts";
import type { Digest } from "../protocol/id.ts";
import { fromBytes, toBytes } from "../protocol/json-bytes.ts";
import { subjectsOf } from "../protocol/subjects.ts";
import { foundSchema, type FoundPeer, type Track } from "../protocol/tracking.ts";

const timeoutMs = 2_000;

export async function findPeers(
  bus: Pick<Bus, "request">,
  mesh: string,
  digest: Digest,
): Promise<readonly FoundPeer[]> {
  const asked: Track = { kind: "find", digest };
  try {
    const answer = answerSchema.safeParse(
      fromBytes(await bus.request(subjectsOf(mesh).track, toBytes(asked), timeoutMs)),
    );
    if (!answer.success || !answer.data.ok) return [];
    return foundSchema.safeParse(answer.data.value).data?.peers ?? [];
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return [];
  }
}
