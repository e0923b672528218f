/** What a large sweep, a large command and a large report lead to: batches that the journal's server takes, whatever their number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { brokenInvariants } from "../../coordinator/core/invariant.ts";
import { batchBytesMax, messageBytesMax } from "../../coordinator/leader/batch-tally.ts";
import { commandBytesMax, tooLarge } from "../../coordinator/leader/message-limit.ts";
import { metricsSchema, reportSchema } from "../../protocol/report.ts";
import { openPolicy } from "../../protocol/capability.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { Batches } from "../support/batches.ts";
import { CandidatePlace, placeMesh } from "../support/candidate-place.ts";
import { capability, sweepSpec } from "../support/fold.ts";

/** Ended in one batch they would take more than a batch may be full of; ten times as many could not be written at all. */
const manyTrials = 3_000;
const slots = 100;
const leadingMs = 20_000;
const settleMs = 1_000;

test("SIZE-2: a sweep with thousands of paused trials ends, or is stopped, in batches that the server takes", () => {
  const mesh = new Batches(slots);
  const stopping = { policy: "asha", min: 1, max: 2, eta: 20 } as const;
  const search = { method: "random", trials: manyTrials, seed: 1 } as const;
  mesh.command("sweep-run", { spec: sweepSpec({ stopping, search }) });
  mesh.work(() => false);
  const [ended] = mesh.state.sweeps.values();
  assert.equal(ended?.state, "done");
  assert.ok(ended.counts.stopped > manyTrials / 2, JSON.stringify(ended.counts));
  assert.equal(ended.counts.paused, 0);

  // The same once more, without an end of its own.
  const more = { ...search, trials: manyTrials * 2, seed: 2 };
  mesh.command("sweep-run", { spec: sweepSpec({ name: "again", stopping, search: more, reuse: false }) });
  const again = [...mesh.state.sweeps.values()].at(-1);
  assert.ok(again !== undefined);
  mesh.work(() => again.counts.paused >= manyTrials - slots);
  mesh.command("sweep-stop", { sweep: again.sweep, why: "" });
  mesh.work(() => false);
  assert.equal(again.state, "stopped");
  assert.deepEqual([again.counts.paused, again.counts.queued, again.counts.running], [0, 0, 0]);
  assert.deepEqual(brokenInvariants(mesh.state), []);
  const largest = Math.max(...mesh.sizes);
  assert.ok(largest < batchBytesMax, `the largest batch has ${largest} bytes`);
});

test("SIZE-1: sweeps nearly as large as a command may be, all at once, are parted into batches that the server takes", async () => {
  const place = new CandidatePlace();
  const { clock } = place;
  await place.streams();
  const candidate = place.start();
  await clock.advance(leadingMs);
  assert.equal(candidate.role(), "leader");
  const register = { incarnation: "box-1", capability: capability(), policy: openPolicy(slots) };
  const box = place.hub.connect("box");
  await clock.settle(box.request(subjectsOf(placeMesh).register("box"), toBytes(register), 1_000));
  const client = place.owner();
  const opened = await clock.settle(
    client.command("account-open", { requester: "owner", weight: 1, grant: 1_000_000_000 }),
  );
  assert.ok(opened.ok);
  const values = Array.from({ length: 200 }, (_, at) => `${at}-${"ä".repeat(200)}`);
  const models = [{ model: "alpha", space: { text: { distribution: "choice" as const, values } } }];
  const answers = await clock.settle(
    Promise.all(
      Array.from({ length: 20 }, (_, number) =>
        client.command("sweep-run", { spec: sweepSpec({ name: `large-${number}`, models }) }),
      ),
    ),
  );
  for (const answer of answers) assert.ok(answer.ok, answer.ok ? "" : answer.refusal.message);
  await clock.advance(settleMs);
  assert.deepEqual([place.state?.sweeps.size, place.halts], [20, []]);
  const sizes = (await place.messages()).map(({ length }) => length);
  const largest = Math.max(...sizes);
  assert.ok(largest < messageBytesMax, `the largest batch has ${largest} bytes`);
  assert.ok(
    sizes.filter((size) => size > messageBytesMax / 10).length > 2,
    `they were not parted: ${sizes.join(" ")}`,
  );
  await clock.settle(client.close());
  await clock.settle(candidate.stop());
});

