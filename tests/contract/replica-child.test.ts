/** SERVED: a deployment's replica in a process of its own: who may ask it, how it changes over, and how it ends. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { childRunner } from "../../agent/child/child-runner.ts";
import type { Job, RunnerEvent } from "../../agent/runner/runner.ts";
import { encodeBundle } from "../../agent/program/bundle.ts";
import { artifactName } from "../../artifact/name-artifact.ts";
import type { ReplicaState, Serving } from "../../protocol/deployment.ts";
import { askReplica } from "../support/asked-replica.ts";
import { onnxRuntime, onnxTypes, tinyOnnx } from "../support/tiny-onnx.ts";
import { trainedModel } from "../support/model-case.ts";
import { until } from "../support/until.ts";

type ServingEvent = Extract<RunnerEvent, { kind: "serving" }>;

const answerSchema = z.looseObject({ model: z.string(), version: z.number(), label: z.string() });
const task = "text-classification";

describe("SERVED: a replica in its process", () => {
  const dir = mkdtempSync(join(tmpdir(), "trialmesh-replica-"));
  const environment = onnxRuntime.ok ? { ...process.env, TRIALMESH_RUNTIME: onnxRuntime.home } : process.env;
  const runner = childRunner({ slots: 2, environment });
  const events: RunnerEvent[] = [];
  const digests: string[] = [];
  const parts: Record<string, string> = {};

  before(async () => {
    runner.onEvent((event) => events.push(event));
    for (const seed of [10, 11, 12]) {
      const params = { bucketBits: seed, charMax: 0, minCount: 1 };
      keep((await trainedModel({ task, model: "linear", params })).bytes);
    }
    keep(Buffer.from("no model at all"));
    const { FP32 } = onnxTypes;
    const graph = tinyOnnx({
      inputs: [{ name: "x", type: FP32, shape: ["rows", 2] }],
      outputs: [{ name: "y", type: FP32, shape: ["rows", 2] }],
      nodes: [{ op: "Softmax", inputs: ["x"], outputs: ["y"] }],
    });
    keep(encodeBundle({ files: [{ path: "model.onnx", content: graph, executable: false }], note: null }));
  });
  after(async () => {
    await runner.close();
    rmSync(dir, { recursive: true, maxRetries: 5 });
  });

  function keep(bytes: Uint8Array): void {
    const digest = artifactName(bytes);
    const path = join(dir, digest);
    writeFileSync(path, bytes);
    digests.push(digest);
    parts[digest] = path;
  }

  /** Revision `n` answers with version `n`, of the artifact `at`. */
  function serving(revision: number, at: number, ofTask = task): Serving {
    const artifact = digests[at] ?? "";
    const version = { model: "served", version: revision, artifact, task: ofTask, dataset: null };
    return { deployment: "live", revision, versions: [{ role: "incumbent", share: 1, ...version }] };
  }

  function jobOf(fence: number, first: Serving): Job {
    return {
      ...{ fence, trial: `d1-${fence}`, task, model: "linear", params: {}, seed: 0, backend: "sparse" },
      ...{ datasetPath: null, parts, program: null, fromCheckpointPath: null, fromResource: 0 },
      ...{ targetResource: 1, checkpointDir: dir, memoryMiB: 1_024, serving: first },
    };
  }

  const saidBy = (fence: number) =>
    events.filter((event): event is ServingEvent => event.kind === "serving" && event.fence === fence);
  const stateOf = (fence: number): ReplicaState | undefined => saidBy(fence).at(-1)?.replica;

  function begin(fence: number, first: Serving): Promise<ServingEvent> {
    runner.start(jobOf(fence, first));
    return until("it answers", (note) => {
      note(JSON.stringify(events.filter((event) => event.fence === fence)));
      return saidBy(fence).at(-1) ?? null;
    });
  }

  const endOf = (fence: number) =>
    until(
      "its end",
      () =>
        events.find((event) => event.fence === fence && ["failed", "stopped"].includes(event.kind)) ?? null,
    );

  test("SERVED-2: it answers whoever says its secret, under its deployment's name and its model's, and nobody else", async () => {
    const place = await begin(1, serving(1, 0));
    assert.equal(place.replica.revision, 1);
    for (const name of ["live", "served"]) {
      const { status, text } = await askReplica(place, `/predict/${name}`, { text: "guten Tag" });
      assert.equal(status, 200, text);
      const { model, version } = answerSchema.parse(JSON.parse(text));
      assert.deepEqual([model, version], ["served", 1]);
    }
    const wrong = { port: place.port, secret: "00".repeat(32) };
    assert.equal((await askReplica(wrong, "/v2/health/live")).status, 0);
    // One who talks HTTP at once, as any program on this machine might, gets nothing at all.
    await assert.rejects(fetch(`http://127.0.0.1:${place.port}/v2/health/live`));
    assert.equal((await askReplica(place, "/predict/other", { text: "x" })).status, 404);
    const counted = await until("its counts", () => ((stateOf(1)?.requests ?? 0) >= 3 ? stateOf(1) : null));
    assert.equal(counted?.failed, 0);
    runner.stop(1, "checkpoint");
    const end = await endOf(1);
    assert.ok(end.kind === "stopped" && end.digest === null && end.usedMs > 0);
  });

  test("SERVED-1: it changes over under load without a failed answer; an older revision changes nothing; one that cannot load is said and the old one goes on", async () => {
    const place = await begin(2, serving(1, 0));
    let isOver = false;
    const seen = new Set<number>();
    const labels = new Map<number, string>();
    const caller = async () => {
      while (!isOver) {
        const { status, text } = await askReplica(place, "/predict/live", { text: "guten Tag" });
        assert.equal(status, 200, text);
        const { label, version } = answerSchema.parse(JSON.parse(text));
        assert.equal(label, labels.get(version) ?? label);
        labels.set(version, label);
        seen.add(version);
      }
    };
    const callers = Promise.all([caller(), caller()]);
    const reaches = (revision: number) =>
      until(`revision ${revision}`, (note) => {
        note(JSON.stringify(stateOf(2)));
        return stateOf(2)?.revision === revision && seen.has(revision) ? true : null;
      });
    for (const revision of [2, 3, 4, 5]) {
      runner.serve(2, serving(revision, revision % 3), parts);
      await Promise.race([reaches(revision), callers]);
    }
    runner.serve(2, serving(4, 0), parts);
    runner.serve(2, serving(6, 3), parts);
    const troubled = await until("its trouble", () =>
      stateOf(2)?.trouble === undefined ? null : stateOf(2),
    );
    assert.equal(troubled?.revision, 5);
    assert.match(troubled?.trouble ?? "", /revision 6 cannot answer/);
    // Two at once: the newest counts, whatever was on its way.
    runner.serve(2, serving(7, 1), parts);
    runner.serve(2, serving(8, 2), parts);
    await Promise.race([reaches(8), callers]);
    assert.equal(stateOf(2)?.trouble, undefined);
    isOver = true;
    await callers;
    assert.equal(stateOf(2)?.failed, 0);
    runner.stop(2, "checkpoint");
    await endOf(2);
  });

  test(
    "SERVED-1: it answers with a graph that a program left, and changes over from it",
    { skip: onnxRuntime.ok ? false : onnxRuntime.why },
    async () => {
      const place = await begin(6, serving(1, 4, "command"));
      const inputs = [{ name: "x", datatype: "FP32", shape: [1, 2], data: [1, 1] }];
      const { status, text } = await askReplica(place, "/v2/models/live/infer", { inputs });
      assert.equal(status, 200, text);
      assert.match(text, /"data":\[0\.50*,0\.50*\]/);
      runner.serve(6, serving(2, 0), parts);
      await until("revision 2", () => (stateOf(6)?.revision === 2 ? true : null));
      assert.equal((await askReplica(place, "/predict/live", { text: "guten Tag" })).status, 200);
      runner.stop(6, "checkpoint");
      await endOf(6);
    },
  );

  test("SERVED-4: one that cannot load at its start has failed everywhere; one whose files are missing may be tried again; a killed process too", async () => {
    runner.start(jobOf(3, serving(1, 3)));
    const bad = await endOf(3);
    assert.ok(bad.kind === "failed" && !bad.retryable, JSON.stringify(bad));
    runner.start({ ...jobOf(4, serving(1, 0)), parts: {} });
    const missing = await endOf(4);
    assert.ok(missing.kind === "failed" && missing.retryable, JSON.stringify(missing));
    const before = runner.processes();
    await begin(5, serving(1, 0));
    const pid = runner.processes().find((one) => !before.includes(one));
    assert.ok(pid !== undefined);
    process.kill(pid, "SIGKILL");
    const killed = await endOf(5);
    assert.ok(killed.kind === "failed" && killed.retryable, JSON.stringify(killed));
  });
});
