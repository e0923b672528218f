/** One suite for every runner: the real one with child processes, the real one in process, and the simulated one. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { processTimes } from "../../system/processor-time.ts";
import { childRunner } from "../../agent/child/child-runner.ts";
import type { Job, Runner, RunnerEvent } from "../../agent/runner/runner.ts";
import { simulatedRunner, type SimulatedStore } from "../support/simulated-runner.ts";
import { noopMetrics } from "../../training/catalog/noop.ts";
import { Patience, until } from "../support/until.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

interface Bench {
  readonly runner: Runner;
  /** Lets a little time pass. */
  pass(): Promise<void>;
  /** Monotonic ms of the time that passes. */
  now(): number;
}

interface Subject {
  readonly name: string;
  /** Milliseconds an epoch of its jobs takes. */
  readonly milliseconds: number;
  make(): Bench;
}

const dir = mkdtempSync(join(tmpdir(), "trialmesh-runner-"));
after(() => rmSync(dir, { recursive: true, maxRetries: 5 }));
const store: SimulatedStore = new Map();

const subjects: readonly Subject[] = [
  {
    name: "in children",
    milliseconds: 15,
    make: () => ({ runner: childRunner({ slots: 2 }), pass: () => wait(5), now: () => performance.now() }),
  },
  {
    name: "in process",
    milliseconds: 0,
    make: () => ({ runner: childRunner({ slots: 2 }), pass: () => wait(1), now: () => performance.now() }),
  },
  {
    name: "simulated",
    milliseconds: 15,
    make: () => {
      const clock = new VirtualClock();
      const runner = simulatedRunner({
        clock,
        store,
        epoch: (job, resource) => ({
          durationMs: 15,
          metrics: { loss: 1 / (1 + resource), ...noopMetrics(Number(job.params["x"]), job.seed, resource) },
          ...(job.params["failAtEpoch"] === resource
            ? { failure: { reason: "the loss is not a number", retryable: false } }
            : {}),
        }),
      });
      return { runner, pass: () => clock.advance(5), now: () => clock.monotonic() };
    },
  },
];

function jobFor(subject: Subject, fence: number, more: Partial<Job> = {}): Job {
  return {
    fence,
    trial: `s1-${fence}`,
    task: "noop",
    model: "noop",
    params: { x: 0.4, milliseconds: subject.milliseconds },
    seed: 9,
    backend: "none",
    datasetPath: null,
    parts: {},
    program: null,
    fromCheckpointPath: null,
    fromResource: 0,
    targetResource: 3,
    checkpointDir: dir,
    memoryMiB: 512,
    ...more,
  };
}

const isEnd = (event: RunnerEvent) =>
  event.kind === "finished" || event.kind === "stopped" || event.kind === "failed";

/** Runs jobs until each has ended; `meanwhile` is told every event as it comes. */
async function run(
  bench: Bench,
  jobs: readonly Job[],
  meanwhile: (event: RunnerEvent) => void = () => undefined,
) {
  const events: RunnerEvent[] = [];
  const fences = new Set(jobs.map((job) => job.fence));
  bench.runner.onEvent((event) => {
    if (!fences.has(event.fence)) return; // of an earlier or later run on this bench
    events.push(event);
    meanwhile(event);
  });
  for (const job of jobs) bench.runner.start(job);
  const patience = new Patience();
  while (events.filter(isEnd).length < jobs.length) {
    patience.note(events.length);
    assert.ok(!patience.isOver(), `no end came after ${JSON.stringify(events)}`);
    await bench.pass();
  }
  for (let turn = 0; turn < 5; turn++) await bench.pass();
  return events;
}

