/** PEER-1: any bytes at all are messages or one fault: nothing throws, and no memory is taken that was not allowed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chunkBytesMax } from "../../artifact/chunk-tree.ts";
import { chunksOf, countOf, rangesOf } from "../../artifact/peer/chunk-range.ts";
import { FrameReader, type BulkHead } from "../../artifact/peer/frame-reader.ts";
import {
  askedChunksMax,
  bulkHeadBytes,
  candidateChunksMax,
  frameHeadBytes,
  messageBodyBytesMax,
  rangesMax,
  refusalReasons,
  writeBulkHead,
  writeMessage,
  type PeerMessage,
} from "../../artifact/peer/peer-message.ts";

const digest = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));
const id = fc.nat(2 ** 32 - 1);
/** No more chunks together than one frame may name. */
function ranges(chunks: number, most = rangesMax) {
  const range = fc
    .record({ first: fc.nat(2 ** 31), count: fc.integer({ min: 1, max: 5 }) })
    .map((one) => ({ ...one }));
  return fc.array(range, { minLength: 1, maxLength: most }).filter((all) => countOf(all) <= chunks);
}

const message: fc.Arbitrary<PeerMessage> = fc
  .oneof(
    fc.record({ kind: fc.constant("hello" as const), version: fc.nat(65_535) }),
    fc.record({ kind: fc.constant("closing" as const), reason: fc.stringMatching(/^[a-zé ]{0,100}$/) }),
    fc.record({ kind: fc.constant("watch" as const), id, artifact: digest }),
    fc.record({ kind: fc.constant("holds" as const), id, ranges: ranges(Infinity) }),
    fc.record({ kind: fc.constant("get" as const), id, artifact: digest, node: digest }),
    fc.record({
      kind: fc.constant("ask" as const),
      ...{ id, artifact: digest, most: fc.integer({ min: 1, max: askedChunksMax }) },
      ranges: ranges(candidateChunksMax),
    }),
    fc.record({ kind: fc.constant("chosen" as const), id, ranges: ranges(askedChunksMax, askedChunksMax) }),
    fc.record({
      kind: fc.constant("refused" as const),
      ...{ id, reason: fc.constantFrom(...refusalReasons), waitMs: id },
    }),
    fc.record({ kind: fc.constantFrom("cancel" as const, "ping" as const, "pong" as const), id }),
    fc.record({ kind: fc.constant("connect" as const), name: fc.stringMatching(/^[a-z0-9-]{1,40}$/) }),
    fc.constant({ kind: "connected" as const }),
    fc.record({
      kind: fc.constantFrom("called" as const, "answer" as const),
      token: digest.map((hex) => hex.slice(0, 32)),
    }),
    fc.record({ kind: fc.constant("join" as const), fence: fc.nat(2 ** 48 - 1) }),
  )
  .map((one) => ({ ...one }));

interface Read {
  readonly messages: PeerMessage[];
  readonly bulks: { readonly head: BulkHead; readonly data: Buffer }[];
  readonly placed: number[];
  readonly reader: FrameReader;
}

function reading(): Read {
  const messages: PeerMessage[] = [];
  const bulks: Read["bulks"] = [];
  const placed: number[] = [];
  const reader = new FrameReader({
    message: (one) => {
      messages.push(one);
      return null;
    },
    place: (head) => {
      placed.push(head.bytes);
      return new Uint8Array(head.bytes);
    },
    bulk: (head, data) => bulks.push({ head, data: Buffer.from(data) }),
  });
  return { messages, bulks, placed, reader };
}

/** In pieces of these sizes, over and over, by both ways in. */
function feed(reader: FrameReader, bytes: Uint8Array, sizes: readonly number[]): void {
  for (let at = 0, turn = 0; at < bytes.length && reader.fault === null; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    const piece = bytes.subarray(at, at + size);
    if (turn % 2 === 0) {
      reader.feed(piece);
      at += piece.length;
    } else {
      const { room } = reader;
      room.set(piece.subarray(0, room.length));
      reader.took(Math.min(room.length, piece.length));
      at += Math.min(room.length, piece.length);
    }
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 5 });

