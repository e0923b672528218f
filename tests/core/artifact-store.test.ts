/** The local store: nothing lies under a digest before it is whole and right, what was brought is not brought again, and what goes. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
  closeSync,
  existsSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { artifactName, nameFile } from "../../artifact/name-artifact.ts";
import { chunkBytesMax, nodeMark, TreeHash, type NamedChunk } from "../../artifact/chunk-tree.ts";
import { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import { adoptCache } from "../../artifact/store/open-artifact-store.ts";
import type { ChunkWork, WantedChunk } from "../../artifact/chunk-source.ts";
import { createHash } from "node:crypto";

const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })));

function place() {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-artifacts-"));
  folders.push(folder);
  const time = { now: 1_767_225_600_000 };
  const clock = { now: () => time.now, monotonic: () => time.now, setTimer: () => () => {} };
  const open = (quotaBytes: number | null = null) =>
    new ArtifactStore({ folder: join(folder, "store"), clock, quotaBytes });
  return { folder, open, time };
}

/** Bytes of which every chunk is another, the same for a seed. */
function bytesOf(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed;
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 4 <= length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    view.setUint32(at, state);
  }
  return bytes;
}

/** Every chunk and node of an artifact, by digest. */
function chunksOf(bytes: Uint8Array): { digest: string; chunks: Map<string, Uint8Array> } {
  const tree = new TreeHash();
  const named: NamedChunk[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytesMax) {
    const data = bytes.subarray(at, at + chunkBytesMax);
    named.push({ digest: tree.add(data), data });
  }
  const { digest, nodes } = tree.end();
  return { digest, chunks: new Map([...named, ...nodes].map((one) => [one.digest, one.data])) };
}

/** Brings what it is asked for, up to `countMax` chunks; returns how many. */
async function bringAll(
  work: ChunkWork,
  chunkOf: (chunk: WantedChunk) => Uint8Array | undefined,
  countMax = Infinity,
): Promise<number> {
  for (let count = 0; ;) {
    const [chunk] = count >= countMax ? [] : (work.take({ countMax: 1 }) ?? []);
    if (chunk === undefined) return count;
    const data = chunkOf(chunk);
    if (data === undefined) {
      work.putBack([chunk]);
      return count;
    }
    assert.ok(await work.give(chunk, data));
    count++;
  }
}

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 3 * chunkBytesMax }),
  fc.constantFrom(0, 1, chunkBytesMax - 1, chunkBytesMax, chunkBytesMax + 1, 2 * chunkBytesMax),
);

test("CACHE-1: what is taken in, as bytes, as a file or as pieces, is there under the digest of its tree, byte for byte", async () => {
  const { folder, open } = place();
  const store = open();
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.integer({ min: 1, max: 700_000 }),
      fc.boolean(),
      async (size, piece, isNode) => {
        const bytes = bytesOf(size, size + piece);
        if (isNode) bytes.set(nodeMark.subarray(0, size));
        const path = join(folder, "given");
        writeFileSync(path, bytes);
        async function* pieces() {
          for (let at = 0; at < bytes.length; at += piece)
            yield Promise.resolve(bytes.subarray(at, at + piece));
        }
        for (const added of [
          await store.addBytes(bytes),
          await store.addFile(path),
          await store.addStream(pieces()),
        ]) {
          assert.equal(added.digest, artifactName(bytes));
          assert.equal(added.digest, (await nameFile(path)).digest);
          assert.equal(added.bytes, size);
          assert.ok(readFileSync(added.held.path).equals(bytes));
          added.held.release();
        }
        const held = await store.hold(artifactName(bytes));
        assert.equal(held?.bytes, size);
        held?.release();
      },
    ),
    { numRuns: 30 },
  );
  await store.close();
});

test("CACHE-1: chunks in any order, cut off at any moment by a closed process, are not brought again; nothing is there before the last", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 * chunkBytesMax }),
      fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
      async (size, stops) => {
        const { open } = place();
        const bytes = bytesOf(size, size);
        const { chunks, digest } = chunksOf(bytes);
        let brought = 0;
        for (const stop of [...stops, Infinity]) {
          const store = open();
          if ((await store.hold(digest)) !== null) break;
          const held = await store.bring(digest, async (work) => {
            brought += await bringAll(work, (chunk) => chunks.get(chunk.digest), stop);
          });
          if (held === null) assert.equal(await store.hold(digest), null);
          else assert.ok(readFileSync(held.path).equals(bytes));
          await store.close();
        }
        assert.equal(brought, chunks.size);
      },
    ),
    { numRuns: 20 },
  );
});

