// A process that uses a local store until it is killed. `bring`: one artifact, a chunk at a time, each told; `use`: whatever a store can do;
// `list`: what lies there, all of it read, and one more.
import { setTimeout as sleep } from "node:timers/promises";
import { TreeHash, chunkBytesMax, type NamedChunk } from "../../artifact/chunk-tree.ts";
import { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";

/** Bytes of which every chunk is another, the same for a seed. */
export function madeBytes(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (let at = 0, state = seed; at + 4 <= length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    view.setUint32(at, state);
  }
  return bytes;
}

/** Its digest, and every chunk and node of it by digest. */
export function madeTree(bytes: Uint8Array): { digest: string; chunks: ReadonlyMap<string, Uint8Array> } {
  const tree = new TreeHash();
  const named: NamedChunk[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytesMax) {
    const data = bytes.subarray(at, at + chunkBytesMax);
    named.push({ digest: tree.add(data), data });
  }
  const { digest, nodes } = tree.end();
  return { digest, chunks: new Map([...named, ...nodes].map((one) => [one.digest, one.data])) };
}

async function bring(store: ArtifactStore, chunkCount: number): Promise<void> {
  const { chunks, digest } = madeTree(madeBytes(chunkCount * chunkBytesMax, 7));
  if ((await store.hold(digest)) !== null) return void process.stdout.write("whole\n");
  const held = await store.bring(digest, async (work) => {
    for (;;) {
      const [chunk] = work.take({ countMax: 1 }) ?? [];
      if (chunk === undefined) return;
      process.stdout.write("given\n");
      await sleep(15);
      await work.give(chunk, chunks.get(chunk.digest) ?? new Uint8Array(0));
    }
  });
  if (held !== null) process.stdout.write("whole\n");
}

async function use(store: ArtifactStore, seed: number): Promise<void> {
  process.stdout.write("begun\n");
  for (let n = 0; ; n++) {
    const bytes = madeBytes(1_000 + ((n * 7_919) % 40_000), seed * 1_000 + (n % 50));
    const { digest, held } = await store.addBytes(bytes);
    const again = await store.hold(digest);
    held.release();
    if (n % 3 > 0) again?.release();
    if (n % 11 === 0) store.remove(digest);
    if (n % 13 === 0) store.lose(digest);
  }
}

async function list(store: ArtifactStore): Promise<void> {
  for (const { digest } of store.index.list()) (await store.hold(digest))?.release();
  const { held } = await store.addBytes(madeBytes(2_000, 4_711));
  held.release();
  process.stdout.write(`${store.index.list().length} ${store.index.totalBytes}\n`);
}

const modes: Readonly<Record<string, (store: ArtifactStore, number: number) => Promise<void>>> = {
  bring,
  list,
  use,
};

const [mode, folder, number] = process.argv.slice(2);
if (folder !== undefined && number !== undefined) {
  const store = new ArtifactStore({ folder, clock: systemClock, quotaBytes: 1_000_000 });
  await modes[mode ?? ""]?.(store, Number(number));
  await store.close();
}
