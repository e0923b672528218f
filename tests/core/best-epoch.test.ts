/** What a job keeps as it trains: the checkpoint of its best epoch beside the newest. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import fc from "fast-check";
import { workloadDataset } from "../../agent/capability/workload.ts";
import { BestCheckpoint } from "../../agent/child/best-checkpoint.ts";
import { runJob } from "../../agent/child/run-job.ts";
import type { BestFile, Job } from "../../agent/runner/runner.ts";
import type { FromChild } from "../../agent/runner/wire.ts";
import { decodeCheckpoint } from "../../training/task/checkpoint.ts";
import { versionFile } from "../support/version-file.ts";

const dir = mkdtempSync(join(tmpdir(), "trialmesh-best-"));
after(() => rmSync(dir, { recursive: true, maxRetries: 5 }));
const workload = { ...workloadDataset(), test: workloadDataset().train.slice(0, 50) };
const datasetPath = await versionFile(dir, "workload.parquet", workload);

const goal = fc.constantFrom("maximize" as const, "minimize" as const);
const figure = fc.oneof(
  fc.double({ noNaN: true, min: -1, max: 1 }),
  fc.constantFrom(0, 0.5, Number.NaN, Number.POSITIVE_INFINITY),
);

test("BEST-2: whatever the curve, the best is the first of the best finite epochs, and nothing is said of it where it is the newest", () => {
  fc.assert(
    fc.property(fc.array(figure, { minLength: 1, maxLength: 12 }), goal, (curve, goal) => {
      const best = new BestCheckpoint({ keepBest: { metric: "score", goal } });
      for (const [index, score] of curve.entries()) {
        best.note(index + 1, { score }, { path: `${index + 1}`, digest: `${index + 1}`, bytes: 1 });
        const seen = curve.slice(0, index + 1).map((value) => (goal === "maximize" ? value : -value));
        const finite = seen.filter(Number.isFinite);
        const expected = finite.length === 0 ? null : seen.indexOf(Math.max(...finite)) + 1;
        assert.equal(best.beside(index + 1)?.resource ?? null, expected === index + 1 ? null : expected);
      }
    }),
  );
});

function bestIn(event: FromChild | undefined): BestFile | undefined {
  return event?.kind === "finished" || event?.kind === "checkpoint" || event?.kind === "stopped"
    ? event.best
    : undefined;
}

/** `go`: from where it goes on, and after how many epochs in all it is told to stop. */
async function trained(
  keepBest: Job["keepBest"],
  model: string,
  go: Partial<Pick<Job, "bestBefore" | "fromCheckpointPath" | "fromResource">> & {
    readonly stopAt?: number;
  } = {},
) {
  const { stopAt = Infinity, ...from } = go;
  const events: FromChild[] = [];
  const job = {
    ...{ fence: 1, trial: "s1-1", task: "text-classification", model, params: {}, seed: 1 },
    ...{
      backend: "sparse",
      datasetPath,
      parts: {},
      program: null,
      fromCheckpointPath: null,
      fromResource: 0,
    },
    ...{ targetResource: 5, checkpointDir: join(dir, `${model}-${keepBest?.metric}-${keepBest?.goal}`) },
    ...{ memoryMiB: 8_192, keepBest, ...from },
  };
  const stopping = () => events.some((event) => event.kind === "checkpoint" && event.resource >= stopAt);
  await runJob(job, { emit: (event) => void events.push(event), stopping, ownProcess: false });
  return events;
}

for (const model of ["linear", "fasttext"]) {
  for (const metric of ["logLoss", "accuracy", "calibrationError"]) {
    for (const goal of ["maximize", "minimize"] as const) {
      test(`BEST-2: ${model} keeps the epoch that ${goal}s ${metric}, with the test's figures and a report of its own`, async () => {
        const events = await trained({ metric, goal }, model);
        const curve = events.flatMap((event) =>
          event.kind === "epoch"
            ? [(event.metrics[metric] ?? Number.NaN) * (goal === "maximize" ? 1 : -1)]
            : [],
        );
        assert.equal(curve.length, 5);
        const expected = curve.indexOf(Math.max(...curve)) + 1;
        const best = bestIn(events.at(-1));
        assert.equal(best?.resource ?? 5, expected);
        if (best === undefined) return;
        const checkpoint = decodeCheckpoint(readFileSync(best.path));
        assert.ok(checkpoint.ok);
        assert.equal(checkpoint.value.meta.epoch, expected);
        assert.ok(
          checkpoint.value.meta.report?.test !== undefined,
          "what it got right and wrong on the test",
        );
        assert.ok("testAccuracy" in best.metrics);
        assert.equal((best.metrics[metric] ?? 0) * (goal === "maximize" ? 1 : -1), curve[expected - 1]);
      });
    }
  }
}

test("BEST-2: without an objective only the newest is kept, and what is written is the same", async () => {
  const plain = await trained(undefined, "linear");
  const keeping = await trained({ metric: "logLoss", goal: "maximize" }, "linear");
  const filesOf = (events: readonly FromChild[]) =>
    events.flatMap((event) => (event.kind === "checkpoint" ? [event.digest] : []));
  assert.deepEqual(filesOf(plain), filesOf(keeping));
  assert.ok(plain.every((event) => bestIn(event) === undefined));
  assert.equal(bestIn(keeping.at(-1))?.resource, 1);
});

for (const goal of ["maximize", "minimize"] as const) {
  for (const stopAt of [1, 2, 3, 4]) {
    test(`BEST-3: the ${goal === "maximize" ? "largest" : "smallest"} loss of a run that is stopped after ${stopAt} epochs and gone on with is kept with the very bytes of a whole run's`, async () => {
      const keepBest = { metric: "loss", goal };
      const whole = (await trained(keepBest, "linear")).at(-1);
      const torn = (await trained(keepBest, "linear", { stopAt })).at(-1);
      assert.ok(whole?.kind === "finished" && torn?.kind === "stopped" && torn.path !== null);
      assert.equal(torn.resource, stopAt);
      const newest = { path: torn.path, digest: torn.digest ?? "", bytes: torn.bytes };
      const { metrics } = torn;
      const bestBefore = torn.best ?? { ...newest, resource: stopAt, metrics };
      const go = { bestBefore, fromCheckpointPath: torn.path, fromResource: stopAt };
      const after = (await trained(keepBest, "linear", go)).at(-1);
      assert.ok(after?.kind === "finished");
      const [expected, found] = [whole.best ?? whole, after.best ?? after];
      assert.deepEqual([found.resource, found.digest], [expected.resource, expected.digest]);
      assert.deepEqual(found.metrics, expected.metrics);
      assert.ok("testAccuracy" in found.metrics);
    });
  }
}

test("BEST-3: an earlier attempt's best epoch is not tested again, and one whose file has gone costs nothing", async () => {
  const keepBest = { metric: "loss", goal: "maximize" } as const;
  const torn = (await trained(keepBest, "linear", { stopAt: 2 })).at(-1);
  assert.ok(torn?.kind === "stopped" && torn.path !== null && torn.best !== undefined);
  const go = { fromCheckpointPath: torn.path, fromResource: 2 };
  for (const bestBefore of [
    { ...torn.best, metrics: { ...torn.best.metrics, testLoss: 1 } },
    { ...torn.best, path: join(dir, "gone") },
  ]) {
    const after = (await trained(keepBest, "linear", { ...go, bestBefore })).at(-1);
    assert.ok(after?.kind === "finished");
    assert.equal(after.best, undefined);
  }
});
