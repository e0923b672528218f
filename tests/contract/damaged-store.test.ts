// Stores on disk that were cut off, written over or kept by another version, as a coordinator and an agent open them.
import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { projectionVersion } from "../../coordinator/core/projection.ts";
import { openMemory, type CoordinatorMemory } from "../../mesh/part/open-memory.ts";
import { openStore } from "../../mesh/part/open-store.ts";
import { openLmdbStore } from "../../store/lmdb-store.ts";
import { openCheckedStore } from "../../store/open-checked.ts";
import type { Store } from "../../store/store.ts";
import { randomStream } from "../../search/space/random-stream.ts";

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-damaged-"));
  folders.push(folder);
  return folder;
}

const pageBytes = 4096;
/** 2027-01-02, ms. */
const at = 1_798_848_000_000;
const entries = 3_000;
const version = `coordinator-${projectionVersion}`;

/** A store of some pages in its folder. */
async function fill(path: string, of: string): Promise<void> {
  const store = await open(path, of);
  for (let from = 0; from < entries; from += 500) {
    const put = Array.from(
      { length: 500 },
      (_, index) => [`entry/${from + index}`, { text: "x".repeat(80) }] as const,
    );
    await store.write({ put, remove: [] });
  }
  await store.close();
}

async function open(path: string, of: string): Promise<Store> {
  const opening = await openLmdbStore({ path, version: of });
  assert.ok(opening.kind === "opened");
  return opening.store;
}

function scribble(path: string, page: number, pages: number): void {
  const random = randomStream(page, "garbage", 0);
  const garbage = Uint8Array.from({ length: pages * pageBytes }, () => Math.floor(random.next() * 256));
  const file = openSync(join(path, "store.lmdb"), "r+");
  writeSync(file, garbage, 0, garbage.length, page * pageBytes);
  closeSync(file);
}

const damages: readonly (readonly [string, (path: string) => void])[] = [
  ["cut off in the middle", (path) => truncateSync(join(path, "store.lmdb"), 30 * pageBytes)],
  ["cut off in its first page", (path) => truncateSync(join(path, "store.lmdb"), 100)],
  ["cut off in its second page", (path) => truncateSync(join(path, "store.lmdb"), 5_000)],
  ["no store at all", (path) => writeFileSync(join(path, "store.lmdb"), "no store at all ".repeat(4096))],
  ["garbage behind its first pages", (path) => scribble(path, 2, 80)],
];

async function openedMemory(folder: string, lines: string[]): Promise<CoordinatorMemory> {
  const memory = await openMemory(folder, at, (line) => lines.push(line));
  assert.ok(memory.ok, memory.ok ? "" : memory.refusal.message);
  return memory.value;
}

async function closeMemory({ journalCopy, projection }: CoordinatorMemory): Promise<void> {
  await projection.close();
  await journalCopy.close();
}

const asideIn = (path: string) => readdirSync(path).filter((name) => name.startsWith("damaged-"));

for (const [what, damage] of damages) {
  test(`STORE-9: a projection that is ${what} is put aside, named in one sentence, and begun anew`, async () => {
    const folder = newFolder();
    const path = join(folder, "store");
    await fill(path, version);
    damage(path);
    const bytes = readFileSync(join(path, "store.lmdb"));
    const lines: string[] = [];
    const memory = await openedMemory(folder, lines);
    assert.equal(memory.projection.count(), 0);
    await closeMemory(memory);
    const [aside = "none"] = asideIn(path);
    assert.equal(lines.length, 1);
    assert.ok(lines[0]?.includes(join(path, aside)), lines[0]);
    assert.ok(readFileSync(join(path, aside)).subarray(0, bytes.length).equals(bytes), "as it was");
  });

  test(`STORE-9: an agent's store that is ${what} is put aside with what that means for its reports`, async () => {
    const path = newFolder();
    await fill(path, "agent-1");
    damage(path);
    const lines: string[] = [];
    const opening = await openStore(path, "agent-1", at, (line) => lines.push(line));
    assert.ok(opening.ok && opening.value.count() === 0);
    await opening.value.close();
    assert.equal(asideIn(path).length, 1);
    assert.match(lines.join(), /reports in it that the coordinator had not received are lost/);
  });
}

