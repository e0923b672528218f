/**
 * Small artifacts of many trials in one message: what each is called, then the bytes of each. Pure; where packs lie and who writes them is
 * `pack-store.ts` of the leader. A pack says itself what is in it, so nothing else is needed to find its bytes again.
 *
 * PACK-1: what is taken out of a pack has the digest it is called by, or is not taken.
 *
 * A pack: 16 bytes of `packMark`, 4 of how many it holds, for each 32 of its digest and 4 of its length (big-endian, bytes), then
 * the bytes of each, in the same order and nothing after them.
 */
import { bytesPerKiB } from "../protocol/byte-unit.ts";
import type { Bytes } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";
import { carriedBytesMax, type Contents } from "../protocol/report-message.ts";
import { chunkDigest } from "./chunk-tree.ts";

/** A reader of one takes the whole pack, so it is no larger than a chunk of the mesh's store. */
export const packBytesMax = 256 * bytesPerKiB;
const packMark: Bytes = new TextEncoder().encode("trialmesh-pack-1");
const digestBytes = 32;
const headBytes = packMark.length + 4;
const entryBytes = digestBytes + 4;

if (headBytes + entryBytes + carriedBytesMax > packBytesMax)
  throw new Error("broken invariant: what one report carries may not fit a pack");

/** One or more packs that hold all of `contents`, each in the order given; none for none. */
export function packsOf(contents: Contents): readonly Contents[] {
  const packs: Map<Digest, Bytes>[] = [];
  let open: Map<Digest, Bytes> | null = null;
  let bytes = 0;
  for (const [digest, content] of contents) {
    const more = entryBytes + content.length;
    if (open === null || bytes + more > packBytesMax) {
      open = new Map();
      packs.push(open);
      bytes = headBytes;
    }
    open.set(digest, content);
    bytes += more;
  }
  return packs;
}

export function writePack(contents: Contents): Bytes {
  let size = headBytes + contents.size * entryBytes;
  for (const content of contents.values()) size += content.length;
  const data = Buffer.alloc(size);
  data.set(packMark);
  data.writeUInt32BE(contents.size, packMark.length);
  let entry = headBytes;
  let at = headBytes + contents.size * entryBytes;
  for (const [digest, content] of contents) {
    data.write(digest, entry, digestBytes, "hex");
    data.writeUInt32BE(content.length, entry + digestBytes);
    data.set(content, at);
    entry += entryBytes;
    at += content.length;
  }
  return data;
}

/** What a pack says it holds, not verified; null where these bytes are no pack. Equal digests count once, the first. */
export function readPack(data: Bytes): Contents | null {
  if (data.length < headBytes || !packMark.every((byte, index) => data[index] === byte)) return null;
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const count = view.readUInt32BE(packMark.length);
  let at = headBytes + count * entryBytes;
  if (at > data.length) return null;
  const contents = new Map<Digest, Bytes>();
  for (let index = 0; index < count; index++) {
    const entry = headBytes + index * entryBytes;
    const length = view.readUInt32BE(entry + digestBytes);
    if (length > data.length - at) return null;
    const digest = view.toString("hex", entry, entry + digestBytes);
    if (!contents.has(digest)) contents.set(digest, data.subarray(at, at + length));
    at += length;
  }
  return at === data.length ? contents : null;
}

/** PACK-1: the bytes of this digest; null where the pack has none that are. */
export function contentOf(pack: Contents, digest: Digest): Bytes | null {
  const content = pack.get(digest);
  return content !== undefined && chunkDigest(content) === digest ? content : null;
}
