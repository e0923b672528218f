/** What a script logs and what it prints, put in order: of the hook's file and of lines, without any script. */
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import * as fc from "fast-check";
import { LeaseSegment } from "../../agent/program/lease-segment.ts";
import { openWandbEar } from "../../agent/program/wandb-ear.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-ear-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

let files = 0;

/** A trial whose objective is `score`, its script's rows, and an ear on both. */
function listen() {
  const rows = join(folder, `rows-${++files}`);
  const objectives = [{ metric: "score", keep: "last" as const }];
  const segment = new LeaseSegment({ objectives, fullLength: 1_000 }, 1_000, null);
  let most = 0;
  const taken = () => (most = Math.max(most, segment.reports));
  const ear = openWandbEar({
    rows,
    trial: "s1-1",
    objective: "score",
    onFact: (fact) => {
      if (fact.kind !== "step") return;
      for (const report of fact.reports) segment.take(report, "wandb");
      taken();
    },
    onPrint: (reports) => {
      for (const report of reports) segment.take(report, "output");
      taken();
    },
  });
  const write = (row: object) => appendFileSync(rows, `${JSON.stringify({ run: "a", ...row })}\n`);
  return {
    segment,
    ear,
    most: () => most,
    begin: () => write({ kind: "start", name: "s1-1", mode: "on", rank: 0, version: "1" }),
    log: (numbers: object) => write({ kind: "log", step: null, commit: null, numbers, others: {} }),
    finish: () => write({ kind: "finish" }),
  };
}

const did = fc.constantFrom("log" as const, "print" as const);

test("WLOG-5: where the objective is logged, no print of it ever counts, however often it comes in between", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(did, { minLength: 1, maxLength: 40 }), async (script) => {
      const { begin, ear, log, most, segment } = listen();
      begin();
      for (const [index, what] of script.entries()) {
        if (what === "log") log({ score: index });
        else ear.print([{ metric: "score", value: -1 }]);
      }
      await ear.settle();
      ear.close();
      const logged = script.filter((what) => what === "log").length;
      assert.equal(segment.reports, logged > 0 ? logged : script.length);
      assert.equal(most(), segment.reports, "nor for a while");
    }),
    { numRuns: 60 },
  );
});

test("WLOG-5: where something else is logged, what is printed counts, and is late by no more than one step", async () => {
  const { begin, ear, log, segment } = listen();
  begin();
  for (let epoch = 0; epoch < 5; epoch++) {
    log({ loss: epoch });
    ear.print([{ metric: "score", value: epoch }]);
    assert.ok(segment.reports >= epoch, String(epoch));
  }
  await ear.settle();
  ear.close();
  assert.equal(segment.reports, 5);
});

test("WLOG-5: without a run of wandb's, or after it, what is printed counts at once", async () => {
  const { begin, ear, finish, segment } = listen();
  ear.print([{ metric: "score", value: 1 }]);
  assert.equal(segment.reports, 1);
  begin();
  ear.print([{ metric: "loss", value: 1 }]);
  ear.print([{ metric: "score", value: 1 }]);
  assert.equal(segment.reports, 1, "this one may be logged yet");
  finish();
  ear.print([{ metric: "score", value: 1 }]);
  assert.equal(segment.reports, 3);
  await ear.settle();
  ear.close();
});

test("WLOG-5: prints that wait are few; with more of them the script is taken at its print", async () => {
  const { begin, ear, segment } = listen();
  begin();
  for (let print = 0; print < 5_000; print++) ear.print([{ metric: "score", value: print }]);
  assert.ok(segment.reports >= 3_000);
  await ear.settle();
  ear.close();
  assert.deepEqual([segment.reports, segment.metrics()["score"]], [5_000, 4_999], "in their order");
});
