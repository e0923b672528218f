/**
 * Waits until a deployment answers: with the revision that was asked for, by one replica at least. Says what keeps it. A mesh that does not
 * answer for a while is waited for; the deployment goes on without us.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { MeshClient } from "../../protocol/client.ts";
import type { DeploymentView, ReplicaView } from "../../protocol/deployment-view.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";

const pollMs = 250;
/** Whoever is short of tokens for so long is told, and not kept waiting. */
const shortOfTokensMs = 1_500;

export interface Awaited {
  readonly view: DeploymentView;
  /** The one that answers; null where it ended or stays without tokens before any did. */
  readonly replica: ReplicaView | null;
}

export async function awaitReplica(
  client: MeshClient,
  deployment: string,
  revision: number,
  say: (line: string) => void,
): Promise<Outcome<Awaited>> {
  let said = "";
  let shortSince: number | null = null;
  const tell = (line: string) => {
    if (line !== said) say(line);
    said = line;
  };
  for (;;) {
    const answer = await client.query("deployment", { deployment });
    if (!answer.ok) {
      if (answer.refusal.code !== "unavailable" || client.status() === "closed") return answer;
      tell(`${deployment}: ${answer.refusal.message}; waiting for it`);
      await sleep(pollMs);
      continue;
    }
    const view = answer.value;
    const replica = view.replicas.find((one) => one.state === "ready" && (one.revision ?? 0) >= revision);
    if (replica !== undefined) return accept({ view, replica });
    if (view.state === "stopping" || view.state === "stopped") return accept({ view, replica: null });
    const now = performance.now();
    shortSince = view.state === "out of tokens" ? (shortSince ?? now) : null;
    if (shortSince !== null && now - shortSince >= shortOfTokensMs) return accept({ view, replica: null });
    tell(progressLine(view));
    await sleep(pollMs);
  }
}

function progressLine({ deployment, replicas, why }: DeploymentView): string {
  // When it is tried again is another text each second.
  const reason = why === null ? null : why.replace(/; it is tried again in .*$/, "");
  if (reason !== null) return `${deployment}: waiting: ${reason}`;
  const agents = replicas.flatMap(({ agent }) => agent ?? []);
  return agents.length === 0
    ? `${deployment}: waiting for an agent`
    : `${deployment}: starting on ${agents.join(", ")}`;
}