test("PEER-1: what is written is read, in whatever pieces it comes", () => {
  const frame = fc.oneof(message, fc.uint8Array({ maxLength: 3_000 }));
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), sizes, (frames, pieces) => {
      const written = frames.map((one) => {
        if (!(one instanceof Uint8Array)) return Buffer.from(writeMessage(one));
        const bytes = Buffer.alloc(frameHeadBytes + bulkHeadBytes + one.length);
        writeBulkHead(bytes, "chunk", 7, one.length, one.length);
        bytes.set(one, frameHeadBytes + bulkHeadBytes);
        return bytes;
      });
      const read = reading();
      feed(read.reader, Buffer.concat(written), pieces);
      assert.equal(read.reader.fault, null);
      assert.equal(read.reader.isWithin, false);
      assert.deepEqual(
        read.messages,
        frames.filter((one) => !(one instanceof Uint8Array)),
      );
      const chunks = frames.filter((one) => one instanceof Uint8Array);
      assert.deepEqual(
        read.bulks.map(({ data }) => data),
        chunks.map((data) => Buffer.from(data)),
      );
      assert.deepEqual(
        read.bulks.map(({ head }) => head.index),
        chunks.map((data) => data.length),
      );
    }),
  );
});

test("PEER-1: any bytes end in messages or a fault, and what room is asked for is no more than a chunk", () => {
  // Heads that are nearly right get further than noise does.
  const nearly = fc
    .tuple(fc.nat(messageBodyBytesMax + 100), fc.nat(20), fc.uint8Array({ maxLength: 300 }))
    .map(([length, kind, rest]) => {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(length);
      head.writeUInt8(kind, 4);
      return Buffer.concat([head, rest]);
    });
  const spoilt = fc.tuple(message, fc.nat(200), fc.nat(255)).map(([one, at, byte]) => {
    const bytes = Buffer.from(writeMessage(one));
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  const any = fc.array(fc.oneof(nearly, spoilt, fc.uint8Array({ maxLength: 2_000 })), { maxLength: 8 });
  fc.assert(
    fc.property(any, sizes, (parts, pieces) => {
      const { placed, reader } = reading();
      feed(reader, Buffer.concat(parts), pieces);
      assert.ok(placed.every((bytes) => bytes <= chunkBytesMax));
      assert.ok(reader.room.length > 0);
      if (reader.fault !== null) assert.match(reader.fault, /^(a frame|bytes)/);
    }),
    { numRuns: 500 },
  );
});

test("PEER-1: a frame is refused by its head where its length is beyond what its kind has", () => {
  for (let kind = 0; kind < 256; kind++) {
    const head = Buffer.alloc(5);
    head.writeUInt32BE(chunkBytesMax + bulkHeadBytes + 1);
    head.writeUInt8(kind, 4);
    const { placed, reader } = reading();
    reader.feed(head);
    assert.match(reader.fault ?? "", /are the most|unknown kind/);
    assert.deepEqual(placed, []);
  }
});

test("PEER-1: ranges name exactly their chunks, and one that is empty or ends beyond the last is none", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(200)), (indexes) => {
      const rising = indexes.toSorted((a, b) => a - b);
      assert.deepEqual([...chunksOf(rangesOf(rising))], rising);
    }),
  );
  for (const [first, count] of [
    [0, 0],
    [2 ** 32 - 1, 2],
    [1, 2 ** 32 - 1],
  ]) {
    const frame = Buffer.from(writeMessage({ kind: "holds", id: 1, ranges: [{ first: 1, count: 1 }] }));
    frame.writeUInt32BE(first ?? 0, 9);
    frame.writeUInt32BE(count ?? 0, 13);
    const { messages, reader } = reading();
    reader.feed(frame);
    assert.equal(messages.length, first === 1 ? 1 : 0);
    assert.equal(reader.fault === null, first === 1);
  }
});