for (const subject of subjects) {
  describe(`runner ${subject.name}`, () => {
    test("RUN-1: started, then an epoch and its checkpoint each, then finished with the last checkpoint", async () => {
      const bench = subject.make();
      const events = await run(bench, [jobFor(subject, 1)]);
      await bench.runner.close();
      assert.deepEqual(
        events.map((event) => event.kind),
        ["started", "epoch", "checkpoint", "epoch", "checkpoint", "epoch", "checkpoint", "finished"],
      );
      const finished = events.at(-1);
      const checkpoint = events.at(-2);
      assert.ok(finished?.kind === "finished" && checkpoint?.kind === "checkpoint");
      assert.equal(finished.resource, 3);
      assert.equal(finished.digest, checkpoint.digest);
      assert.match(finished.digest, /^[0-9a-f]{64}$/u);
      assert.ok(finished.path.startsWith("sim:") || existsSync(finished.path));
      const used = events.flatMap((event) => ("usedMs" in event ? [event.usedMs] : []));
      assert.deepEqual(
        used,
        used.toSorted((a, b) => a - b),
        "used time never goes back",
      );
      assert.equal(finished.metrics["accuracy"], noopMetrics(0.4, 9, 3)["accuracy"]);
    });

    test("RUN-2: going on from a checkpoint ends where an unbroken run ends", async () => {
      const bench = subject.make();
      const first = await run(bench, [jobFor(subject, 1, { targetResource: 2 })]);
      const whole = await run(bench, [jobFor(subject, 2, { targetResource: 4 })]);
      const from = first.at(-1);
      assert.ok(from?.kind === "finished");
      const rest = await run(bench, [
        jobFor(subject, 3, { fromCheckpointPath: from.path, fromResource: 2, targetResource: 4 }),
      ]);
      await bench.runner.close();
      const [unbroken, resumed] = [whole.at(-1), rest.at(-1)];
      assert.ok(unbroken?.kind === "finished" && resumed?.kind === "finished");
      assert.deepEqual(resumed.metrics, unbroken.metrics);
      assert.equal(resumed.digest, unbroken.digest);
      assert.equal(rest.filter((event) => event.kind === "epoch").length, 2);
    });

    test("RUN-3: stopped by checkpoint, it ends after the epoch under way and keeps it", async () => {
      const bench = subject.make();
      const events = await run(bench, [jobFor(subject, 1, { targetResource: 500 })], (event) => {
        if (event.kind === "epoch" && event.resource === 2) bench.runner.stop(1, "checkpoint");
      });
      await bench.runner.close();
      const end = events.at(-1);
      assert.ok(end?.kind === "stopped");
      assert.ok(end.resource >= 2 && end.resource < 500);
      const kept = events.findLast((event) => event.kind === "checkpoint");
      assert.ok(kept?.kind === "checkpoint" && kept.digest === end.digest && kept.resource === end.resource);
    });

    test("RUN-4: killed, it ends once, with the last whole checkpoint", async () => {
      const bench = subject.make();
      const events = await run(bench, [jobFor(subject, 1, { targetResource: 500 })], (event) => {
        if (event.kind === "checkpoint" && event.resource === 2) bench.runner.stop(1, "kill");
      });
      await bench.runner.close();
      const end = events.at(-1);
      assert.ok(end?.kind === "stopped");
      assert.equal(events.filter(isEnd).length, 1);
      const kept = events.findLast((event) => event.kind === "checkpoint");
      assert.ok(kept?.kind === "checkpoint" && kept.digest === end.digest);
      assert.ok(end.resource >= kept.resource && end.usedMs >= kept.usedMs);
    });

    test("RUN-5: a loss that is not a number fails for good, in one sentence", async () => {
      const bench = subject.make();
      const params = { x: 0.4, milliseconds: subject.milliseconds, failAtEpoch: 2 };
      const events = await run(bench, [jobFor(subject, 1, { params })]);
      await bench.runner.close();
      const end = events.at(-1);
      assert.ok(end?.kind === "failed");
      assert.equal(end.retryable, false);
      assert.match(end.reason, /is not a number/u);
      assert.equal(events.filter((event) => event.kind === "checkpoint").length, 1);
    });

    test("RUN-6: jobs side by side each end once; a job after a failure runs; unknown fences are ignored", async () => {
      const bench = subject.make();
      bench.runner.stop(99, "kill");
      const failing = jobFor(subject, 2, {
        params: { x: 0.4, milliseconds: subject.milliseconds, failAtEpoch: 1 },
      });
      const events = await run(bench, [jobFor(subject, 1), failing, jobFor(subject, 3)]);
      const later = await run(bench, [jobFor(subject, 4)]);
      await bench.runner.close();
      assert.deepEqual(
        events
          .filter((event) => isEnd(event) && event.fence < 4)
          .map((event) => [event.fence, event.kind] as const)
          .toSorted(([a], [b]) => a - b),
        [
          [1, "finished"],
          [2, "failed"],
          [3, "finished"],
        ],
      );
      assert.equal(later.at(-1)?.kind, "finished");
    });

    test("RUN-7: a checkpoint that is not there, or of other epochs, fails the job", async () => {
      const bench = subject.make();
      const absent = await run(bench, [
        jobFor(subject, 1, { fromCheckpointPath: join(dir, "absent"), fromResource: 2 }),
      ]);
      await bench.runner.close();
      assert.equal(absent.at(-1)?.kind, "failed");
    });

    test("RUN-8: closed, nothing more is heard", async () => {
      const bench = subject.make();
      const events: RunnerEvent[] = [];
      bench.runner.onEvent((event) => events.push(event));
      bench.runner.start(jobFor(subject, 1, { targetResource: 10_000 }));
      await bench.pass();
      await bench.runner.close();
      const heard = events.length;
      for (let turn = 0; turn < 10; turn++) await bench.pass();
      assert.equal(events.length, heard);
    });

    test("RUN-9: suspended, it stands still until it is resumed, ends as if nothing had been, and that time is not used time", async () => {
      const bench = subject.make();
      const standMs = 600;
      let from = 0;
      let to = 0;
      let heardWhenStill = 0;
      let heard = 0;
      const startedAt = bench.now();
      const events = await run(bench, [jobFor(subject, 1, { targetResource: 6 })], (event) => {
        heard++;
        if (event.kind !== "epoch" || event.resource !== 2) return;
        from = bench.now();
        bench.runner.suspend(1);
        bench.runner.suspend(1);
        void (async () => {
          const still = from + standMs / 2;
          while (bench.now() < still) await bench.pass();
          heardWhenStill = heard;
          while (bench.now() < from + standMs) await bench.pass();
          assert.equal(heard, heardWhenStill, "nothing is heard of it meanwhile");
          to = bench.now();
          bench.runner.resume(1);
        })();
      });
      const endedAt = bench.now();
      await bench.runner.close();
      const end = events.at(-1);
      assert.ok(end?.kind === "finished", JSON.stringify(end));
      assert.ok(heardWhenStill > 0 && to > from, "it ended only after it was resumed");
      assert.equal(end.metrics["accuracy"], noopMetrics(0.4, 9, 6)["accuracy"]);
      assert.ok(end.usedMs >= 4 * subject.milliseconds);
      const awake = endedAt - startedAt - (to - from);
      assert.ok(end.usedMs <= awake + 1, `${end.usedMs} ms used in ${awake} ms awake`);
    });

    test("RUN-10: suspended, it can be killed as it stands, and asked to end by checkpoint it goes on first", async () => {
      const bench = subject.make();
      const stops = ["kill", "checkpoint"] as const;
      for (const [index, how] of stops.entries()) {
        const fence = index + 1;
        const events = await run(bench, [jobFor(subject, fence, { targetResource: 500 })], (event) => {
          if (event.kind !== "checkpoint" || event.resource !== 2) return;
          bench.runner.suspend(fence);
          void (async () => {
            for (let turn = 0; turn < 4; turn++) await bench.pass();
            bench.runner.stop(fence, how);
          })();
        });
        const end = events.at(-1);
        assert.ok(end?.kind === "stopped", how);
        assert.equal(events.filter(isEnd).length, 1);
        const kept = events.findLast((event) => event.kind === "checkpoint");
        assert.ok(kept?.kind === "checkpoint" && kept.digest === end.digest);
        assert.ok(kept.resource < 10, how);
      }
      bench.runner.suspend(99);
      bench.runner.resume(99);
      await bench.runner.close();
    });
  });
}

