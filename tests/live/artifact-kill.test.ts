/** A local store whose processes are killed at any moment, several at once. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chunkBytesMax } from "../../artifact/chunk-tree.ts";
import { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { madeBytes, madeTree } from "../support/artifact-child.ts";
import { until } from "../support/until.ts";

const damages: readonly (readonly [what: string, damage: (bytes: Buffer, seed: number) => Buffer])[] = [
  ["is no store", () => Buffer.from("nothing of the kind")],
  ["is empty", () => Buffer.alloc(0)],
  ["is cut off", (bytes, seed) => bytes.subarray(0, Math.floor(bytes.length * shareOf(seed)))],
  ["is zeros from somewhere on", (bytes, seed) => bytes.fill(0, Math.floor(bytes.length * shareOf(seed)))],
  [
    "has other bytes in a page",
    (bytes, seed) => bytes.fill(seed + 200, 4_096 * (2 + (seed % 9)), 4_096 * (3 + (seed % 9))),
  ],
];

const root = mkdtempSync(join(tmpdir(), "trialmesh-killed-store-"));
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  said(): string;
}

const script = fileURLToPath(new URL("../support/artifact-child.js", import.meta.url));

function start(...words: readonly string[]): Started {
  const child = spawn(process.execPath, [script, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      children.delete(child);
      resolve(code);
    });
  });
  return { child, ended, said: () => said };
}

/** From 0 to 1, the same each time. */
function shareOf(number: number): number {
  return ((Math.imul(number + 1, 2_654_435_761) >>> 0) % 1_000) / 1_000;
}

test("CACHE-1: killed at any moment while an artifact is brought, at most the chunk under way is had again, and it comes out right", async () => {
  const folder = join(root, "brought");
  const chunkCount = 40;
  const bytes = madeBytes(chunkCount * chunkBytesMax, 7);
  const { chunks, digest } = madeTree(bytes);
  let given = 0;
  let kills = 0;
  for (let run = 0; ; run++) {
    const started = start("bring", folder, String(chunkCount));
    await until("it to say something", () =>
      started.said() === "" && started.child.exitCode === null ? null : true,
    );
    await sleep(shareOf(run) * 30);
    const killed = run < 12 && started.child.kill("SIGKILL");
    await started.ended;
    given += started.said().split("given").length - 1;
    if (started.said().includes("whole")) break;
    assert.ok(killed, "it ends by itself only when it is whole");
    kills++;
    // It may have been whole when the kill came, and not yet told.
    const file = join(folder, "files", digest.slice(0, 2), digest);
    if (existsSync(file))
      assert.ok(readFileSync(file).equals(bytes), "nothing lies there before it is whole");
  }
  assert.ok(kills > 3, `${kills} kills met it at work`);
  assert.ok(given <= chunks.size + kills, `${given} chunks for ${chunks.size}, ${kills} kills`);
  const store = new ArtifactStore({ folder, clock: systemClock, quotaBytes: null });
  const held = await store.hold(digest);
  assert.ok(held !== null && readFileSync(held.path).equals(bytes));
  await store.close();
});

test("an index that was damaged while nobody had it open is made anew from the files before it is used", async () => {
  const folder = join(root, "damaged");
  const store = new ArtifactStore({ folder, clock: systemClock, quotaBytes: 50_000_000 });
  for (let n = 0; n < 60; n++) (await store.addBytes(madeBytes(2_000, n + 1))).held.release();
  await store.close();
  await start("list", folder, "0").ended;
  for (const [what, damage] of damages) {
    for (let seed = 0; seed < 7; seed++) {
      const index = join(folder, "index");
      const name = readdirSync(index).find((file) => file.endsWith(".lmdb")) ?? "";
      const whole = readFileSync(join(index, name));
      const damaged = damage(Buffer.from(whole), seed);
      if (damaged.equals(whole)) continue;
      writeFileSync(join(index, name), damaged);
      const started = start("list", folder, "0");
      await started.ended;
      assert.equal(started.said(), "61 122000\n", `${what}, ${seed}`);
    }
  }
});

test("CACHE-1, CACHE-2: several processes on one store, killed again and again: what lies there is right, counted, and within the quota", async () => {
  const folder = join(root, "used");
  for (let round = 0; round < 5; round++) {
    const users = [1, 2, 3].map((seed) => start("use", folder, String(seed)));
    for (const user of users) await until("it to begin", () => (user.said() === "" ? null : true));
    for (const [at, user] of users.entries()) {
      await sleep(shareOf(round * 3 + at) * 250);
      assert.equal(user.child.exitCode, null, "none ends by itself");
      user.child.kill("SIGKILL");
      await user.ended;
    }
    const store = new ArtifactStore({ folder, clock: systemClock, quotaBytes: null });
    const list = store.index.list();
    assert.ok(list.length > 0);
    for (const { bytes, digest } of list) {
      assert.equal((await store.verify(digest)).kind, "right", digest);
      assert.equal(readFileSync(store.pathOf(digest)).length, bytes);
      assert.deepEqual(store.index.holders(digest), [], "the dead hold nothing");
    }
    assert.equal(
      store.index.totalBytes,
      list.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    // One more comes, and what the killed ones held may go for it.
    (await store.addBytes(madeBytes(1_000, 99 + round))).held.release();
    assert.ok(store.index.totalBytes <= 1_000_000, String(store.index.totalBytes));
    const files = readdirSync(join(folder, "files"), { recursive: true, encoding: "utf8" });
    assert.equal(files.filter((name) => name.length === 67).length, store.index.list().length);
    await store.close();
    assert.deepEqual(readdirSync(join(folder, "drafts")), []);
  }
});