describe("damage that ends the process which reads it", () => {
  /** The same store with one page of it written over, each in turn. */
  test("STORE-10: is found at the next start, whatever page it is, and a store that is whole is left alone", async () => {
    const whole = newFolder();
    await fill(whole, "1");
    const pages = statSync(join(whole, "store.lmdb")).size / pageBytes;
    let found = 0;
    for (const page of [3, 17, Math.floor(pages / 2), pages - 10]) {
      const path = newFolder();
      writeFileSync(join(path, "store.lmdb"), readFileSync(join(whole, "store.lmdb")));
      scribble(path, page, 1);
      // As the process left it that did not survive: the mark, and nothing else.
      writeFileSync(join(path, "opening"), "");
      const opening = await openCheckedStore({ path, version: "1", scan: true });
      if (opening.kind === "opened") {
        // A page that was free: nothing is lost.
        assert.equal(opening.store.count(), entries);
        assert.equal([...opening.store.range("")].length, entries);
        await opening.store.close();
        continue;
      }
      assert.equal(opening.refusal.kind, "damaged");
      found++;
    }
    assert.ok(found > 0);
    writeFileSync(join(whole, "opening"), "");
    const again = await openCheckedStore({ path: whole, version: "1", scan: true });
    assert.ok(again.kind === "opened" && again.store.count() === entries);
    assert.ok(!existsSync(join(whole, "opening")), "the mark is gone once it is open");
    await again.store.close();
  });
});

test("FORMAT-4: a projection of another version gives up its copy of the journal and is begun anew", async () => {
  const folder = newFolder();
  const path = join(folder, "store");
  const old = await open(path, "coordinator-3");
  const bytes = new TextEncoder().encode("a message");
  const copied = [["journal/000000000001", bytes] as const, ["journal/000000000002", bytes] as const];
  await old.write({ put: [...copied, ["meta", { epoch: 1 }]], remove: [] });
  await old.close();
  const lines: string[] = [];
  const memory = await openedMemory(folder, lines);
  assert.equal(memory.projection.count(), 0);
  assert.deepEqual(
    [...memory.journalCopy.range("journal/")].map(([key, value]) => [
      key,
      Uint8Array.from(value as Uint8Array),
    ]),
    copied,
  );
  assert.match(lines.join(), /is of another version \(coordinator-3\); it is built anew from the journal$/);
  await closeMemory(memory);
  assert.deepEqual(asideIn(path), []);
  lines.length = 0;
  await closeMemory(await openedMemory(folder, lines));
  assert.deepEqual(lines, []);
});

test("STORE-9: a damaged copy of the journal is put aside too, and the projection stays", async () => {
  const folder = newFolder();
  await fill(join(folder, "store"), version);
  await fill(join(folder, "journal-copy"), "journal-copy-1");
  truncateSync(join(folder, "journal-copy", "store.lmdb"), 100);
  const lines: string[] = [];
  const memory = await openedMemory(folder, lines);
  assert.equal(memory.projection.count(), entries);
  assert.equal(memory.journalCopy.count(), 0);
  assert.match(lines.join(), /the copy of the journal in .* was damaged and lies in .*; it is copied anew/);
  await closeMemory(memory);
});

test("STORE-5: an agent's store of another version is refused with what to do, and left as it is", async () => {
  const path = newFolder();
  await fill(path, "agent-2");
  const lines: string[] = [];
  const opening = await openStore(path, "agent-1", at, (line) => lines.push(line));
  assert.ok(!opening.ok);
  assert.match(
    opening.refusal.message,
    /is of version agent-2 and this trialmesh keeps agent-1; let the trialmesh that wrote it run/,
  );
  assert.deepEqual([lines, asideIn(path)], [[], []]);
  const store = await open(path, "agent-2");
  assert.equal(store.count(), entries);
  await store.close();
});