test("CACHE-1: a chunk that is not its digest's is refused and had again; a node of no tree too", async () => {
  const { open } = place();
  const store = open();
  const bytes = bytesOf(3 * chunkBytesMax + 5);
  const { chunks, digest } = chunksOf(bytes);
  const held = await store.bring(digest, async (work) => {
    for (;;) {
      const [chunk] = work.take({ countMax: 1 }) ?? [];
      if (chunk === undefined) return;
      const data = chunks.get(chunk.digest) ?? new Uint8Array(0);
      for (const wrong of [
        data.subarray(1),
        Uint8Array.from([...data.subarray(0, 99), 1]),
        new Uint8Array(0),
      ]) {
        assert.equal(await work.give(chunk, wrong), false);
        const again = work.take({ countMax: 100 }) ?? [];
        assert.ok(again.some((one) => one.digest === chunk.digest));
        work.putBack(again.filter((one) => one.digest !== chunk.digest));
      }
      assert.equal(await work.give(chunk, data), true);
    }
  });
  assert.ok(held !== null && readFileSync(held.path).equals(bytes));
  await store.close();
});

test("CACHE-1: of a file that was damaged only the damaged chunks are brought again, whatever became of it and of its nodes", async () => {
  const bytes = bytesOf(6 * chunkBytesMax + 17);
  const { chunks, digest } = chunksOf(bytes);
  const damages: readonly (readonly [string, (path: string) => void, number])[] = [
    ["one byte", (path) => spoil(path, 2 * chunkBytesMax + 7), 1],
    ["two chunks", (path) => [5, 5 * chunkBytesMax].forEach((at) => spoil(path, at)), 2],
    ["cut off", (path) => truncateSync(path, 4 * chunkBytesMax + 1), 3],
    ["nothing left", (path) => truncateSync(path, 0), 7],
    ["its nodes", (path) => spoil(`${path}.tree`, 40), 0],
    ["without nodes", (path) => rmSync(`${path}.tree`), 0],
    ["gone", (path) => rmSync(path), 8],
  ];
  for (const [what, damage, again] of damages) {
    const { open } = place();
    const store = open();
    const { held } = await store.addBytes(bytes);
    held.release();
    const path = store.pathOf(digest);
    damage(path);
    const found = await store.hold(digest);
    if (again === 0) {
      assert.ok(found !== null && existsSync(`${path}.tree`), what);
      continue;
    }
    assert.equal(found, null, what);
    let brought = 0;
    const healed = await store.bring(digest, async (work) => {
      brought = await bringAll(work, (chunk) => chunks.get(chunk.digest));
    });
    assert.equal(brought, again, what);
    assert.ok(healed !== null && readFileSync(healed.path).equals(bytes), what);
    await store.close();
  }
});

function spoil(path: string, at: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.from([readFileSync(path)[at] === 9 ? 8 : 9]), 0, 1, at);
  closeSync(file);
}

test("CACHE-2: the least recently used goes first, in whichever process it was used; nothing that is pinned or held, also by another", async () => {
  const { open } = place();
  const one = open(5_000);
  const two = open();
  const names = [];
  for (let n = 0; n < 5; n++) {
    const { digest, held } = await one.addBytes(bytesOf(1_000, n + 1));
    held.release();
    names.push(digest);
  }
  const [a = "", b = "", c = "", d = "", e = ""] = names;
  two.pins.add(a);
  const held = await two.hold(b);
  (await two.hold(c))?.release();
  (await one.addBytes(bytesOf(1_500, 9))).held.release();
  const here = () => new Set(one.index.list().map(({ digest }) => digest));
  assert.deepEqual(
    names.filter((name) => here().has(name)),
    [a, b, c],
  );
  assert.equal(await one.hold(d), null);
  assert.equal(await one.hold(e), null);
  held?.release();
  two.pins.remove(a);
  (await one.addBytes(bytesOf(3_600, 10))).held.release();
  assert.ok(one.index.totalBytes <= 5_000);
  assert.deepEqual(
    names.filter((name) => here().has(name)),
    [],
  );
  await two.close();
  await one.close();
});

test("CACHE-1: what was named by the SHA-256 of more than a chunk is taken in whole, and only where that is its name", async () => {
  const { open } = place();
  const store = open();
  const bytes = bytesOf(2 * chunkBytesMax + 3);
  const plain = createHash("sha256").update(bytes).digest("hex");
  async function* pieces(given: Uint8Array) {
    for (let at = 0; at < given.length; at += 262_144)
      yield Promise.resolve(given.subarray(at, at + 262_144));
  }
  assert.equal(await store.addPlain(plain, pieces(bytes.subarray(1))), null);
  assert.equal(await store.hold(plain), null);
  const held = await store.addPlain(plain, pieces(bytes));
  assert.ok(held !== null && readFileSync(held.path).equals(bytes));
  assert.equal((await store.hold(plain))?.bytes, bytes.length);
  spoil(store.pathOf(plain), 5);
  assert.equal(await store.hold(plain), null);
  await store.close();
});

