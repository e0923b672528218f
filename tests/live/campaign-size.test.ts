/** Short runs of the campaigns about sizes: hundreds of trials and thousands of messages instead of a million. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runDisk } from "../campaign/disk/run-disk.ts";
import { fuzzClient } from "../campaign/fuzz/fuzz-client.ts";
import { fuzzHttp } from "../campaign/fuzz/fuzz-http.ts";
import { fuzzLive } from "../campaign/fuzz/fuzz-live.ts";
import { fuzzLoop } from "../campaign/fuzz/fuzz-loop.ts";
import { runLargeSweep } from "../campaign/large-sweep/run-large-sweep.ts";
import { messageBytesMax } from "../../coordinator/leader/batch-tally.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const say = () => undefined;
const timeout = 110_000;

test(
  "FUZZ-1: a coordinator in memory goes on through wrong messages, and what others have stays theirs",
  { timeout },
  async () => {
    const { answers, violations } = await fuzzLoop({ count: 3_000, seed: 11, say });
    assert.deepEqual(violations, []);
    // Some of them were right: what is refused was refused for a reason.
    assert.ok((answers["ok"] ?? 0) > 50 && (answers["invalid"] ?? 0) > 500, JSON.stringify(answers));
  },
);

test(
  "FUZZ-2: the report port goes on through wrong requests and takes nothing too large",
  { timeout },
  async () => {
    const { answers, violations } = await fuzzHttp({ count: 3_000, seed: 12, say });
    assert.deepEqual(violations, []);
    assert.ok((answers["200"] ?? 0) > 500 && (answers["400"] ?? 0) > 300, JSON.stringify(answers));
  },
);

test(
  "FUZZ-4: a client that is answered wrongly has a value of the right shape or a refusal",
  { timeout },
  async () => {
    const { answers, violations } = await fuzzClient({ count: 3_000, seed: 14, say });
    assert.deepEqual(violations, []);
    assert.ok((answers["ok"] ?? 0) > 100 && (answers["invalid"] ?? 0) > 500, JSON.stringify(answers));
  },
);

test(
  "FUZZ-3: a real mesh goes on through wrong messages of a requester, a viewer and an agent",
  { skip: skipWithoutNats, timeout },
  async () => {
    const { answers, violations } = await fuzzLive({ count: 1_500, seed: 13, say });
    assert.deepEqual(violations, []);
    assert.ok((answers["ok"] ?? 0) > 20, JSON.stringify(answers));
  },
);

test(
  "SIZE-2: a real mesh stops a sweep of which hundreds wait, and goes on with that after down and up",
  { skip: skipWithoutNats, timeout },
  async () => {
    const report = await runLargeSweep({ trials: 500, paused: 200, slots: 4, eta: 50, say });
    assert.deepEqual(report.violations, []);
    assert.ok(report.largestMessageBytes < messageBytesMax / 4, `${report.largestMessageBytes} bytes`);
  },
);

test(
  "GC-7: the campaign about the disk runs, and says by place what lies there",
  { skip: skipWithoutNats, timeout },
  async () => {
    const few = { trials: 60, sweeps: 2, programs: 4, epochs: 2, slots: 4 };
    const report = await runDisk({ ...few, graceMs: 0, patienceMs: 4_000, stillMs: 2_000, say });
    assert.deepEqual(report.violations, []);
    assert.equal(report.trials, 64);
    for (const place of ["server: BLOBS", "server: JOURNAL", "agent/one/store", "artifacts/files"])
      assert.ok((report.before[place] ?? 0) > 0, place);
    // 30 checkpoints of 64 KB, once here and once in the mesh's store.
    assert.ok(report.totalBefore > 2 * 30 * 64_000 && report.totalAfter < report.limit);
  },
);
