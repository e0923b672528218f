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
import { crc32 } from "node:zlib";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { projectionVersion } from "../../coordinator/core/projection.ts";
import { openMemory, type CoordinatorMemory } from "../../mesh/part/open-memory.ts";
import { openStore } from "../../mesh/part/open-store.ts";
import { openLmdbStore } from "../../store/lmdb-store.ts";
import { moveStoreAside, openCheckedStore } from "../../store/open-checked.ts";
import { salvageStore } from "../../store/salvage-store.ts";
import { StoreError, type Store } from "../../store/store.ts";
import { randomStream } from "../../search/space/random-stream.ts";

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
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
const filled = { text: "x".repeat(80) };
const version = `projection-${projectionVersion}`;

/** A store of some pages in its folder. */
async function fill(path: string, of: string): Promise<void> {
  const store = await open(path, of);
  for (let from = 0; from < entries; from += 500) {
    const put = Array.from({ length: 500 }, (_, index) => [`entry/${from + index}`, filled] as const);
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
    assert.ok(opening.ok && opening.value.count() < entries);
    assert.ok([...opening.value.range("")].every(([, value]) => isDeepStrictEqual(value, filled)));
    await opening.value.close();
    assert.equal(asideIn(path).length, 1);
    assert.match(
      lines.join(),
      /entries could be read and are kept; reports in it that the coordinator had not received are lost/,
    );
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
      writeFileSync(join(path, "in-use"), "");
      const opening = await openCheckedStore({ path, version: "1" });
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
    writeFileSync(join(whole, "in-use"), "");
    const again = await openCheckedStore({ path: whole, version: "1" });
    assert.ok(again.kind === "opened" && again.store.count() === entries);
    await again.store.close();
    assert.ok(!existsSync(join(whole, "in-use")), "the mark is gone once it is closed");
  });
});

test("STORE-9: what is gone of a coordinator's memory is told, and nothing else is", async () => {
  const folder = newFolder();
  const lines: string[] = [];
  await closeMemory(await openedMemory(folder, lines));
  assert.equal(lines.length, 0, "a coordinator that begins has lost nothing");
  await fill(join(folder, "store"), version);
  await fill(join(folder, "journal-copy"), "journal-copy-1");
  rmSync(join(folder, "journal-copy", "store.lmdb"));
  await closeMemory(await openedMemory(folder, lines));
  const gone = () => lines.filter((line) => line.includes(" is gone; "));
  assert.match(gone().join(), /^the copy of the journal in \S+ is gone; it is copied anew from the server$/);
  await fill(join(folder, "journal-copy"), "journal-copy-1");
  rmSync(join(folder, "store", "store.lmdb"));
  lines.length = 0;
  await closeMemory(await openedMemory(folder, lines));
  assert.match(
    gone().join(),
    /^what this coordinator had stored in \S+ is gone; it is built anew from the journal$/,
  );
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
  assert.match(
    lines.join(),
    /the copy of the journal in .* was damaged \(.*\) and lies in .*; it is copied anew/,
  );
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

test("STORE-11: a store that nothing happened to opens again and again, with all it was given", async () => {
  for (const unclean of [false, true]) {
    const path = newFolder();
    const given: [string, unknown][] = [];
    for (let round = 0; round < 7; round++) {
      const opening = await openCheckedStore({ path, version: "1" });
      assert.ok(opening.kind === "opened", JSON.stringify(opening));
      assert.deepEqual([...opening.store.range("")], given);
      assert.equal(opening.store.fault(), null);
      // Every number of writes between two openings, none too.
      for (let write = 0; write < round % 4; write++) {
        given.push([`${round}.${write}`, { text: "x".repeat(5_000) }]);
        await opening.store.write({ put: given.slice(-1), remove: [] });
      }
      await opening.store.close();
      if (unclean) writeFileSync(join(path, "in-use"), "");
    }
  }
});

test("STORE-12: a file that is cut off or deleted while it is open is not touched again, and the next opening says so", async () => {
  const ways: readonly (readonly [string, (file: string) => void])[] = [
    ["its file was cut off", (file) => truncateSync(file, 5_000)],
    ["its file was deleted or moved away", (file) => rmSync(file)],
  ];
  for (const [why, damage] of ways) {
    const path = newFolder();
    await fill(path, "1");
    const opening = await openCheckedStore({ path, version: "1" });
    assert.ok(opening.kind === "opened");
    damage(join(path, "store.lmdb"));
    const isDamage = (error: unknown) => error instanceof StoreError && error.kind === "damaged";
    await assert.rejects(opening.store.write({ put: [["k", 1]], remove: [] }), isDamage);
    assert.throws(() => opening.store.get("entry/1"), isDamage);
    assert.throws(() => opening.store.fault(), isDamage);
    await opening.store.close();
    const again = await openCheckedStore({ path, version: "1" });
    if (why.includes("deleted")) {
      assert.ok(again.kind === "opened" && again.store.count() === 0);
      await again.store.close();
    } else
      assert.ok(again.kind === "refused" && again.refusal.kind === "damaged" && again.refusal.why === why);
  }
});

test("STORE-13: an agent's store that is damaged while it is open is written anew with all it held, and its writes go on", async () => {
  const path = newFolder();
  const lines: string[] = [];
  const opening = await openStore(path, "agent-1", at, (line) => lines.push(line));
  assert.ok(opening.ok);
  const store = opening.value;
  await store.write({ put: [["outbox/1", new Uint8Array([1, 2])]], remove: [] });
  truncateSync(join(path, "store.lmdb"), 5_000);
  await store.write({ put: [["outbox/2", new Uint8Array([3])]], remove: [] });
  assert.match(
    lines.join(),
    /is damaged \(its file was cut off\)\. It is written anew from memory; nothing is lost\./,
  );
  await store.close();
  const again = await openStore(path, "agent-1", at, (line) => lines.push(line));
  assert.ok(again.ok);
  assert.deepEqual(
    [...again.value.range("")].map(([key, value]) => [key, Uint8Array.from(value as Uint8Array)]),
    [
      ["outbox/1", new Uint8Array([1, 2])],
      ["outbox/2", new Uint8Array([3])],
    ],
  );
  await again.value.close();
  assert.equal(lines.length, 1);
});

interface Damage {
  readonly kind: "flip" | "zero" | "cut" | "old-page" | "delete" | "lock";
  /** Where, as a share of the file. */
  readonly at: number;
  readonly bit: number;
  readonly unclean: boolean;
}

const damagesOf: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom("flip", "flip", "flip", "zero", "cut", "old-page", "delete", "lock"),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  bit: fc.nat(7),
  unclean: fc.boolean(),
});

