/** Follows what the replicas of a deployment write, those that come later too, until it has ended or somebody ends this. */
import { setTimeout as sleep } from "node:timers/promises";
import type { MeshClient } from "../../protocol/client.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { LogLineView } from "../../protocol/view.ts";
import { followLogs } from "../follow/follow-logs.ts";

const lookMs = 1_000;

/** `limit`: so many lines of before come first, of each replica that is there now. */
export async function followReplicas(
  client: MeshClient,
  deployment: string,
  limit: number,
  line: (trial: string, line: LogLineView) => void,
  say: (line: string) => void,
): Promise<Outcome<null>> {
  const followed = new Map<string, Promise<unknown>>();
  for (;;) {
    const answer = await client.query("deployment", { deployment });
    const isGone = !answer.ok && answer.refusal.code !== "unavailable";
    if (!answer.ok && (isGone || client.status() === "closed")) return answer;
    for (const { trial } of answer.ok ? answer.value.replicas : [])
      if (!followed.has(trial))
        followed.set(
          trial,
          followLogs(client, trial, limit, (each) => line(trial, each), say),
        );
    if (answer.ok && answer.value.state === "stopped") {
      await Promise.all(followed.values());
      return accept(null);
    }
    await sleep(lookMs);
  }
}
