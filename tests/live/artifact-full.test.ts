/** A local store whose disk fills in the middle: a sentence, nothing half of it under a digest, and it goes on once there is room. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { chunkBytesMax } from "../../artifact/chunk-tree.ts";
import { listForPack, packFolderBytes } from "../../artifact/folder/pack-folder.ts";
import { unpackFolder } from "../../artifact/folder/unpack-folder.ts";
import { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import { refuseStored } from "../../artifact/store/open-artifact-store.ts";
import { PartError } from "../../artifact/store/part-file.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { madeBytes, madeTree } from "../support/artifact-child.ts";
import { SmallDisk, skipWithoutMount } from "../support/small-disk.ts";

const root = mkdtempSync(join(tmpdir(), "trialmesh-full-store-"));
const skip = skipWithoutMount(mkdtempSync(join(tmpdir(), "trialmesh-mount-")));
after(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

describe("artifacts on a disk that fills", { skip }, () => {
  test("what is taken in or brought leaves nothing under its digest, and is whole once there is room", async () => {
    const disk = new SmallDisk(join(root, "disk"), "16m");
    const store = new ArtifactStore({
      folder: join(disk.path, "store"),
      clock: systemClock,
      quotaBytes: null,
    });
    const files = () => readdirSync(join(disk.path, "store/files"), { recursive: true });
    try {
      const bytes = madeBytes(12 * chunkBytesMax, 3);
      const { chunks, digest } = madeTree(bytes);
      const path = join(root, "given");
      writeFileSync(path, bytes);
      writeFileSync(join(disk.path, "other"), new Uint8Array(9 * chunkBytesMax));
      await assert.rejects(store.addFile(path), (error) => {
        const refused = refuseStored(error, "the store");
        assert.ok(
          !refused.ok && /the store: the disk is full; free some space/.test(refused.refusal.message),
        );
        return true;
      });
      assert.deepEqual(files(), []);
      const bring = (full: () => void) =>
        store.bring(digest, async (work) => {
          for (let n = 0; ; n++) {
            const [chunk] = work.take({ countMax: 1 }) ?? [];
            if (chunk === undefined) return;
            if (n === 4) full();
            await work.give(chunk, chunks.get(chunk.digest) ?? new Uint8Array(0));
          }
        });
      await assert.rejects(
        bring(() => undefined),
        (error) => error instanceof PartError && /12.0 MiB, and [\d.]+ MiB is free/.test(error.message),
      );
      rmSync(join(disk.path, "other"));
      await assert.rejects(
        bring(() => disk.fill()),
        /ENOSPC/,
      );
      assert.deepEqual(files(), []);
      assert.equal(await store.hold(digest).catch(() => null), null);
      disk.free();
      store.giveUp(digest);
      assert.deepEqual(readdirSync(join(disk.path, "store/parts")), []);
      const held = await bring(() => undefined);
      assert.ok(held !== null && readFileSync(held.path).equals(bytes));
      await store.close();
    } finally {
      disk.remove();
    }
  });

  test("a folder that does not fit is not there at all", async () => {
    const disk = new SmallDisk(join(root, "small"), "8m");
    try {
      const listed = await listForPack(join(root));
      assert.ok(listed.ok);
      const path = join(root, "packed");
      const pieces: Buffer[] = [];
      for await (const piece of packFolderBytes(listed.value)) pieces.push(Buffer.from(piece));
      writeFileSync(path, Buffer.concat(pieces));
      const out = join(disk.path, "out");
      const refused = await unpackFolder({ path, bytes: listed.value.bytes }, out);
      assert.ok(
        !refused.ok && /and 8.0 MiB is free on the disk of /.test(refused.refusal.message),
        JSON.stringify(refused),
      );
      assert.deepEqual(readdirSync(disk.path), []);
    } finally {
      disk.remove();
    }
  });
});