test("SIZE-3: JSON that is nested deeper than anything we write is no message", () => {
  const nested = (depth: number) => Buffer.from(`${'{"a":['.repeat(depth)}1${"]}".repeat(depth)}`);
  assert.notEqual(fromBytes(nested(20)), undefined);
  assert.equal(fromBytes(nested(3_000)), undefined);
  assert.equal(fromBytes(nested(200)), undefined);
  // What only looks deep, in a text, is none of that.
  assert.notEqual(fromBytes(Buffer.from(JSON.stringify({ text: "[{".repeat(5_000) }))), undefined);
  assert.notEqual(fromBytes(Buffer.from(JSON.stringify({ text: '\\"[{'.repeat(5_000) }))), undefined);
});

test("SIZE-3: a journal with a command whose values are nested thousands deep is read, led from and kept", async () => {
  const place = new CandidatePlace();
  await place.streams();
  const program = {
    kind: "command",
    bundle: "a".repeat(64),
    objectives: [{ metric: "accuracy", keep: "last" }],
    fullLength: null,
    command: ["train"],
    program: null,
    environment: {},
    nested: [],
    literals: {},
    metricFormat: [],
  };
  const submitted = {
    kind: "SweepSubmitted",
    sweep: "s1",
    requester: "ada",
    spec: { ...sweepSpec(), program },
    fingerprint: "one",
    warmStart: "two",
    total: 6,
  };
  const elected = { kind: "LeaderElected", epoch: 1, leader: "before" };
  // Deeper than a serialiser goes by recursion: put in as text.
  const words = JSON.stringify({
    v: 2,
    epoch: 1,
    at: 1,
    prev: "",
    events: [elected, { ...submitted, spec: "SPEC" }],
  });
  const spec = JSON.stringify({ ...submitted.spec, program: { ...program, literals: "LITERALS" } });
  const text = `{"lr":{"small":${"[".repeat(5_000)}${"]".repeat(5_000)},"plain":{"a":[1]}}}`;
  const bytes = Buffer.from(words.replace('"SPEC"', spec.replace('"LITERALS"', text)));
  const bus = place.hub.connect("before");
  await place.clock.settle(
    bus.append(streamsOf(placeMesh).journal, subjectsOf(placeMesh).journal("secret"), bytes),
  );
  const candidate = place.start();
  await place.clock.advance(leadingMs);
  assert.deepEqual([candidate.role(), place.halts], ["leader", []]);
  const kept = place.state?.sweeps.get("s1")?.spec.program;
  assert.ok(kept?.kind === "command");
  assert.deepEqual(kept.literals["lr"]?.["plain"], { a: [1] });
  assert.ok(JSON.stringify(kept).length < 1_000);
  await place.clock.settle(candidate.stop());
});

test("SIZE-4: a command that is too large is refused with its size; what an agent says in words or numbers is cut", () => {
  assert.equal(tooLarge("command sweep-run", commandBytesMax, commandBytesMax), null);
  const refused = tooLarge("command sweep-run", commandBytesMax + 1, commandBytesMax);
  assert.ok(refused?.ok === false);
  assert.match(
    refused.refusal.message,
    /^command sweep-run has 129 KiB, more than the 128 KiB that one message/,
  );
  const report = reportSchema.parse({ kind: "refused", fence: 1, reason: "no ".repeat(200_000) });
  assert.ok(JSON.stringify(report).length < 3_000);
  const metrics = Object.fromEntries(Array.from({ length: 80_000 }, (_, at) => [`m${at}`, at]));
  const kept = metricsSchema.parse({ accuracy: 0.5, ...metrics, ["long".repeat(100)]: 1 });
  assert.equal(kept["accuracy"], 0.5);
  assert.equal(Object.keys(kept).length, 256);
  assert.deepEqual(metricsSchema.parse({ a: 1, ["x".repeat(300)]: 2 }), { a: 1 });
});