test("CACHE-1: what an agent's cache held before is taken over, and read before it is handed out", async () => {
  const { folder, open } = place();
  const store = open();
  const cache = join(folder, "cache");
  const [right, wrong, large] = [bytesOf(500, 1), bytesOf(600, 2), bytesOf(2 * chunkBytesMax, 3)];
  const plain = createHash("sha256").update(large).digest("hex");
  const kept = new Map([
    [artifactName(right), right],
    [artifactName(wrong), right],
    [plain, large],
  ]);
  for (const [digest, bytes] of kept) {
    mkdirSync(join(cache, digest.slice(0, 2)), { recursive: true });
    writeFileSync(join(cache, digest.slice(0, 2), digest), bytes);
  }
  mkdirSync(join(cache, "work/7"), { recursive: true });
  await adoptCache(store, cache);
  assert.deepEqual(readdirSync(cache), ["work"]);
  assert.equal((await store.hold(artifactName(right)))?.bytes, 500);
  assert.equal(await store.hold(artifactName(wrong)), null);
  assert.equal((await store.hold(plain))?.bytes, large.length);
  await store.close();
});

test("what was begun is kept for days, and let go when nobody went on with it", async () => {
  const { folder, open, time } = place();
  const bytes = bytesOf(3 * chunkBytesMax);
  const { chunks, digest } = chunksOf(bytes);
  const store = open();
  await store.bring(
    digest,
    async (work) => void (await bringAll(work, ({ digest: one }) => chunks.get(one), 2)),
  );
  await store.close();
  const parts = join(folder, "store/parts");
  for (const [days, left] of [
    [6, 2],
    [8, 0],
  ] as const) {
    for (const name of readdirSync(parts))
      utimesSync(join(parts, name), time.now / 1_000, time.now / 1_000 - days * 86_400);
    await open().close();
    assert.equal(readdirSync(parts).length, left);
  }
});

test("CACHE-2: the quota that was said last is that of whoever says none, also where the index was lost", async () => {
  const { folder, open } = place();
  await open(4_000).close();
  rmSync(join(folder, "store/index"), { recursive: true, maxRetries: 5 });
  const store = open();
  for (let n = 0; n < 9; n++) (await store.addBytes(bytesOf(1_000, n + 1))).held.release();
  assert.deepEqual(
    [store.index.quotaBytes, store.index.totalBytes, store.index.list().length],
    [4_000, 4_000, 4],
  );
  await store.close();
});

test("a file that changes while it is read is not taken in, and nothing of it stays", async () => {
  const { folder, open } = place();
  const store = open();
  const path = join(folder, "grows");
  writeFileSync(path, bytesOf(40 * chunkBytesMax));
  const timer = setInterval(() => appendFileSync(path, "more"), 1);
  await assert.rejects(store.addFile(path), /grows changed while it was read/);
  clearInterval(timer);
  assert.deepEqual(store.index.list(), []);
  await store.close();
});

test("CACHE-1: what others ask of a large file that nobody has read yet is verified chunk by chunk, whatever is wrong with it", async () => {
  const bytes = bytesOf(20 * chunkBytesMax + 99);
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.nat(20), { maxLength: 3 }),
      fc.array(fc.record({ first: fc.nat(20), count: fc.integer({ min: 1, max: 4 }) }), { maxLength: 12 }),
      async (wrong, reads) => {
        const { open } = place();
        const { digest, path } = await (async () => {
          const store = open();
          const { digest, held } = await store.addBytes(bytes);
          held.release();
          await store.close();
          return { digest, path: held.path };
        })();
        for (const index of wrong) spoil(path, index * chunkBytesMax + 11);
        const store = open();
        const [one, other] = [await store.open(digest), await store.open(digest)];
        assert.ok(one !== null && other !== null && one.isWhole);
        let isFound = false;
        for (const [at, { count, first }] of reads.entries()) {
          const file = at % 2 === 0 ? one : other;
          const end = Math.min(21, first + count);
          const isWrong = wrong.some((index) => index >= first && index < end);
          const read = file.read(first, end - first);
          if (isWrong) await assert.rejects(read, /is not what its digest names/);
          else
            assert.ok(
              Buffer.from(await read).equals(bytes.subarray(first * chunkBytesMax, end * chunkBytesMax)),
            );
          isFound ||= isWrong;
        }
        assert.equal(store.entry(digest) === null, isFound, "what is damaged is no longer said to be here");
        await one.close();
        await other.close();
        assert.equal((await store.hold(digest)) === null, wrong.length > 0);
        await store.close();
      },
    ),
    { numRuns: 15 },
  );
});

test("many who ask at once for what was not read yet have it read once", async () => {
  const { open } = place();
  const store = open();
  const bytes = bytesOf(3 * chunkBytesMax);
  const { digest, held } = await store.addBytes(bytes);
  held.release();
  let reads = 0;
  const verify = store.verify.bind(store);
  store.verify = (...words) => {
    reads++;
    return verify(...words);
  };
  const holding = await Promise.all(Array.from({ length: 8 }, () => store.hold(digest)));
  assert.ok(holding.every((one) => one !== null));
  assert.ok(reads < 8, `${reads} reads`);
  holding.forEach((one) => one?.release());
  await store.close();
});
