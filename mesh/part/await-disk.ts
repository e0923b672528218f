/** Tries again and again what the disk does not allow just now, and says so once: room comes back without a person at this process. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome } from "../../protocol/refusal.ts";

const pauseMs = 1_000;

/** Null where `stopped` resolved first. Any refusal but `unavailable` is returned at once. */
export async function awaitDisk<T>(
  attempt: () => Outcome<T> | Promise<Outcome<T>>,
  say: (line: string) => void,
  stopped: Promise<unknown>,
): Promise<Outcome<T> | null> {
  let said: string | null = null;
  for (;;) {
    const outcome = await attempt();
    if (outcome.ok || outcome.refusal.code !== "unavailable") {
      if (outcome.ok && said !== null) say("the disk allows it again; going on");
      return outcome;
    }
    const { message } = outcome.refusal;
    if (message !== said) say(`waiting for the disk: ${message}`);
    said = message;
    const ended = await Promise.race([stopped.then(() => true), sleep(pauseMs, false)]);
    if (ended) return null;
  }
}
