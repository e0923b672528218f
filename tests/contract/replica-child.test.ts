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
    keep((await trainedModel({ task: "tabular", model: "linear", params: {} })).bytes);
    // It knows hardly a word, and mostly answers the same.
    keep(
      (await trainedModel({ task, model: "linear", params: { bucketBits: 10, charMax: 0, minCount: 50 } }))
        .bytes,
    );
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

  /** Beside version 1, of the artifact `at`. */
  function tried(revision: number, at: number, role: "canary" | "shadow", share: number): Serving {
    const first = serving(revision, 0);
    const artifact = digests[at] ?? "";
    const challenger = { role, share, model: "served", version: 100 + at, artifact, task, dataset: null };
    const [incumbent] = first.versions;
    assert.ok(incumbent !== undefined);
    const versions = [{ ...incumbent, version: 1, share: 1 - (role === "canary" ? share : 0) }, challenger];
    return { ...first, versions, alpha: 0.01 };
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

  test("DEPLOY-17: a replica compares what is on trial on its own requests, says what it has seen, and takes a canary that is worse out of its answers", async () => {
    const words = [
      "guten Tag",
      "where is the river",
      "two hours and a half",
      "morgen",
      "42",
      "last week",
      "Tokyo",
    ];
    const place = await begin(7, serving(1, 0));
    const seenOf = () => stateOf(7)?.seen?.[0];
    const versions = new Set<number>();
    let asked = 0;
    const ask = async () => {
      const text = `${words[asked % words.length] ?? ""} ${words[asked % 5] ?? ""} ${asked}`;
      const answer = await askReplica(place, "/predict/live", { text });
      asked++;
      assert.equal(answer.status, 200, answer.text);
      versions.add(answerSchema.parse(JSON.parse(answer.text)).version);
    };
    const comparedIn = (revision: number, pairs: number) =>
      until(`${pairs} pairs in revision ${revision}`, async (note) => {
        for (let count = 0; count < 20; count++) await ask();
        note(JSON.stringify(stateOf(7)));
        const seen = seenOf();
        return seen?.revision === revision && seen.pairs >= pairs ? seen : null;
      });
    // The same bytes under another version: no worse.
    const same = tried(2, 0, "canary", 0.5);
    runner.serve(7, same, parts);
    const equal = await comparedIn(2, 200);
    assert.deepEqual(versions, new Set([1, 100]));
    assert.ok(equal.agreed === equal.compared && equal.logWealth < 1 && equal.takenBack === undefined);
    const page = await askReplica(place, "/v2/models/live/rollout");
    assert.match(page.text, /"state":"running"/);
    runner.serve(7, tried(3, 6, "shadow", 1), parts);
    const shadow = await comparedIn(3, 60);
    assert.equal(shadow.role, "shadow");
    assert.ok(shadow.logWealth > Math.log(100), JSON.stringify(shadow));
    runner.serve(7, tried(4, 6, "canary", 0.3), parts);
    const worse = await until("it is taken back", async (note) => {
      for (let count = 0; count < 20; count++) await ask();
      note(JSON.stringify(stateOf(7)));
      return seenOf()?.takenBack === undefined ? null : seenOf();
    });
    assert.ok((worse?.logWealth ?? 0) >= Math.log(100));
    assert.match(worse?.takenBack ?? "", /agreed with the incumbent on/);
    versions.clear();
    for (let count = 0; count < 40; count++) await ask();
    assert.deepEqual([...versions], [1]);
    assert.equal(stateOf(7)?.failed, 0);
    // The trial is over for all.
    runner.serve(7, serving(5, 0), parts);
    await until("revision 5", () => (stateOf(7)?.revision === 5 ? true : null));
    assert.equal(stateOf(7)?.seen, undefined);
    runner.stop(7, "checkpoint");
    await endOf(7);
  });

  test("DEPLOY-18: what takes or gives something else, or cannot be loaded, is asked nothing and said, and the incumbent answers", async () => {
    const place = await begin(8, tried(1, 3, "canary", 1));
    assert.match(place.replica.trouble ?? "", /^canary served@103 is asked nothing here: /);
    let revision = 1;
    for (const role of ["canary", "shadow"] as const) {
      const table = tried(++revision, 5, role, 1);
      const versions = table.versions.map((one, index) => (index === 1 ? { ...one, task: "tabular" } : one));
      runner.serve(8, { ...table, versions }, parts);
      const said = await until("it is said", () => (stateOf(8)?.revision === revision ? stateOf(8) : null));
      assert.match(
        said?.trouble ?? "",
        new RegExp(`^${role} served@105 is asked nothing here: it takes .* instead of`),
      );
      assert.equal(said?.seen, undefined);
      for (let count = 0; count < 10; count++) {
        const { status, text } = await askReplica(place, "/predict/live", { text: `Tag ${count}` });
        assert.equal(status, 200, text);
        assert.equal(answerSchema.parse(JSON.parse(text)).version, 1);
      }
    }
    runner.serve(8, serving(4, 1), parts);
    await until("its trouble is over", () =>
      stateOf(8)?.revision === 4 && stateOf(8)?.trouble === undefined ? true : null,
    );
    runner.stop(8, "checkpoint");
    await endOf(8);
  });

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
