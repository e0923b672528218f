/** What lies in the mesh's store, as both buses tell it, and what may be removed of it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { putBlob, getBlob } from "../../artifact/blob.ts";
import { removeBlob, storedSize, takeInventory } from "../../artifact/blob-inventory.ts";
import { chunkBytesMax, TreeHash } from "../../artifact/chunk-tree.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import { SurveyMemory, surveyStore } from "../../coordinator/collect/survey.ts";
import { streamSpecsOf } from "../../protocol/subjects.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { busWorlds, type BusMesh } from "../support/bus-mesh.ts";

const place = placeOf("m");

for (const world of busWorlds) {
  describe(`what is stored (${world.name})`, { skip: world.skip }, () => {
    let mesh: BusMesh;
    let lead: Bus;
    const unproved = { stream: place.stream, subjectOf: place.subjectOf };
    const put = (bytes: Uint8Array) => mesh.settle(putBlob(lead, unproved, bytes));
    before(async () => {
      mesh = await world.start();
      lead = await mesh.connect("lead");
      for (const spec of streamSpecsOf("m", 1, "secret")) await mesh.settle(lead.ensureStream(spec));
    });
    after(() => mesh.stop());

    const survey = (referred: readonly string[]) =>
      mesh.settle(
        surveyStore({
          ...{ bus: lead, place, packs: new Map(), memory: new SurveyMemory(), goesOn: () => true },
          referred: new Set(referred),
        }),
      );

    test("it is listed by digest with its size and age, whole or in part", async () => {
      assert.equal((await mesh.settle(takeInventory(lead, place))).stored.size, 0);
      const whole = await put(Uint8Array.from({ length: 300_000 }, (_, n) => n & 255));
      const part = "ab".repeat(32);
      await mesh.settle(lead.append(place.stream, place.subjectOf(part, 2), new Uint8Array(5)));
      const inventory = await mesh.settle(takeInventory(lead, place));
      assert.deepEqual(
        inventory.stored,
        new Map([
          [whole.digest, 0],
          [part, 2],
        ]),
      );
      assert.ok(inventory.bytes > 300_000);
      const size = await mesh.settle(storedSize(lead, place, whole.digest, 0));
      assert.equal(size?.bytes, 300_000);
      assert.ok(Math.abs(inventory.at - (size?.at ?? 0)) < 60_000);
      assert.equal(await mesh.settle(storedSize(lead, place, "cd".repeat(32), 0)), null);
      const { unreferred } = await survey([whole.digest]);
      assert.deepEqual(
        unreferred.map(({ digest }) => digest),
        [part],
      );
    });

    test("GC-5: a removal leaves alone what was stored after its sequence", async () => {
      const bytes = new TextEncoder().encode("again and again");
      const { digest } = await put(bytes);
      const { lastSequence } = await mesh.settle(takeInventory(lead, place));
      await mesh.settle(removeBlob(lead, place, digest, lastSequence + 1));
      assert.equal((await mesh.settle(getBlob(lead, place, digest))).kind, "missing");
      await put(bytes);
      await mesh.settle(removeBlob(lead, place, digest, lastSequence + 1));
      assert.equal((await mesh.settle(getBlob(lead, place, digest))).kind, "read");
    });

    test("GC-6: what a tree that is referred to is made of is not unreferred", async () => {
      const chunks = [1, 2, 3].map((salt) => new Uint8Array(salt === 3 ? 77 : chunkBytesMax).fill(salt));
      const tree = new TreeHash();
      const named = chunks.map((chunk) => tree.add(chunk));
      const { digest, nodes } = tree.end();
      for (const data of [...chunks, ...nodes.map(({ data }) => data)]) await put(data);
      const unreferredOf = async (referred: readonly string[]) =>
        (await survey(referred)).unreferred.map((one) => one.digest);
      const with_ = await unreferredOf([digest]);
      for (const part of [digest, ...named]) assert.ok(!with_.includes(part));
      const without = await unreferredOf([]);
      for (const part of [digest, ...named]) assert.ok(without.includes(part));
      // Of two trees that share a chunk, it stays with either.
      assert.ok(!(await unreferredOf([named[0] ?? ""])).includes(named[0] ?? ""));
    });
  });
}
