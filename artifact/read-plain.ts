/**
 * Artifacts of more than a chunk as they were once stored: one blob, named by the SHA-256 of all of it. Read as a stream, and believed
 * once all of it is there.
 */
import type { Bus, Bytes } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";
import { readPieces, type BlobPlace, type BlobReading } from "./blob.ts";
import type { SourceEnd } from "./chunk-source.ts";
import { lookUntilRead } from "./read-blob.ts";

/** `take` gets the bytes as they come, and is null where they are not those of the digest. Throws BusError and what `take` throws. */
export async function readPlain<T>(
  bus: Bus,
  place: BlobPlace,
  digest: Digest,
  pause: (ms: number) => Promise<void>,
  take: (pieces: AsyncIterable<Bytes>) => Promise<T | null>,
): Promise<{ readonly kind: "read"; readonly taken: T } | SourceEnd> {
  type Look =
    | { readonly kind: "read"; readonly taken: T }
    | { readonly kind: Exclude<BlobReading["kind"], "read"> };
  const look = await lookUntilRead<Look>(bus, place, digest, pause, async () => {
    const fault: { kind: "missing" | "incomplete" | "corrupt" } = { kind: "corrupt" };
    const pieces = readPieces(bus, place, digest, (kind) => (fault.kind = kind));
    const taken = await take(pieces);
    return taken === null ? fault : { kind: "read", taken };
  });
  if (look.kind === "read") return look;
  return look.kind === "corrupt" ? { kind: "wrong", message: "is damaged there" } : { kind: "missing" };
}
