/** Waits until a coordinator leads, the owner has an account, and agents are there: what `up` means by "up". */
import { setTimeout as sleep } from "node:timers/promises";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { connectMesh } from "../connect/connect-mesh.ts";
import { ensureOwnerAccount } from "./owner-account.ts";
import type { Environment } from "../../system/environment.ts";

const pollMs = 100;
/** Measuring a slow machine's backends for the first time can take a minute. */
const readyTimeoutMs = 180_000;

export async function waitUntilReady(
  environment: Environment,
  agentsWanted: number,
  failed: Promise<string>,
): Promise<Outcome<null>> {
  const failure = failed.then((why) => refuse("unavailable", why));
  const connected = await connectMesh(environment);
  if (!connected.ok) return connected;
  const { client } = connected.value;
  const deadline = performance.now() + readyTimeoutMs;
  try {
    while (performance.now() < deadline) {
      // A part that refused to run is reported at once, not when the question's patience ends.
      const mesh = await Promise.race([client.query("mesh", {}), failure]);
      if (mesh.ok && mesh.value.agents.filter((agent) => agent.state !== "silent").length >= agentsWanted) {
        return client.role === "owner" ? await ensureOwnerAccount(client) : accept(null);
      }
      if (!mesh.ok && mesh.refusal.code !== "unavailable") return mesh;
      const over = await Promise.race([sleep(pollMs, null), failure]);
      if (over !== null) return over;
    }
  } finally {
    await client.close();
  }
  return refuse(
    "unavailable",
    `coordinator and agent were not ready within ${readyTimeoutMs / 1000} s; their lines above say how far they came`,
  );
}
