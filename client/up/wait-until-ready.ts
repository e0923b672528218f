/** Waits until a coordinator leads, the owner has an account, and agents are there: what `up` means by "up". */
import { setTimeout as sleep } from "node:timers/promises";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { connectMesh, type Connected } from "../connect/connect-mesh.ts";
import { ensureOwnerAccount } from "./owner-account.ts";
import { tellRevoked } from "./tell-revoked.ts";
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
  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline) {
    const connected = await connectMesh(environment);
    if (connected.ok) return askUntilReady(connected.value, agentsWanted, failure, deadline);
    // A server that is killed is started again.
    if (connected.refusal.code !== "unavailable") return connected;
    const over = await Promise.race([sleep(pollMs, null), failure]);
    if (over !== null) return over;
  }
  return notReady;
}

async function askUntilReady(
  { client, home }: Connected,
  agentsWanted: number,
  failure: Promise<Outcome<never>>,
  deadline: number,
): Promise<Outcome<null>> {
  try {
    while (performance.now() < deadline) {
      // A part that refused to run is reported at once, not when the question's patience ends.
      const mesh = await Promise.race([client.query("mesh", {}), failure]);
      if (mesh.ok && mesh.value.agents.filter((agent) => agent.state !== "silent").length >= agentsWanted) {
        if (client.role !== "owner") return accept(null);
        const opened = await Promise.race([ensureOwnerAccount(client), failure]);
        // What was revoked while the mesh was down.
        if (opened.ok) await Promise.race([tellRevoked(client, home), failure]);
        if (opened.ok || opened.refusal.code !== "unavailable") return opened;
      } else if (!mesh.ok && mesh.refusal.code !== "unavailable") return mesh;
      const over = await Promise.race([sleep(pollMs, null), failure]);
      if (over !== null) return over;
    }
  } finally {
    await client.close();
  }
  return notReady;
}

const notReady = refuse(
  "unavailable",
  `coordinator and agent were not ready within ${readyTimeoutMs / 1000} s; their lines say how far they came, \`trialmesh down\` ends them`,
);
