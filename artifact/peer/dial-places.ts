/**
 * A connection to the first of several places where a machine is. Most machines have addresses of which others reach only some, and a place that is
 * not there may say nothing for long: the next is tried while one is still waited for.
 */
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { peerFault } from "./peer-fault.ts";
import type { PeerLink } from "./peer-link.ts";

/** Between two places, ms. */
const nextMs = 300;

export function dialPlaces<P, L extends Pick<PeerLink, "close">>(
  places: readonly P[],
  dial: (place: P) => Promise<Outcome<L>>,
  clock: Clock,
): Promise<Outcome<L>> {
  return new Promise((resolve) => {
    let [begun, open, isFound] = [0, 0, false];
    const begin = (): void => {
      const place = places[begun];
      if (isFound || place === undefined) return;
      begun++;
      open++;
      const stop = clock.setTimer(nextMs, begin);
      void dial(place).then((dialled) => {
        open--;
        if (dialled.ok && isFound)
          return dialled.value.close(peerFault("done", "another connection came first"));
        isFound ||= dialled.ok;
        stop();
        begin();
        if (dialled.ok || (open === 0 && begun === places.length)) resolve(dialled);
      });
    };
    if (places.length === 0) resolve(refuse("unavailable", "it is at no place"));
    begin();
  });
}
