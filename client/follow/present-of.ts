/** What time it is at the leader, beside what time it is here: what the mesh foretells is said by this machine's clock. */
import type { MeshClient } from "../../protocol/client.ts";

/** `present`: the leader's time, ms; `own`: this machine's at the same moment. Their clocks need not agree. */
export interface Present {
  readonly present: number;
  readonly own: number;
}

/** Where the mesh does not answer, both count as equal. */
export async function presentOf(client: MeshClient): Promise<Present> {
  const mesh = await client.query("mesh", {});
  const own = Date.now();
  return { present: mesh.ok ? mesh.value.at : own, own };
}
