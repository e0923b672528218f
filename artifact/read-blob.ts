/**
 * Reads a blob that may be damaged, or not there yet. BLOB-6: what lies there is looked at by a coordinator, removed where it is wrong,
 * and asked for from whoever still has the bytes; the reader looks again meanwhile, and gives up after some looks.
 */
import { BusError, type Bus, type Bytes } from "../protocol/bus/bus.ts";
import { doubtBlob, getBlob, type BlobPlace, type BlobReading } from "./blob.ts";

/** Looks before a blob that is not there is asked for: somebody may be just uploading it. */
const looksBeforeDoubt = 6;
/** Looks in all, where somebody was asked for it. */
const looksMax = 24;
export const lookPauseMs = 500;

/** As `getBlob`; `pause` waits between two looks. */
export function readBlob(
  bus: Bus,
  place: BlobPlace,
  digest: string,
  pause: (ms: number) => Promise<void>,
  options: { readonly maxBytes?: number; readonly into?: Bytes } = {},
): Promise<BlobReading> {
  return lookUntilRead(bus, place, digest, pause, () => getBlob(bus, place, digest, options));
}

/** Looks with `look` until it is read, some times. */
export async function lookUntilRead<T extends { readonly kind: BlobReading["kind"] }>(
  bus: Bus,
  place: BlobPlace,
  digest: string,
  pause: (ms: number) => Promise<void>,
  lookOnce: () => Promise<T>,
): Promise<T> {
  let doubted = false;
  for (let look = 1; ; look++) {
    const reading = await lookOnce();
    if (reading.kind === "read" || reading.kind === "too-large") return reading;
    if (!doubted && (reading.kind === "corrupt" || look >= looksBeforeDoubt))
      doubted = await isLookedAt(bus, place, digest);
    if (look >= (doubted ? looksMax : looksBeforeDoubt)) return reading;
    await pause(lookPauseMs);
  }
}

/** False where nobody answers, or this user may not ask. */
async function isLookedAt(bus: Bus, place: BlobPlace, digest: string): Promise<boolean> {
  try {
    await doubtBlob(bus, place, digest);
    return true;
  } catch (error) {
    if (!(error instanceof BusError) || error.kind === "closed") throw error;
    return false;
  }
}
