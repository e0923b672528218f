/**
 * Reads a blob that may lie in a pack, be damaged, or not be there yet. What is not there by itself a coordinator gives out of a pack
 * (PACK-1). BLOB-6: what lies there wrong is looked at by a coordinator, removed, and asked for from whoever still has the bytes; the
 * reader looks again meanwhile, and gives up after some looks.
 */
import { BusError, type Bus, type Bytes } from "../protocol/bus/bus.ts";
import { doubtBlob, getBlob, takePacked, type BlobPlace, type BlobReading } from "./blob.ts";

/** Looks before a blob that is not there is asked for: somebody may be just uploading it. */
const looksBeforeDoubt = 6;
/** Looks in all, where somebody was asked for it. */
const looksMax = 24;
export const lookPauseMs = 500;

/**
 * As `getBlob`; `pause` waits between two looks. Throws BusError also where it is not there and nobody could be asked whether it lies in a pack:
 * that it is missing is not known then.
 */
export async function readBlob(
  bus: Bus,
  place: BlobPlace,
  digest: string,
  pause: (ms: number) => Promise<void>,
  options: { readonly maxBytes?: number; readonly into?: Bytes } = {},
): Promise<BlobReading> {
  const unasked: { error: BusError | null } = { error: null };
  const reading = await lookUntilRead(bus, place, digest, pause, async () => {
    const stored = await getBlob(bus, place, digest, options);
    if (stored.kind === "read" || stored.kind === "too-large") return stored;
    const taken = await take(bus, place, digest);
    unasked.error = taken.kind === "unasked" ? taken.error : null;
    return taken.kind === "read" ? taken : stored;
  });
  const isThere = reading.kind === "read" || reading.kind === "too-large";
  if (!isThere && unasked.error !== null) throw unasked.error;
  return reading;
}

type Taking =
  | Extract<BlobReading, { kind: "read" }>
  | { readonly kind: "none" }
  | { readonly kind: "unasked"; readonly error: BusError };

async function take(bus: Bus, place: BlobPlace, digest: string): Promise<Taking> {
  try {
    const bytes = await takePacked(bus, place, digest);
    return bytes === null ? { kind: "none" } : { kind: "read", bytes };
  } catch (error) {
    if (!(error instanceof BusError) || error.kind === "closed") throw error;
    // A user of before there were packs may not ask.
    return error.kind === "denied" ? { kind: "none" } : { kind: "unasked", error };
  }
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
