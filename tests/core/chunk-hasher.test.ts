/** Chunks that are received into memory that threads share: hashed in a thread or here, written past the cache or through it, always the same. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { ChunkHasher } from "../../artifact/chunk-hasher.ts";
import { chunkBytesMax, chunkDigest, TreeHash } from "../../artifact/chunk-tree.ts";
import { ChunkBuffers } from "../../artifact/peer/chunk-buffer.ts";
import { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })));

/** Filled with what no other seed gives. */
function fill(data: Uint8Array, seed: number): Uint8Array {
  let state = seed + 1;
  for (let at = 0; at < data.length; at += 997) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    data[at] = state >>> 24;
  }
  return data;
}

test("a digest is that of the bytes, wherever they lie, however many wait, and also when the threads end meanwhile", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ memory: fc.nat(1), bytes: fc.integer({ min: 0, max: chunkBytesMax }) }), {
        minLength: 40,
        maxLength: 60,
      }),
      fc.nat(60),
      async (chunks, endAt) => {
        const hasher = new ChunkHasher();
        const memories = [new ChunkBuffers(), new ChunkBuffers()];
        const right: string[] = [];
        const found: Promise<string>[] = [];
        for (const [index, { bytes, memory }] of chunks.entries()) {
          const data = fill(memories[memory]?.take(bytes) ?? new Uint8Array(bytes), index);
          right.push(chunkDigest(data));
          found.push(hasher.digest(data));
          // So that a thread can come up, and is found at work.
          if (index === 35) await new Promise((resolve) => setTimeout(resolve, 60));
          if (index === endAt) void hasher.close();
        }
        assert.deepEqual(await Promise.all(found), right);
        await hasher.close();
      },
    ),
    { numRuns: 8 },
  );
});

// A file system in memory takes no write past a cache that it is itself, or takes it as any other.
for (const parent of [tmpdir(), "/dev/shm"].filter(existsSync))
  test(`CACHE-1: what comes into shared memory is written as it is, and what is wrong is not (${parent})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 45 * chunkBytesMax }),
        fc.array(fc.nat(44), { maxLength: 4 }),
        async (size, wrong) => {
          const folder = mkdtempSync(join(parent, "trialmesh-shared-"));
          folders.push(folder);
          const whole = fill(new Uint8Array(size), size);
          const tree = new TreeHash();
          for (let at = 0; at < size; at += chunkBytesMax) tree.add(whole.subarray(at, at + chunkBytesMax));
          const { digest, nodes } = tree.end();
          const store = new ArtifactStore({ folder, clock: systemClock, quotaBytes: null });
          const buffers = new ChunkBuffers();
          const held = await store.bring(digest, async (work) => {
            for (let taken = work.take({ countMax: 8 }); taken !== null && taken.length > 0;) {
              await Promise.all(
                taken.map(async (chunk) => {
                  const node = nodes.find((one) => one.digest === chunk.digest);
                  const index = chunk.index ?? 0;
                  const bytes = whole.subarray(index * chunkBytesMax, (index + 1) * chunkBytesMax);
                  const room = buffers.take((node?.data ?? bytes).length);
                  room.set(node?.data ?? bytes);
                  if (node === undefined && wrong.includes(index)) {
                    room[0] = (room[0] ?? 0) ^ 1;
                    wrong.splice(wrong.indexOf(index), 1);
                    assert.equal(await work.give(chunk, room), false);
                  } else assert.equal(await work.give(chunk, room), true);
                  buffers.give(room);
                }),
              );
              taken = work.take({ countMax: 8 });
            }
          });
          assert.ok(held !== null && readFileSync(held.path).equals(whole));
          held.release();
          await store.close();
          rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
        },
      ),
      { numRuns: 6 },
    );
  });