test(
  "RUN-11: the process of a suspended job uses no processor, and a second job beside it goes on",
  { skip: process.platform === "linux" ? false : "only Linux tells a process's time here" },
  async () => {
    const subject = subjects[0] ?? assert.fail("no subject");
    const runner = childRunner({ slots: 2 });
    const epochs = new Map<number, number>();
    runner.onEvent((event) => {
      if (event.kind === "epoch") epochs.set(event.fence, event.resource);
    });
    try {
      const params = { x: 0.4, milliseconds: 1 };
      for (const fence of [1, 2]) runner.start(jobFor(subject, fence, { targetResource: 100_000, params }));
      const [first = 0, second = 0] = runner.processes();
      const msOf = async (pid: number) =>
        (await processTimes([pid]))?.get(pid) ?? assert.fail("it has ended");
      const epochsOf = (fence: number) => epochs.get(fence) ?? 0;
      await until("both jobs to be under way", () => (epochsOf(1) >= 5 && epochsOf(2) >= 5) || null);
      runner.suspend(1);
      await wait(20);
      const before = [await msOf(first), await msOf(second)] as const;
      const reached = epochsOf(2);
      const goesOn = async () => epochsOf(2) >= reached + 20 && (await msOf(second)) !== before[1];
      await until("the second job to go on", async () => (await goesOn()) || null);
      assert.equal(await msOf(first), before[0]);
    } finally {
      await runner.close();
    }
  },
);
