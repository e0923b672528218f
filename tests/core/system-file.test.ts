// A file is written whole or not at all, a lock has one holder: whatever process does it, and however it ends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { claimLock, tryLock } from "../../system/folder-lock.ts";
import { sweepParts } from "../../system/partial-file.ts";
import { processIsAlive } from "../../system/process-alive.ts";
import { systemCode } from "../../system/system-error.ts";
import { placeWhole, writeWhole, writeWholeSync } from "../../system/whole-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trialmesh-file-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const writers: readonly (readonly [string, (path: string, text: string) => Promise<void>])[] = [
  ["flushed", (path, text) => writeWhole(path, text)],
  ["not flushed", (path, text) => writeWhole(path, Buffer.from(text), { flush: false })],
  ["at once", async (path, text) => writeWholeSync(path, text)],
];

for (const [how, write] of writers) {
  test(`FILE-1: a file written ${how} is replaced as a whole, is its owner's, and nothing lies beside it`, async () => {
    const path = join(folder, "a.json");
    await write(path, "first, and longer");
    await write(path, "second ä");
    assert.equal(readFileSync(path, "utf8"), "second ä");
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ["a.json"]);
  });

  test(`FILE-2: where a file written ${how} cannot be put, the system's error is told and no draft stays`, async () => {
    // A folder with something in it stands where the file should go.
    mkdirSync(join(folder, "taken", "full"), { recursive: true });
    await assert.rejects(write(join(folder, "taken"), "x"), (error) => systemCode(error) !== null);
    await assert.rejects(write(join(folder, "absent", "a"), "x"), (error) => systemCode(error) === "ENOENT");
    assert.deepEqual(readdirSync(folder), ["taken"]);
  });
}

test("FILE-3: many writers of one file at once leave what one of them wrote", async () => {
  const path = join(folder, "shared");
  const texts = Array.from({ length: 20 }, (_, at) => String(at).repeat(5_000));
  await Promise.all(texts.map((text) => writeWhole(path, text)));
  assert.ok(texts.includes(readFileSync(path, "utf8")));
  assert.deepEqual(readdirSync(folder), ["shared"]);
});

test("FILE-4: what another program wrote is moved to its place", async () => {
  writeFileSync(join(folder, "made"), "bytes");
  writeFileSync(join(folder, "place"), "before");
  await placeWhole(join(folder, "made"), join(folder, "place"));
  assert.equal(readFileSync(join(folder, "place"), "utf8"), "bytes");
  assert.deepEqual(readdirSync(folder), ["place"]);
});

test("FILE-5: the draft of a process that was killed is swept, one of a process at work is not", () => {
  for (const draft of ["a.json.0123456789ab.part-1", "a.json.0123456789ab.part-1073741823"])
    writeFileSync(join(folder, draft), "half");
  sweepParts(folder, processIsAlive);
  assert.deepEqual(readdirSync(folder), ["a.json.0123456789ab.part-1"]);
});

test("LOCK-1: one holder at a time; who asks is told which process it is", () => {
  const first = tryLock(folder, "work");
  assert.ok(first.held);
  assert.deepEqual(tryLock(folder, "work"), { held: false, holder: process.pid });
  assert.ok(tryLock(folder, "other").held, "of another name");
  first.lock.release();
  const next = tryLock(folder, "work");
  assert.ok(next.held);
  first.lock.release();
  next.lock.release();
  assert.equal(existsSync(join(folder, ".lock-work")), false);
});

test("LOCK-2: a lock whose process was killed is taken over, also one of an earlier process of our own id", async () => {
  const script = `const { tryLock } = await import(${JSON.stringify(new URL("../../system/folder-lock.js", import.meta.url).href)});
    console.log(tryLock(${JSON.stringify(folder)}, "work").held); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  assert.deepEqual(tryLock(folder, "work"), { held: false, holder: child.pid });
  child.kill("SIGKILL");
  await once(child, "close");
  const taken = tryLock(folder, "work");
  assert.ok(taken.held);
  taken.lock.release();
  mkdirSync(join(folder, ".lock-work"));
  writeFileSync(join(folder, ".lock-work", `${process.pid}-1`), "");
  assert.ok(tryLock(folder, "work").held);
});

test("LOCK-3: whoever waits is told once for whom, gets it next, and goes when called off", async () => {
  const first = tryLock(folder, "work");
  assert.ok(first.held);
  const told: number[] = [];
  const off = new AbortController();
  const gone = claimLock(folder, "work", off.signal, () => undefined);
  const waiting = claimLock(folder, "work", new AbortController().signal, (holder) => told.push(holder));
  off.abort();
  assert.equal(await gone, null);
  first.lock.release();
  const lock = await waiting;
  assert.ok(lock !== null);
  assert.deepEqual(told, [process.pid]);
  lock.release();
});