/** Does to the file what a disk may do; `before` is how it was some writes ago. */
function inflict(path: string, { at, bit, kind, unclean }: Damage, before: Buffer): void {
  const file = join(path, "store.lmdb");
  const bytes = readFileSync(file);
  const place = Math.floor(at * bytes.length);
  const page = place - (place % pageBytes);
  if (kind === "flip") bytes[place] = (bytes[place] ?? 0) ^ (1 << bit);
  if (kind === "zero") bytes.fill(0, page, page + pageBytes);
  if (kind === "old-page" && page < before.length) before.copy(bytes, page, page, page + pageBytes);
  if (kind === "delete") rmSync(file);
  else writeFileSync(file, kind === "cut" ? bytes.subarray(0, place) : bytes);
  if (kind === "lock") writeFileSync(`${file}-lock`, bytes.subarray(page, page + pageBytes));
  if (unclean) writeFileSync(join(path, "in-use"), "");
}

test("STORE-11: after any damage a store is what it was, or is put aside; never something else", async () => {
  const whole = newFolder();
  await fill(whole, "1");
  const before = readFileSync(join(whole, "store.lmdb"));
  const store = await open(whole, "1");
  for (let round = 0; round < 8; round++) {
    const put = Array.from(
      { length: 60 },
      (_, n) => [`entry/${n * 31}`, { granted: round * 7 + n }] as const,
    );
    await store.write({ put, remove: [`entry/${round + 1_000}`] });
  }
  const held = [...store.range("")];
  await store.close();
  let noticed = 0;
  const check = async (damage: Damage): Promise<void> => {
    const path = newFolder();
    writeFileSync(join(path, "store.lmdb"), readFileSync(join(whole, "store.lmdb")));
    const asClosed = readFileSync(join(path, "store.lmdb"));
    if (!damage.unclean) writeFileSync(join(path, "closed"), `${asClosed.length} ${crc32(asClosed)}`);
    inflict(path, damage, before);
    const isOther =
      !damage.unclean && damage.kind !== "delete" && !asClosed.equals(readFileSync(join(path, "store.lmdb")));
    const opening = await openCheckedStore({ path, version: "1" });
    if (opening.kind === "refused") {
      assert.equal(opening.refusal.kind, "damaged", opening.refusal.message);
      noticed++;
      // What can be read of it is what was written.
      const aside = moveStoreAside(path, at);
      const { entries: kept } = await salvageStore(aside);
      const right = new Map(held);
      for (const [key, value] of kept)
        if (damage.kind !== "old-page") assert.deepEqual(value, right.get(key), key);
    } else {
      // Then it is gone, and its owner knows whether it should be there.
      if (damage.kind === "delete" || (damage.kind === "cut" && damage.at < 1e-5))
        assert.equal(opening.store.count(), 0);
      else {
        assert.deepEqual([...opening.store.range("")], held);
        assert.equal(opening.note !== undefined, isOther, "damage that touched nothing is said too");
      }
      // And what is written from here on stays what it is.
      for (let round = 0; round < 3; round++)
        await opening.store.write({ put: [[`more/${round}`, round]], remove: [`entry/${round + 2_000}`] });
      assert.equal(opening.store.fault(), null);
      await opening.store.close();
    }
    rmSync(path, { recursive: true, maxRetries: 5 });
  };
  await fc.assert(fc.asyncProperty(damagesOf, check), { numRuns: Number(process.env["DAMAGES"] ?? 40) });
  assert.ok(noticed > 0);
});
