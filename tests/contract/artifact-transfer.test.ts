// Artifacts of any size through the mesh's store, as bytes, as files and into a machine's store: over every Bus.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { putBlob } from "../../artifact/blob.ts";
import { fetchFile, sendFile } from "../../artifact/cache/mesh-file.ts";
import { openDiskCache } from "../../artifact/cache/disk-cache.ts";
import { chunkBytesMax, nodeMark } from "../../artifact/chunk-tree.ts";
import { placeOf, sendBlob } from "../../artifact/mesh-blob.ts";
import { artifactName } from "../../artifact/name-artifact.ts";
import { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import { BlobProver } from "../../coordinator/leader/blob-prover.ts";
import { scrubBlobs } from "../../coordinator/leader/scrub-blobs.ts";
import { serveProofs } from "../../coordinator/leader/serve-proofs.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { streamSpecsOf } from "../../protocol/subjects.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { MemoryHub } from "../support/bus/memory-hub.ts";
import { busWorlds, type BusMesh, type BusWorld } from "../support/bus-mesh.ts";
import { until } from "../support/until.ts";

const place = placeOf("m");
const sizes = [0, 1, chunkBytesMax, chunkBytesMax + 1, 5 * chunkBytesMax + 77];

function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >>> 8) * 7 + (at >>> 16) * 13 + seed) & 255;
  return bytes;
}

