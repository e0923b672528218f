/**
 * The one name of bytes, wherever they are: the root of their tree, which of at most one chunk is their SHA-256. Of what lies in a
 * file, with a window of it in memory. Not here: where what is named is kept.
 */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { chunkBytesMax, TreeHash, type NamedChunk } from "./chunk-tree.ts";
import type { Bytes } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";

/** Of a file that is read: so much at once. */
const windowBytes = 4 * chunkBytesMax;

export interface ArtifactName {
  readonly digest: Digest;
  /** SHA-256 of all of it: the name that it had before there were trees, and what others mean by a checksum. */
  readonly plain: Digest;
  readonly bytes: number;
  /** Of its tree; none where it is one chunk. */
  readonly nodes: readonly NamedChunk[];
}

export function artifactName(bytes: Bytes): Digest {
  const tree = new TreeHash();
  for (let at = 0; at < bytes.length; at += chunkBytesMax) tree.add(bytes.subarray(at, at + chunkBytesMax));
  return tree.end().digest;
}

/** Throws what the file system throws. */
export async function nameFile(path: string): Promise<ArtifactName> {
  const tree = new TreeHash();
  const whole = createHash("sha256");
  for await (const chunk of chunksOfFile(path)) {
    tree.add(chunk);
    whole.update(chunk);
  }
  return { ...tree.end(), plain: whole.digest("hex") };
}

/** The file in chunks, each full but the last. A chunk is good until the next is asked for. Throws what the file system throws. */
export async function* chunksOfFile(path: string): AsyncIterable<Bytes> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    // Most are small, and are read by the thousand.
    let buffer = Buffer.allocUnsafe(size < chunkBytesMax ? size + 1 : windowBytes);
    for (;;) {
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await file.read(buffer, filled, buffer.length - filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
        // It has grown meanwhile.
        if (filled === buffer.length && filled < windowBytes)
          buffer = Buffer.concat([buffer, Buffer.allocUnsafe(windowBytes - filled)]);
      }
      for (let at = 0; at < filled; at += chunkBytesMax)
        yield buffer.subarray(at, Math.min(at + chunkBytesMax, filled));
      if (filled < buffer.length) return;
    }
  } finally {
    await file.close();
  }
}
