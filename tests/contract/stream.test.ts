// One suite for the streams of every Bus: the fence, reading back, the work queue, blobs, and a server that dies.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { chunkBytes, digestOf, getBlob, putBlob, type BlobPlace } from "../../artifact/blob.ts";
import { BusError, type Bus, type Delivered, type StreamSpec } from "../../protocol/bus/bus.ts";
import { busWorlds, bytesOf, textOf, type BusMesh } from "../support/bus-mesh.ts";

const busError = (kind: BusError["kind"]) => (error: unknown) =>
  error instanceof BusError && error.kind === kind;

const queue = (name: string): StreamSpec => ({ name, subjects: [`${name}.>`], retention: "work-queue" });

/** Bytes that differ from chunk to chunk; `salt` makes another blob. */
function sampleBytes(length: number, salt: number): Uint8Array {
  return Uint8Array.from({ length }, (_, n) => (n * 31 + (n >> 10) + salt) & 255);
}

for (const world of busWorlds) {
  describe(`streams (${world.name})`, { skip: world.skip }, () => {
    let mesh: BusMesh;
    let a: Bus;
    let b: Bus;
    const place: BlobPlace = { stream: "BLOBS", subjectOf: (digest, n) => `blob.${digest}.${n}` };
    before(async () => {
      mesh = await world.start();
      a = await mesh.connect("a");
      b = await mesh.connect("b");
      await mesh.settle(a.ensureStream({ name: "J", subjects: ["journal"], retention: "limits" }));
      await mesh.settle(
        a.ensureStream({
          name: "BLOBS",
          subjects: ["blob.>"],
          retention: "limits",
          maxMessagesPerSubject: 1,
          discard: "new",
          discardNewPerSubject: true,
          allowDirect: true,
        }),
      );
    });
    after(() => mesh.stop());

    test("STREAM-1: of two writers that expect the same last sequence exactly one wins, every time", async () => {
      let { lastSequence } = await mesh.settle(a.streamState("J"));
      for (let round = 0; round < 10; round++) {
        const expectLastSequence = lastSequence;
        const results = await mesh.settle(
          Promise.all(
            [a, b].map((bus, n) =>
              bus.append("J", "journal", bytesOf(`${round}/${n}`), { expectLastSequence }),
            ),
          ),
        );
        assert.deepEqual(results.map((r) => r.kind).sort(), ["appended", "wrong-sequence"]);
        lastSequence += 1;
        assert.deepEqual(
          results.find((r) => r.kind === "appended"),
          { kind: "appended", sequence: lastSequence },
        );
      }
      assert.equal((await mesh.settle(b.streamState("J"))).lastSequence, lastSequence);
    });

    test("STREAM-2: reading back gives every message in order, right after its append, and [] past the end", async () => {
      await mesh.settle(a.ensureStream({ name: "R", subjects: ["r.>"], retention: "limits" }));
      assert.deepEqual(await mesh.settle(a.streamState("R")), { firstSequence: 1, lastSequence: 0 });
      assert.deepEqual(await mesh.settle(a.readStream("R", 1, 10)), []);
      const count = 700;
      await mesh.settle(
        Promise.all(Array.from({ length: count }, (_, n) => a.append("R", `r.${n}`, bytesOf(`m${n}`)))),
      );
      const all = await mesh.settle(b.readStream("R", 1, 10_000));
      assert.deepEqual(
        all.map((entry) => [entry.sequence, entry.subject, textOf(entry.data)]),
        Array.from({ length: count }, (_, n) => [n + 1, `r.${n}`, `m${n}`]),
      );
      const some = await mesh.settle(b.readStream("R", 300, 5));
      assert.deepEqual(
        some.map((entry) => entry.sequence),
        [300, 301, 302, 303, 304],
      );
      assert.deepEqual(await mesh.settle(b.readStream("R", count + 1, 5)), []);
    });

    test("STREAM-3: limits per subject drop the oldest; reading goes over the holes", async () => {
      const spec: StreamSpec = {
        name: "L",
        subjects: ["l.>"],
        retention: "limits",
        maxMessagesPerSubject: 1,
      };
      await mesh.settle(a.ensureStream(spec));
      for (const subject of ["l.x", "l.y", "l.y", "l.x", "l.z"])
        await mesh.settle(a.append("L", subject, bytesOf("")));
      const kept = await mesh.settle(a.readStream("L", 1, 2));
      assert.deepEqual(
        kept.map((entry) => [entry.sequence, entry.subject]),
        [
          [3, "l.y"],
          [4, "l.x"],
        ],
      );
      assert.deepEqual(await mesh.settle(a.streamState("L")), { firstSequence: 3, lastSequence: 5 });
    });

    test("STREAM-4: a stream that is not there, and a subject no stream stores, are refused", async () => {
      await assert.rejects(mesh.settle(a.readStream("NONE", 1, 1)), busError("no-stream"));
      await assert.rejects(mesh.settle(a.append("J", "nowhere", bytesOf(""))), busError("unavailable"));
      await assert.rejects(mesh.settle(a.append("J", "blob.x.1", bytesOf(""))), busError("no-stream"));
    });

    test("STREAM-5: a full stream that discards the new refuses it, and ensureStream can widen it", async () => {
      const spec: StreamSpec = {
        name: "F",
        subjects: ["f"],
        retention: "limits",
        maxBytes: 2_000,
        discard: "new",
      };
      await mesh.settle(a.ensureStream(spec));
      assert.equal((await mesh.settle(a.append("F", "f", new Uint8Array(1_500)))).kind, "appended");
      await assert.rejects(mesh.settle(a.append("F", "f", new Uint8Array(1_500))), busError("stream-full"));
      await mesh.settle(a.ensureStream({ ...spec, maxBytes: 20_000 }));
      assert.equal((await mesh.settle(a.append("F", "f", new Uint8Array(1_500)))).kind, "appended");
    });

    test("STREAM-21: what one sender stores takes the place of its own oldest, whatever subjects it makes up", async () => {
      const spec: StreamSpec = {
        name: "RING",
        subjects: ["say.*.*"],
        retention: "limits",
        allowDirect: true,
      };
      // Made by an older version, and what is in it stays readable.
      await mesh.settle(a.ensureStream({ ...spec, maxMessagesPerSubject: 5 }));
      await mesh.settle(a.append("RING", "say.old.x", bytesOf("before")));
      const ring = {
        maxMessagesPerSubject: 4,
        maxMessageBytes: 300,
        storedAs: { from: "say.*.*", to: "said.{{wildcard(1)}}" },
      };
      for (let again = 0; again < 2; again++)
        await mesh.settle(a.ensureStream({ ...spec, ...ring, discard: "old" }));
      await mesh.settle(a.append("RING", "say.quiet.t", bytesOf("mine")));
      for (let n = 0; n < 30; n++) await mesh.settle(b.append("RING", `say.greedy.t${n}`, bytesOf(`${n}`)));
      await assert.rejects(
        mesh.settle(b.append("RING", "say.greedy.t", new Uint8Array(301))),
        busError("refused"),
      );
      const read = async (subject: string, from = 1, limit = 10) =>
        (await mesh.settle(a.readSubject("RING", subject, from, limit))).map(({ data }) => textOf(data));
      assert.deepEqual(await read("said.quiet"), ["mine"]);
      assert.deepEqual(await read("said.greedy"), ["26", "27", "28", "29"]);
      assert.deepEqual(await read("said.greedy", 1, 2), ["26", "27"]);
      const [first, second] = await mesh.settle(a.readSubject("RING", "said.greedy", 1, 2));
      assert.ok(first !== undefined && second !== undefined && first.storedAt <= second.storedAt, "dated");
      assert.deepEqual(await read("said.greedy", (second?.sequence ?? 0) + 1), ["28", "29"]);
      assert.ok((second?.storedAt ?? 0) > 0, "when it was stored is said");
      assert.deepEqual(await read("said.nobody"), []);
      assert.deepEqual(await read("say.old.x"), ["before"]);
    });

    test("STREAM-22: a work queue that takes so many of one sender refuses its next, and takes others'", async () => {
      const spec = { ...queue("FAIR"), maxMessagesPerSubject: 3 };
      await mesh.settle(a.ensureStream(spec));
      await mesh.settle(a.ensureStream({ ...spec, discard: "new", discardNewPerSubject: true }));
      const kinds: string[] = [];
      for (let n = 0; n < 5; n++)
        kinds.push((await mesh.settle(a.append("FAIR", "FAIR.greedy", bytesOf(`${n}`)))).kind);
      assert.deepEqual(kinds, ["appended", "appended", "appended", "already-there", "already-there"]);
      assert.equal((await mesh.settle(b.append("FAIR", "FAIR.quiet", bytesOf("mine")))).kind, "appended");
    });

    test("STREAM-6: a full subject answers already-there; getMessage finds the first one, null where there is none", async () => {
      const first = await mesh.settle(a.append("BLOBS", "blob.six.1", bytesOf("first")));
      assert.ok(first.kind === "appended");
      const second = await mesh.settle(b.append("BLOBS", "blob.six.1", bytesOf("second")));
      assert.deepEqual(second, { kind: "already-there" });
      const found = await mesh.settle(b.getMessage("BLOBS", "blob.six.1"));
      assert.ok(found !== null);
      assert.deepEqual(
        [found.sequence, found.subject, textOf(found.data)],
        [first.sequence, "blob.six.1", "first"],
      );
      assert.equal(await mesh.settle(b.getMessage("BLOBS", "blob.six.2")), null);
    });

    test("STREAM-7: a work queue gives each message to one consumer, and forgets it when acknowledged", async () => {
      await mesh.settle(a.ensureStream(queue("Q7")));
      const got: string[] = [];
      const sizes: number[] = [];
      const handler = async (batch: readonly Delivered[]): Promise<void> => {
        sizes.push(batch.length);
        for (const message of batch) {
          got.push(textOf(message.data));
          message.ack();
        }
      };
      const c1 = await mesh.settle(a.consume("Q7", "d", handler, { maxBatch: 8 }));
      const c2 = await mesh.settle(b.consume("Q7", "d", handler, { maxBatch: 8 }));
      for (let n = 0; n < 60; n++)
        await mesh.settle(a.append("Q7", "Q7.x", bytesOf(String(n).padStart(2, "0"))));
      await mesh.until("all consumed", () => got.length === 60);
      await mesh.pass(100);
      assert.deepEqual(
        [...got].sort(),
        Array.from({ length: 60 }, (_, n) => String(n).padStart(2, "0")),
      );
      assert.ok(sizes.every((size) => size >= 1 && size <= 8));
      const { firstSequence, lastSequence } = await mesh.settle(a.streamState("Q7"));
      assert.deepEqual([firstSequence, lastSequence], [61, 60], "the queue is empty");
      c1.close();
      c2.close();
    });

    test("STREAM-8: what is not acknowledged comes again; a handler's BusError does not stop the consumer", async () => {
      await mesh.settle(a.ensureStream(queue("Q8")));
      const seen: number[] = [];
      const consumer = await mesh.settle(
        a.consume(
          "Q8",
          "d",
          async (batch) => {
            for (const message of batch) {
              seen.push(message.sequence);
              if (seen.length === 1) throw new BusError("unavailable", "the append behind it failed");
              message.ack();
            }
          },
          { maxBatch: 1, ackWaitMs: 300 },
        ),
      );
      await mesh.settle(a.append("Q8", "Q8.x", bytesOf("1")));
      await mesh.settle(a.append("Q8", "Q8.x", bytesOf("2")));
      await mesh.until("both, and the first again", () => seen.length >= 3);
      await mesh.pass(600);
      assert.deepEqual(
        seen.toSorted((x, y) => x - y),
        [1, 1, 2],
      );
      consumer.close();
    });

    test("STREAM-9: after a kill -9 streams are whole, and consumers go on by themselves", async () => {
      await mesh.settle(a.ensureStream(queue("Q9")));
      const got: string[] = [];
      const consumer = await mesh.settle(
        b.consume(
          "Q9",
          "d",
          async (batch) => {
            for (const message of batch) {
              got.push(textOf(message.data));
              message.ack();
            }
          },
          { maxBatch: 4, ackWaitMs: 500 },
        ),
      );
      await mesh.settle(a.append("Q9", "Q9.x", bytesOf("before")));
      await mesh.until("the first", () => got.includes("before"));
      const whole = await mesh.settle(a.readStream("J", 1, 1_000));
      assert.ok(whole.length >= 10);
      await mesh.kill9();
      await mesh.until("it is known", () => a.status() === "disconnected" && b.status() === "disconnected");
      await assert.rejects(a.append("J", "journal", bytesOf("")), busError("unavailable"));
      await mesh.restart();
      await mesh.until("both are back", () => a.status() === "connected" && b.status() === "connected");
      assert.deepEqual(await mesh.settle(a.readStream("J", 1, 1_000)), whole);
      await mesh.settle(a.append("Q9", "Q9.x", bytesOf("after")));
      await mesh.until("the second", () => got.includes("after"));
      consumer.close();
    });

    test("BLOB-1: 5 MiB come back as they were, and a second put stores nothing", async () => {
      const bytes = sampleBytes(5 * 1024 * 1024 + 17, 1);
      const put = await mesh.settle(putBlob(a, place, bytes));
      assert.deepEqual(put, { digest: digestOf(bytes), bytes: bytes.length, stored: true });
      const read = await mesh.settle(getBlob(b, place, put.digest));
      assert.ok(read.kind === "read");
      assert.equal(Buffer.compare(read.bytes, bytes), 0);
      const before = await mesh.settle(a.streamState("BLOBS"));
      assert.equal((await mesh.settle(putBlob(b, place, bytes))).stored, false);
      assert.deepEqual(await mesh.settle(a.streamState("BLOBS")), before);
      assert.deepEqual(await mesh.settle(getBlob(b, place, put.digest, { maxBytes: 1_000 })), {
        kind: "too-large",
        bytes: bytes.length,
        maxBytes: 1_000,
      });
    });

    test("BLOB-2: the empty blob and a blob of whole chunks", async () => {
      for (const bytes of [new Uint8Array(), sampleBytes(2 * chunkBytes, 2)]) {
        const { digest } = await mesh.settle(putBlob(a, place, bytes));
        const read = await mesh.settle(getBlob(b, place, digest));
        assert.ok(read.kind === "read");
        assert.equal(Buffer.compare(read.bytes, bytes), 0);
      }
    });

    test("BLOB-3: an upload cut off half way is missing until somebody resumes it, and then whole", async () => {
      const bytes = sampleBytes(4 * chunkBytes + 5, 3);
      const digest = digestOf(bytes);
      for (const n of [1, 3]) {
        await mesh.settle(
          a.append("BLOBS", place.subjectOf(digest, n), bytes.subarray((n - 1) * chunkBytes, n * chunkBytes)),
        );
      }
      assert.deepEqual(await mesh.settle(getBlob(b, place, digest)), { kind: "missing" });
      const { lastSequence } = await mesh.settle(a.streamState("BLOBS"));
      assert.equal((await mesh.settle(putBlob(b, place, bytes))).stored, true);
      const after = await mesh.settle(a.streamState("BLOBS"));
      assert.equal(after.lastSequence - lastSequence, 3 + 1, "three chunks and the header, no more");
      assert.equal((await mesh.settle(getBlob(a, place, digest))).kind, "read");
    });

    test("BLOB-4: a chunk with one wrong bit, a short chunk, a missing chunk and a bad header are refused", async () => {
      const bytes = sampleBytes(2 * chunkBytes, 4);
      const chunks = [bytes.slice(0, chunkBytes), bytes.slice(chunkBytes)];
      const header = JSON.stringify({ v: 1, bytes: bytes.length, chunkBytes });
      const store = async (digest: string, head: string, parts: readonly Uint8Array[]): Promise<string> => {
        for (const [index, part] of parts.entries()) {
          await mesh.settle(a.append("BLOBS", place.subjectOf(digest, index + 1), part));
        }
        await mesh.settle(a.append("BLOBS", place.subjectOf(digest, 0), bytesOf(head)));
        return (await mesh.settle(getBlob(b, place, digest))).kind;
      };
      const flipped = bytes.slice(0, chunkBytes);
      flipped[77] = (flipped[77] ?? 0) ^ 1;
      assert.equal(await store(digestOf(bytes), header, [flipped, ...chunks.slice(1)]), "corrupt");
      assert.equal(await store("short", header, [chunks[0] ?? bytes, bytes.slice(0, 5)]), "corrupt");
      assert.equal(await store("missing-chunk", header, chunks.slice(0, 1)), "incomplete");
      assert.equal(
        await store("bad-header", `{"v":1,"bytes":-1,"chunkBytes":${chunkBytes}}`, chunks),
        "corrupt",
      );
    });
  });
}