/** Its timers keep no process from ending: the next round is a day away. */
const unheeded: Clock = {
  ...systemClock,
  setTimer: (ms, run) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** Where all there is to wait for is that somebody gives up. */
const hurry = 50;
const hurried: Clock = { ...systemClock, setTimer: (ms, run) => systemClock.setTimer(ms / hurry, run) };

/** The memory's with real time, in which files are read and written meanwhile. */
const inMemory: BusWorld = {
  name: "memory",
  skip: false,
  start: () => {
    const hub = new MemoryHub({ clock: systemClock, seed: 1 });
    return Promise.resolve({
      connect: (name) => Promise.resolve(hub.connect(name)),
      settle: (promise) => promise,
      until: async (what, condition) => void (await until(what, () => condition() || null)),
      pass: (ms) => sleep(ms),
      kill9: () => Promise.resolve(hub.stop()),
      restart: () => Promise.resolve(hub.start()),
      stop: () => Promise.resolve(),
    });
  },
};

for (const world of [inMemory, ...busWorlds.filter(({ name }) => name !== "memory")]) {
  describe(`artifacts (${world.name})`, { skip: world.skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), "trialmesh-transfer-"));
    let mesh: BusMesh;
    let bus: Bus;
    let lead: Bus;
    before(async () => {
      mesh = await world.start();
      lead = await mesh.connect("lead");
      bus = await mesh.connect("agent");
      for (const spec of streamSpecsOf("m", 1, "secret")) await mesh.settle(lead.ensureStream(spec));
      serveProofs(
        lead,
        "m",
        new BlobProver({
          ...{ bus: lead, mesh: "m", clock: systemClock, log: () => undefined },
          ...{ leavesBefore: () => null, isGone: () => false },
        }),
      );
      await mesh.pass(50);
    });
    after(async () => {
      await mesh.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });

    const store = (name: string) =>
      new ArtifactStore({ folder: join(folder, name), clock: systemClock, quotaBytes: null });
    const cacheOver = (name: string, at: ArtifactStore, said: string[] = [], clock: Clock = systemClock) =>
      openDiskCache({
        dir: join(folder, name),
        store: at,
        bus,
        mesh: "m",
        clock,
        say: (line) => said.push(line),
      });

    test("what was sent as bytes or as a file is had as a file, and is not sent twice", async () => {
      for (const [seed, size] of sizes.entries()) {
        const bytes = bytesOf(size, seed);
        if (size === chunkBytesMax) bytes.set(nodeMark);
        const digest = artifactName(bytes);
        const [from, to] = [join(folder, "from"), join(folder, "to")];
        writeFileSync(from, bytes);
        assert.deepEqual(await mesh.settle(sendBlob(bus, "m", bytes)), { ok: true, value: true });
        assert.deepEqual(await mesh.settle(sendFile(bus, "m", from, digest)), { ok: true, value: false });
        const file = await mesh.settle(fetchFile(bus, "m", digest, to));
        assert.ok(file.ok && readFileSync(to).equals(bytes), String(size));
      }
      assert.deepEqual(readdirSync(folder).toSorted(), ["from", "to"]);
    });

    test("a file that is not what its digest says is not sent", async () => {
      const path = join(folder, "other");
      writeFileSync(path, bytesOf(10, 3));
      const sent = await sendFile(bus, "m", path, artifactName(bytesOf(10, 4)));
      assert.ok(!sent.ok && /other is not what its digest says/.test(sent.refusal.message));
    });

    test("what was stored under the SHA-256 of all of it is had as a file and by an agent", async () => {
      const bytes = bytesOf(3 * chunkBytesMax + 9, 41);
      const plain = createHash("sha256").update(bytes).digest("hex");
      await mesh.settle(putBlob(bus, place, bytes));
      const to = join(folder, "plain");
      assert.ok((await mesh.settle(fetchFile(bus, "m", plain, to))).ok && readFileSync(to).equals(bytes));
      assert.deepEqual(await mesh.settle(sendFile(bus, "m", to, plain)), { ok: true, value: false });
      const at = store("plain-store");
      const cache = await cacheOver("plain-agent", at);
      const path = await mesh.settle(cache.fetch(plain, 1));
      assert.ok(path.ok && readFileSync(path.value).equals(bytes));
      await at.close();
    });

    test("one agent shares and another fetches, after a damage only what is damaged; held until the lease is over", async () => {
      const [one, two] = [store("one"), store("two")];
      const [sender, receiver] = [await cacheOver("agent-one", one), await cacheOver("agent-two", two)];
      for (const [seed, size] of sizes.entries()) {
        const bytes = bytesOf(size, 100 + seed);
        const digest = artifactName(bytes);
        const from = join(folder, "checkpoint");
        writeFileSync(from, bytes);
        await mesh.settle(sender.share(from, digest));
        assert.equal(sender.kept(digest, 7), one.pathOf(digest));
        const [a, b] = await Promise.all([1, 2].map((fence) => mesh.settle(receiver.fetch(digest, fence))));
        assert.ok(a?.ok === true && b?.ok === true, JSON.stringify([a, b, size]));
        assert.ok(readFileSync(a.value).equals(bytes), String(size));
        assert.equal(a.value, b.value);
        assert.equal(two.index.holders(digest).length, 1);
        receiver.clear(1);
        assert.equal(two.index.holders(digest).length, 1);
        receiver.clear(2);
        await mesh.pass(20);
        assert.equal(two.index.holders(digest).length, 0);
      }
      await one.close();
      await two.close();
    });

    test("a chunk that the mesh's store lost is put there again by an agent that has it in any artifact", async () => {
      const at = store("healer");
      const cache = await cacheOver("healer-agent", at);
      const bytes = bytesOf(3 * chunkBytesMax + 1, 77);
      const digest = artifactName(bytes);
      const from = join(folder, "large");
      writeFileSync(from, bytes);
      await mesh.settle(cache.share(from, digest));
      const chunk = createHash("sha256")
        .update(bytes.subarray(chunkBytesMax, 2 * chunkBytesMax))
        .digest("hex");
      await mesh.settle(lead.removeMessages(place.stream, `${place.subjectOf(chunk, 0).slice(0, -1)}*`));
      cache.offer(chunk);
      await mesh.pass(4_000);
      const to = join(folder, "mended");
      assert.ok((await mesh.settle(fetchFile(bus, "m", digest, to))).ok && readFileSync(to).equals(bytes));
      await at.close();
    });

    test("BLOB-6: a coordinator that looks through what is on record finds a chunk that a large artifact has lost", async () => {
      const bytes = bytesOf(2 * chunkBytesMax + 5, 91);
      await mesh.settle(sendBlob(bus, "m", bytes));
      const chunk = createHash("sha256")
        .update(bytes.subarray(2 * chunkBytesMax))
        .digest("hex");
      await mesh.settle(lead.removeMessages(place.stream, `${place.subjectOf(chunk, 0).slice(0, -1)}*`));
      const prover = new BlobProver({
        ...{ bus: lead, mesh: "m", clock: systemClock, log: () => undefined },
        ...{ leavesBefore: () => null, isGone: () => false },
      });
      const stored = [artifactName(bytesOf(1, 1)), artifactName(bytes)];
      const digests = () => Promise.resolve({ stored, perhaps: [] });
      const end = scrubBlobs({ prover, clock: unheeded, digests, isAtAgents: () => false });
      try {
        await mesh.until("it to be asked for", () => prover.wanted().includes(chunk));
      } finally {
        end();
      }
    });

    test("what nobody has is said to be missing, and nothing of it stays", async () => {
      const digest = artifactName(bytesOf(5, 200));
      const to = join(folder, "missing");
      const file = await mesh.settle(fetchFile(bus, "m", digest, to, [], (ms) => sleep(ms / hurry)));
      const at = store("none");
      assert.ok(!file.ok && /^artifact [0-9a-f]{12} is not in the mesh's store$/.test(file.refusal.message));
      const cache = await cacheOver("none-agent", at, [], hurried);
      const fetched = await mesh.settle(cache.fetch(digest, 1));
      assert.ok(!fetched.ok && fetched.refusal.message === file.refusal.message);
      assert.ok(!existsSync(to));
      assert.deepEqual(at.index.list(), []);
      await at.close();
    });
  });
}
