// Packs in the mesh's store, and who gets bytes out of them: over every Bus.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { digestOf, doubtBlob, getBlob, putBlob, takePacked } from "../../artifact/blob.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import { readPack } from "../../artifact/pack.ts";
import { readBlob } from "../../artifact/read-blob.ts";
import { BlobProver } from "../../coordinator/leader/blob-prover.ts";
import { PackStore } from "../../coordinator/leader/pack-store.ts";
import { serveProofs } from "../../coordinator/leader/serve-proofs.ts";
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { streamSpecsOf, streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { busWorlds, type BusMesh } from "../support/bus-mesh.ts";

const place = placeOf("m");
const subjects = subjectsOf("m");
const { blobs } = streamsOf("m");
const content = (salt: number, length = 900) =>
  Uint8Array.from({ length }, (_, n) => (n * 11 + salt * 31) & 255);

for (const world of busWorlds) {
  describe(`packs (${world.name})`, { skip: world.skip }, () => {
    let mesh: BusMesh;
    let lead: Bus;
    let reader: Bus;
    let packs: PackStore;
    const packed = new Map<string, number>();
    const draws: number[] = [];
    let drawn = 0;
    const newStore = () =>
      new PackStore({ bus: lead, mesh: "m", random: () => draws.shift() ?? ++drawn / 1_000 });
    before(async () => {
      mesh = await world.start();
      lead = await mesh.connect("lead");
      reader = await mesh.connect("reader");
      for (const spec of streamSpecsOf("m", 1, "secret")) await mesh.settle(lead.ensureStream(spec));
      packs = newStore();
      const prover = new BlobProver({
        ...{ bus: lead, mesh: "m", clock: systemClock, log: () => undefined },
        packs: { read: (...of) => packs.read(...of), readAgain: (...of) => packs.readAgain(...of) },
        packOf: (digest) => packed.get(digest),
        leavesBefore: () => null,
        isGone: () => false,
      });
      serveProofs(lead, "m", prover);
      await mesh.pass(50);
    });
    after(() => mesh.stop());

    const write = async (...all: readonly Uint8Array[]) => {
      const contents = new Map(all.map((bytes) => [digestOf(bytes), bytes]));
      const places = await mesh.settle(packs.write(contents));
      for (const [digest, pack] of places) packed.set(digest, pack);
      return [...contents.keys()];
    };
    const read = (digest: string) => mesh.settle(readBlob(reader, place, digest, async () => undefined));

    test("PACK-3: what came at once is one message of the store, and is read again by a leader after this one", async () => {
      const digests = await write(content(1), content(2), content(3));
      const numbers = new Set(digests.map((digest) => packed.get(digest)));
      assert.equal(numbers.size, 1);
      const [number = 0] = numbers;
      const entry = await mesh.settle(reader.getMessage(blobs, subjects.pack(number)));
      assert.deepEqual([...(readPack(entry?.data ?? new Uint8Array()) ?? new Map()).keys()], digests);
      packs = newStore();
      for (const [index, digest] of digests.entries()) {
        const found = await mesh.settle(packs.read(number, digest));
        assert.ok(Buffer.from(content(index + 1)).equals(found ?? assert.fail("it is not there")));
      }
      assert.equal(await mesh.settle(packs.read(number, digestOf(content(99)))), null);
      assert.equal(await mesh.settle(packs.read(12_345, digests[0] ?? "")), null);
    });

    test("PACK-1: whoever reads an artifact gets it out of its pack, at the first look", async () => {
      const [digest = ""] = await write(content(4));
      assert.equal((await mesh.settle(getBlob(reader, place, digest))).kind, "missing");
      const reading = await read(digest);
      assert.ok(reading.kind === "read" && Buffer.from(content(4)).equals(reading.bytes));
      assert.equal(await mesh.settle(takePacked(reader, place, digestOf(content(98)))), null);
    });

    test("PACK-5: a reader of before, who doubts that it is there, finds it by itself afterwards", async () => {
      const [digest = ""] = await write(content(5));
      await mesh.settle(doubtBlob(reader, place, digest));
      const reading = await mesh.settle(getBlob(reader, place, digest));
      assert.ok(reading.kind === "read" && Buffer.from(content(5)).equals(reading.bytes));
    });

    test("PACK-5: wrong bytes that somebody put under its digest do not stand in the way", async () => {
      const [digest = ""] = await write(content(6));
      await mesh.settle(reader.append(blobs, subjects.blob(digest, 1), content(97)));
      assert.ok((await read(digest)).kind === "read");
      await mesh.settle(doubtBlob(reader, place, digest));
      const reading = await mesh.settle(getBlob(reader, place, digest));
      assert.ok(reading.kind === "read" && Buffer.from(content(6)).equals(reading.bytes));
    });

    test("PACK-1: bytes of a pack that are not what they are called are not given away", async () => {
      const [digest = ""] = await write(content(7));
      const number = packed.get(digest) ?? 0;
      await mesh.settle(lead.removeMessages(blobs, subjects.pack(number)));
      assert.equal(await mesh.settle(packs.readAgain(number, digest)), null, "it is gone");
      const entry = Buffer.from("not a pack at all");
      await mesh.settle(reader.append(blobs, subjects.pack(number), entry));
      assert.equal(await mesh.settle(packs.readAgain(number, digest)), null);
      assert.equal(await mesh.settle(takePacked(reader, place, digest)), null);
      // Somebody who has them puts them there by themselves.
      await mesh.settle(putBlob(reader, place, content(7)));
      assert.equal((await read(digest)).kind, "read");
    });

    test("PACK-6: a name that somebody has taken already costs another draw, and no bytes", async () => {
      const taken = 0.75;
      await mesh.settle(reader.append(blobs, subjects.pack(1 + taken * 2 ** 48), content(96)));
      draws.push(taken, taken, 0.5);
      const [digest = ""] = await write(content(8));
      assert.equal(packed.get(digest), 1 + 0.5 * 2 ** 48);
      assert.equal((await read(digest)).kind, "read");
      draws.push(...Array.from({ length: 40 }, () => taken));
      await assert.rejects(write(content(9)), BusError);
      draws.splice(0);
    });

    test("PACK-7: where nobody can be asked, an artifact is not said to be missing", async () => {
      const nobody = { ...place, prove: "tm.v1.elsewhere.prove" };
      const asked = readBlob(reader, nobody, digestOf(content(95)), async () => undefined);
      await assert.rejects(mesh.settle(asked), BusError);
      assert.equal(await mesh.settle(packs.takes()), true);
      assert.equal(await mesh.settle(newStore().takes()), true, "the same again");
    });
  });
}
