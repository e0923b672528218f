/** Asks who holds an artifact, and who passes on. Nobody, where no leader answers: the mesh's own store is asked then. */
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { answerSchema } from "../protocol/command.ts";
import type { Digest } from "../protocol/id.ts";
import { fromBytes, toBytes } from "../protocol/json-bytes.ts";
import { subjectsOf } from "../protocol/subjects.ts";
import {
  foundRelaysSchema,
  foundSchema,
  type Found,
  type FoundRelay,
  type Track,
} from "../protocol/tracking.ts";

const timeoutMs = 2_000;
const nobody: Found = { peers: [] };

type AskingBus = Pick<Bus, "request">;

export async function findPeers(bus: AskingBus, mesh: string, digest: Digest): Promise<Found> {
  const answer = foundSchema.safeParse(await asked(bus, mesh, { kind: "find", digest }));
  return answer.data ?? nobody;
}

/** Where an agent is reached, whatever it holds. */
export async function findAgent(bus: AskingBus, mesh: string, agent: string): Promise<Found> {
  const answer = foundSchema.safeParse(await asked(bus, mesh, { kind: "reach", agent }));
  return answer.data ?? nobody;
}

/** Who passes on for others, in an order of the asker's own. */
export async function findRelays(bus: AskingBus, mesh: string): Promise<readonly FoundRelay[]> {
  const answer = foundRelaysSchema.safeParse(await asked(bus, mesh, { kind: "relays" }));
  return answer.data?.relays ?? [];
}

/** What the leader answers; null where it does not, or refuses. */
async function asked(bus: AskingBus, mesh: string, question: Track): Promise<unknown> {
  try {
    const answer = answerSchema.safeParse(
      fromBytes(await bus.request(subjectsOf(mesh).track, toBytes(question), timeoutMs)),
    );
    return answer.success && answer.data.ok ? answer.data.value : null;
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return null;
  }
}
