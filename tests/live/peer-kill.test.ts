/** FETCH-1: a machine that is killed while it receives, at whatever moment, is sent again less than a chunk of each stream. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openArtifactStore } from "../../artifact/store/open-artifact-store.ts";
import { BenchMachine } from "../../bench/artifact/bench-machine.ts";
import { PeerAuthority } from "../../bench/artifact/peer-certificate.ts";
import { valueOf } from "../../bench/shared/value-of.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { madeUp, PeerMachine } from "../support/peer-machine.ts";

const chunk = 2 ** 20;
const program = join(dirname(fileURLToPath(import.meta.url)), "..", "support", "peer-child.js");
const kills = 12;
const storeKills = 8;
const perSecond = 24 * chunk;
/** What the owner's rate lets go piece by piece lies in the system's buffers for a moment. */
const pieceBytes = 16 * 1_024;

test("FETCH-1: killed at random moments, what is sent again is less than a chunk each time", async () => {
  const authority = new PeerAuthority();
  const from = await PeerMachine.open("from", authority.identity("from"), {
    limits: { slots: 4, bytesPerSecond: perSecond },
  });
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-peer-kill-"));
  try {
    const size = 60 * chunk + 4_321;
    const digest = await from.shelf.add(madeUp(size));
    const { authority: signer, certificate, key } = authority.identity("to");
    const identity = join(folder, "identity.json");
    writeFileSync(identity, JSON.stringify({ authority: signer, certificate, key }));
    const order = { identity, folder, artifact: digest, name: "from", port: from.door.port };
    let ended = 0;
    for (let run = 0; run <= kills; run++) {
      const child = spawn(process.execPath, [program, JSON.stringify(order)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const end = new Promise<number | null>((resolve) => child.once("close", resolve));
      child.stdout.once("data", () => {
        if (run < kills) setTimeout(() => child.kill("SIGKILL"), 30 + Math.random() * 250);
      });
      child.stdout.resume();
      if ((await end) === 0) ended++;
      if (ended > 0) break;
      // The side that sends hears of it in a moment.
      for (let waits = 0; from.door.links.size > 0 && waits < 200; waits++)
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(ended, 1);
    assert.deepEqual(readFileSync(join(folder, digest)), readFileSync(join(from.folder, digest)));
    const again = from.upload.sentBytes - size;
    assert.ok(again < kills * (chunk + pieceBytes), `${again} bytes were sent again after ${kills} kills`);
  } finally {
    await from.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    authority.close();
  }
});

test("FETCH-1: the same into a machine's store, which hashes in threads and writes past the cache", async () => {
  const authority = new PeerAuthority();
  const from = await PeerMachine.open("from", authority.identity("from"), {
    limits: { slots: 4, bytesPerSecond: perSecond },
  });
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-peer-kill-"));
  try {
    const size = 100 * chunk + 4_321;
    const artifact = await from.shelf.add(madeUp(size));
    const { authority: signer, certificate, key } = authority.identity("to");
    const identity = join(folder, "identity.json");
    writeFileSync(identity, JSON.stringify({ authority: signer, certificate, key }));
    const peers = [{ name: "from", host: "127.0.0.1", port: from.door.port ?? 0 }];
    let killed = 0;
    for (let isWhole = false; !isWhole;) {
      const to = new BenchMachine({ role: "receive", name: "to", identity, folder, artifact, peers });
      await to.port();
      to.begin();
      const whole = to.measured().then(
        () => true,
        () => false,
      );
      // Of the first in each run some are hashed here, and later ones in a thread: both are met.
      const late = new Promise<false>((resolve) =>
        setTimeout(() => resolve(false), 100 + Math.random() * 1_900),
      );
      isWhole = await Promise.race([whole, killed < storeKills ? late : whole]);
      if (isWhole) await to.stop();
      else {
        await to.lose();
        killed++;
        for (let waits = 0; from.door.links.size > 0 && waits < 200; waits++)
          await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    assert.ok(killed > 1);
    const again = from.upload.sentBytes - size;
    assert.ok(again < killed * (chunk + pieceBytes), `${again} bytes were sent again after ${killed} kills`);
    const store = valueOf(openArtifactStore({ folder, clock: systemClock, quotaBytes: null }));
    const held = await store.hold(artifact);
    assert.ok(held !== null);
    assert.deepEqual(readFileSync(held.path), readFileSync(join(from.folder, artifact)));
    held.release();
    await store.close();
  } finally {
    await from.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    authority.close();
  }
});
