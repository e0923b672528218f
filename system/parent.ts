/**
 * The process that started this one over a channel, and whether it is still there. END-1: who was started so does not outlive it:
 * until somebody takes the ending in hand, this process ends at once. It says nothing of a parent without a channel, such as
 * a shell.
 */
import { exitCode } from "../protocol/exit-code.ts";

const gone = Promise.withResolvers<void>();
let isTaken = false;

/** To be called before anything else is done or waited for. */
export function watchParent(): void {
  if (process.send === undefined) return;
  const over = (): void => {
    if (!isTaken) process.exit(exitCode.interrupted);
    gone.resolve();
  };
  // It may have gone while this program was being read.
  if (!process.connected) return over();
  process.once("disconnect", over);
  // A channel that is listened to would keep the process alive after its work.
  process.channel?.unref();
}

/** Resolves once it is gone, never where there is none; from now on ending is the caller's business. */
export function parentGone(): Promise<void> {
  isTaken = true;
  return gone.promise;
}
