import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { watchForFullDisk } from "../../mesh/full-disk-watch.ts";
import { until } from "../support/until.ts";

const everyMs = 5;
const failedWrite = "[ERR] Filestore [BLOBS] Critical write error: write 1.blk: no space left on device\n";

test("a failed write in the server's log is told once; with room on the disk the server is started anew", async () => {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-disk-"));
  const logFile = join(folder, "server.log");
  // What an earlier start has logged is over.
  writeFileSync(logFile, failedWrite);
  const told: string[] = [];
  const end = watchForFullDisk({
    everyMs,
    folder,
    logFile,
    onFull: () => told.push("full"),
    onRoom: () => told.push("room"),
  });
  try {
    await sleep(everyMs * 4);
    assert.deepEqual(told, []);
    appendFileSync(logFile, failedWrite + failedWrite);
    await until("both to be told", () => told.length === 2 || null);
    assert.deepEqual(told, ["full", "room"]);
  } finally {
    end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

test("a disk that cannot be looked at has no room", async () => {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-disk-"));
  const logFile = join(folder, "server.log");
  writeFileSync(logFile, "");
  const told: string[] = [];
  const end = watchForFullDisk({
    everyMs,
    folder: join(folder, "gone"),
    logFile,
    onFull: () => told.push("full"),
    onRoom: () => told.push("room"),
  });
  try {
    appendFileSync(logFile, failedWrite);
    await until("something to be told", () => told.length > 0 || null);
    await sleep(everyMs * 4);
    assert.deepEqual(told, ["full"]);
  } finally {
    end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
