/** Looks after the journal again and again, for as long as a coordinator lives. What is found is the caller's to act on. */
import { BusError } from "../../protocol/bus/bus.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { JournalWatch } from "../journal/journal-watch.ts";

const lookEveryMs = 1_000;

/** `onBroken` is told once. Returns what ends it. */
export function keepWatch(clock: Clock, watch: JournalWatch, onBroken: (error: unknown) => void): () => void {
  let ended = false;
  let cancel = () => {};
  const again = () => {
    if (ended) return;
    cancel = clock.setTimer(lookEveryMs, () => {
      watch.look().then(again, (error: unknown) => {
        // A server that is away is waited for elsewhere.
        if (error instanceof BusError) return again();
        if (!ended) onBroken(error);
        ended = true;
      });
    });
  };
  again();
  return () => {
    ended = true;
    cancel();
  };
}
