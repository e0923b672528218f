/**
 * How large what comes in may be. SIZE-1 rests on it: whatever one message leads to fits a batch of the journal. A command is
 * refused with its size, a report that is too large is put aside, for sending it again would not make it smaller.
 */
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { decisionBytesMax } from "./batch-tally.ts";

export const commandBytesMax = 128 * bytesPerKiB;
/** A capability, with what is installed in a machine's Python, and a policy. */
export const registerBytesMax = 192 * bytesPerKiB;
/** Of one report; a message of the inbox holds many. */
export const reportBytesMax = 64 * bytesPerKiB;
export const heartbeatBytesMax = 256 * bytesPerKiB;

/** A command's body may stand three times in what it leads to. */
if (Math.max(3 * commandBytesMax, reportBytesMax, registerBytesMax) > decisionBytesMax)
  throw new Error("broken invariant: a message may be larger than what it may lead to");

/** Null where it is not too large. */
export function tooLarge(what: string, bytes: number, bytesMax: number): Outcome<never> | null {
  if (bytes <= bytesMax) return null;
  const kib = (size: number) => Math.ceil(size / bytesPerKiB);
  return refuse(
    "invalid",
    `${what} has ${kib(bytes)} KiB, more than the ${kib(bytesMax)} KiB that one message of it may have; long lists of choices or names are what usually takes room`,
  );
}
