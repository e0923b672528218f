/**
 * A client that goes through many pages: where it asks more than one may in a second, it waits and asks again, as the refusal says.
 * Whatever is refused for longer is refused.
 */
import type { MeshClient } from "../../protocol/client.ts";
import { setTimeout as wait } from "node:timers/promises";

/** After this long a second's worth of questions may be asked again. */
const pauseMs = 1_000;
const triesMax = 10;
/** A refusal that took longer has been waited for already: nobody leads. */
const atOnceMs = 5_000;

export type AskingClient = Pick<MeshClient, "query">;

export function patientClient(
  client: AskingClient,
  pause: (ms: number) => Promise<unknown> = wait,
  now: () => number = () => performance.now(),
): AskingClient {
  return {
    async query(name, body) {
      for (let tries = 1; ; tries++) {
        const asked = now();
        const answer = await client.query(name, body);
        const isBusy = !answer.ok && answer.refusal.code === "unavailable" && now() - asked < atOnceMs;
        if (!isBusy || tries >= triesMax) return answer;
        await pause(pauseMs);
      }
    },
  };
}
