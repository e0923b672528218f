/** Where artifacts lie: what agents have said, and what the mesh's store has when it is asked. */
import { isInMesh } from "../../artifact/blob.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import type { QueryBody } from "../../protocol/command.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { QuerySource } from "./query-source.ts";

export async function holdersViewOf(
  { bus, mesh, state, tracker }: QuerySource,
  { digests }: QueryBody<"holders">,
): Promise<Outcome<unknown>> {
  const isPresent = (agent: string) => state.agents.get(agent)?.present === true;
  const place = placeOf(mesh);
  const artifacts = await Promise.all(
    digests.map(async (digest) => ({
      digest,
      ...tracker.holders(digest, isPresent),
      inStore: state.packed.has(digest) || (await isInMesh(bus, place, digest)),
    })),
  );
  return accept({ artifacts });
}
