/** Packs of small artifacts, and messages of reports that carry them: what is written is read, and nothing else is. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { chunkDigest } from "../../artifact/chunk-tree.ts";
import { contentOf, packBytesMax, packsOf, readPack, writePack } from "../../artifact/pack.ts";
import { toBytes } from "../../protocol/json-bytes.ts";
import {
  batchBytesOf,
  carriedBytesMax,
  parseReports,
  readReports,
  writeReports,
  type Contents,
} from "../../protocol/report-message.ts";
import type { ReportBatch } from "../../protocol/report.ts";

const contentsOf = (all: readonly Uint8Array[]): Contents =>
  new Map(all.map((bytes) => [chunkDigest(bytes), bytes]));
const anyContents = fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 20 }).map(contentsOf);
const entries = (contents: Contents) =>
  Array.from(contents, ([digest, bytes]) => [digest, Buffer.from(bytes).toString("hex")]);

/** The same bytes elsewhere in a larger buffer, as a socket hands them over. */
function shifted(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length + 7);
  larger.set(bytes, 3);
  return larger.subarray(3, 3 + bytes.length);
}

const batch: ReportBatch = {
  incarnation: "a-1",
  reports: [{ id: "a.1", report: { kind: "accepted", fence: 1 } }],
};

test("PACK-1: a pack gives back what was put into it, by its digest", () => {
  fc.assert(
    fc.property(anyContents, (contents) => {
      const pack = readPack(shifted(writePack(contents)));
      assert.ok(pack !== null);
      assert.deepEqual(entries(pack), entries(contents));
      for (const [digest, bytes] of contents)
        assert.ok(Buffer.from(bytes).equals(contentOf(pack, digest) ?? assert.fail(digest)));
      assert.equal(contentOf(pack, chunkDigest(Buffer.from("what nobody has"))), null);
    }),
  );
});

test("PACK-1: whatever becomes of a pack's bytes, none is taken for what it is not", () => {
  fc.assert(
    fc.property(anyContents, fc.nat(), fc.integer({ min: 1, max: 255 }), (contents, at, flip) => {
      const bytes = writePack(contents);
      const place = at % bytes.length;
      const harmed = Uint8Array.from(bytes, (byte, index) => (index === place ? byte ^ flip : byte));
      for (const spoilt of [harmed, bytes.subarray(0, place), Buffer.concat([bytes, Buffer.from([flip])])]) {
        const pack = readPack(spoilt);
        for (const digest of pack?.keys() ?? []) {
          const content = contentOf(pack ?? new Map(), digest);
          if (content !== null) assert.equal(chunkDigest(content), digest);
        }
      }
      assert.equal(readPack(bytes.subarray(0, place)), null);
    }),
  );
});

test("PACK-1: bytes of any kind are read without a fault", () => {
  const mark = Buffer.from("trialmesh-pack-1");
  const anyBytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(
      fc.oneof(
        anyBytes,
        anyBytes.map((tail) => Buffer.concat([mark, tail])),
      ),
      (bytes) => {
        const pack = readPack(bytes);
        let held = 0;
        for (const { length } of pack?.values() ?? []) held += length;
        assert.ok(held <= bytes.length);
      },
    ),
  );
});

test("PACK-4: what comes at once is parted into packs of bounded size, all of it and in its order", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: carriedBytesMax }), { maxLength: 60 });
  fc.assert(
    fc.property(sizes, (lengths) => {
      const contents: Contents = new Map(
        lengths.map((length, index) => [index.toString(16).padStart(64, "0"), new Uint8Array(length)]),
      );
      const packs = packsOf(contents);
      assert.deepEqual(
        packs.flatMap((pack) => [...pack.keys()]),
        [...contents.keys()],
      );
      for (const pack of packs) {
        assert.ok(pack.size > 0);
        assert.ok(writePack(pack).length <= packBytesMax);
      }
      // Two neighbours would not have fitted one.
      for (const [index, pack] of packs.entries()) {
        const next = packs[index + 1];
        const [first] = next ?? [];
        if (first !== undefined) assert.ok(writePack(new Map([...pack, first])).length > packBytesMax);
      }
    }),
  );
});

test("CARRY-1: a message gives back its reports and the bytes that go with them", () => {
  fc.assert(
    fc.property(anyContents, (contents) => {
      const bytes = shifted(writeReports(batch, contents));
      const read = parseReports(bytes);
      assert.ok(read !== null);
      assert.deepEqual([read.batch, entries(read.contents)], [batch, entries(contents)]);
      let carried = 0;
      for (const { length } of contents.values()) carried += length;
      const head = contents.size === 0 ? 0 : 8;
      assert.equal(batchBytesOf(bytes) + carried + head, bytes.length);
    }),
  );
});

test("CARRY-1: reports without bytes are the JSON that they always were", () => {
  assert.deepEqual(Buffer.from(writeReports(batch, new Map())), Buffer.from(toBytes(batch)));
});

test("CARRY-1: a message whose parts do not add up is not read in part", () => {
  fc.assert(
    fc.property(anyContents, fc.nat(), (contents, at) => {
      const bytes = writeReports(batch, contents);
      if (contents.size === 0) return;
      const cut = bytes.subarray(0, at % bytes.length);
      // Cut before its mark is whole it is no frame, and no JSON either.
      assert.equal(parseReports(cut), null);
      assert.equal(readReports(Buffer.concat([bytes, Buffer.from([0])])), null);
      assert.ok(batchBytesOf(cut) <= cut.length);
    }),
  );
  const tooLarge = new Map([["a".repeat(64), new Uint8Array(carriedBytesMax + 1)]]);
  assert.equal(readReports(writeReports(batch, tooLarge)), null, "larger than one may be");
});

test("CARRY-1: bytes of any kind are read without a fault", () => {
  const anyBytes = fc.uint8Array({ maxLength: 200 });
  const framed = fc.tuple(fc.nat({ max: 300 }), anyBytes).map(([length, tail]) => {
    const head = Buffer.from([0, 0x74, 0x6d, 0x63, 0, 0, 0, 0]);
    head.writeUInt32BE(length, 4);
    return Buffer.concat([head, tail]);
  });
  fc.assert(
    fc.property(fc.oneof(anyBytes, framed), (bytes) => {
      readReports(bytes);
      assert.equal(parseReports(bytes), null);
    }),
  );
});
