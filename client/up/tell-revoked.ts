/**
 * Tells the coordinator which agents have lost their credentials, so that nobody waits for them or plans with them. The server
 * refuses them by itself; this is for what people see. Not the revocation (`mesh/revoke.ts`).
 */
import type { Home } from "../../mesh/home.ts";
import { listUsers } from "../../mesh/user.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { MeshClient } from "../../protocol/client.ts";

/** To be asked as the owner; may be asked again without harm. */
export async function tellRevoked(client: MeshClient, home: Home): Promise<Outcome<null>> {
  const users = listUsers(home);
  if (!users.ok) return users;
  const revoked = new Set(
    users.value
      .filter(({ publicKey, role }) => role === "agent" && publicKey === null)
      .map(({ name }) => name),
  );
  if (revoked.size === 0) return accept(null);
  const mesh = await client.query("mesh", {});
  if (!mesh.ok) return mesh;
  for (const { agent } of mesh.value.agents) {
    if (!revoked.has(agent)) continue;
    const told = await client.command("agent-revoked", { agent });
    if (!told.ok) return told;
  }
  return accept(null);
}
