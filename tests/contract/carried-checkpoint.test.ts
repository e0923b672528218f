// Checkpoints that come with reports, over a whole coordinator: what it takes, tells and forgets, and what the next one knows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../artifact/blob.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import { readBlob } from "../../artifact/read-blob.ts";
import { activeAttempt } from "../../coordinator/state/state.ts";
import { openPolicy } from "../../protocol/capability.ts";
import { answerSchema } from "../../protocol/command.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { carriedBytesMax, writeReports, type Contents } from "../../protocol/report-message.ts";
import { welcomeSchema, type Report } from "../../protocol/report.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { CandidatePlace, placeMesh } from "../support/candidate-place.ts";
import { capability, sweepSpec } from "../support/fold.ts";
import { valueOf } from "../support/live-mesh.ts";
import { MemoryDisk } from "../support/memory-store.ts";

const leadingMs = 20_000;
const settleMs = 300;
const patienceMs = 1_000;
const trials = 4;
const subjects = subjectsOf(placeMesh);
const { blobs, inbox, journal } = streamsOf(placeMesh);

/** A leader, and two agents that hold all trials of a sweep; the test speaks for them. */
async function newMesh() {
  const place = new CandidatePlace();
  const { clock } = place;
  await place.streams();
  const candidate = place.start();
  await clock.advance(leadingMs);
  assert.equal(candidate.role(), "leader");
  const agent = place.hub.connect("one");
  const state = () => place.state ?? assert.fail("nobody leads");
  const receipts: string[] = [];
  agent.subscribe(subjects.order("one", "receipt"), () => receipts.push("receipt"));
  const register = async (name: string) => {
    const body = { incarnation: `${name}-1`, capability: capability(), policy: openPolicy(trials) };
    const asked = agent.request(subjects.register(name), toBytes(body), patienceMs);
    const answer = answerSchema.parse(fromBytes(await clock.settle(asked)));
    return welcomeSchema.parse(answer.ok ? answer.value : assert.fail("it was refused"));
  };
  const client = place.owner();
  const grant = { requester: "owner", weight: 1, grant: 1_000_000 };
  valueOf(await clock.settle(client.command("account-open", grant)));
  const welcome = await register("one");
  const spec = sweepSpec({
    search: { method: "random", trials, seed: 1 },
    stopping: { policy: "none", max: 2 },
    reuse: false,
  });
  valueOf(await clock.settle(client.command("sweep-run", { spec })));
  await clock.advance(settleMs);
  let ids = 0;
  const send = (reports: readonly Report[], contents: Contents) => {
    const batch = {
      incarnation: "one-1",
      reports: reports.map((report) => ({ id: `one.${++ids}`, report })),
    };
    return clock.settle(agent.append(inbox, subjects.inbox("one"), writeReports(batch, contents)));
  };
  return { place, candidate, clock, state, register, welcome, send, receipts, agent };
}

type Mesh = Awaited<ReturnType<typeof newMesh>>;

const contentFor = (number: number, length = 700) => Buffer.from(`weights of ${number} `.padEnd(length, "w"));
const reportOf = (
  fence: number,
  content: Uint8Array,
  kind: "checkpoint" | "finished" = "finished",
): Report => ({
  ...{ kind, fence, resource: kind === "finished" ? 2 : 1, digest: digestOf(content) },
  ...{ bytes: content.length, metrics: { accuracy: fence / 100 }, usedMs: 10 },
});
const contentsOf = (...all: readonly Uint8Array[]): Contents =>
  new Map(all.map((bytes) => [digestOf(bytes), bytes]));

async function readFrom({ clock, place }: Mesh, digest: string): Promise<string> {
  const reader = place.hub.connect(`reader-${digest.slice(0, 6)}-${clock.monotonic()}`);
  const reading = readBlob(reader, placeOf(placeMesh), digest, async () => clock.advance(0));
  const found = await clock.settle(reading);
  return found.kind === "read" ? Buffer.from(found.bytes).toString() : found.kind;
}

test("CARRY-1: reports bring their checkpoints, one message of the store for all of a batch, and each is read again", async () => {
  const mesh = await newMesh();
  const { clock, place, receipts, send, state, welcome } = mesh;
  assert.equal(welcome.carries, carriedBytesMax);
  const before = place.hub.stream(blobs).state().lastSequence;
  const fences = [...state().active.keys()];
  assert.equal(fences.length, trials);
  const contents = fences.map((fence) => contentFor(fence));
  await send(
    fences.map((fence, index) => reportOf(fence, contents[index] ?? assert.fail())),
    contentsOf(...contents),
  );
  await clock.advance(settleMs);
  assert.equal(state().active.size, 0);
  assert.equal(receipts.length, 1);
  assert.equal(place.hub.stream(blobs).state().lastSequence - before, 1, "one message for all of them");
  assert.equal(state().packs.size, 1);
  for (const content of contents) assert.equal(await readFrom(mesh, digestOf(content)), content.toString());
  // The same again is receipted, and stored no second time.
  await send(
    [reportOf(fences[0] ?? 0, contents[0] ?? assert.fail())],
    contentsOf(contents[0] ?? assert.fail()),
  );
  await clock.advance(settleMs);
  assert.equal(place.hub.stream(blobs).state().lastSequence - before, 1);
  assert.equal(receipts.length, 2);
});

test("PACK-2: a coordinator that is elected later, and one whose store is built anew, find what came with reports", async () => {
  const mesh = await newMesh();
  const { candidate, clock, place, send, state } = mesh;
  const [fence = 0] = state().active.keys();
  const content = contentFor(1);
  await send([reportOf(fence, content)], contentsOf(content));
  await clock.advance(settleMs);
  await clock.settle(candidate.stop());
  // Without a projection of its own: all it knows is the journal.
  const fresh = place.start("two", false, { projection: new MemoryDisk(), copy: new MemoryDisk() });
  await clock.advance(leadingMs);
  assert.equal(fresh.role(), "leader");
  assert.equal(await readFrom(mesh, digestOf(content)), content.toString());
  await clock.settle(fresh.stop());
  const again = place.start();
  await clock.advance(leadingMs);
  assert.equal(again.role(), "leader");
  assert.equal(await readFrom(mesh, digestOf(content)), content.toString());
  assert.deepEqual(place.halts, []);
});

test("PACK-3: while packs cannot be stored no event speaks of what came, others' reports are taken, and then it comes again", async () => {
  const mesh = await newMesh();
  const { clock, place, receipts, send, state } = mesh;
  const [carried = 0, plain = 0] = state().active.keys();
  const content = contentFor(2);
  const append = place.hub.append.bind(place.hub);
  let refused = 0;
  place.hub.append = (from, message, answer) => {
    if (!message.subject.includes(".blob.pack.")) return append(from, message, answer);
    refused++;
    // It never reaches the stream, and its sender hears nothing.
  };
  await send([reportOf(carried, content)], contentsOf(content));
  await send([{ kind: "failed", fence: plain, reason: "a mishap", retryable: false, usedMs: 1 }], new Map());
  await clock.advance(7_000);
  assert.ok(refused > 0);
  assert.ok(state().active.has(carried), "it is not decided on");
  assert.ok(!state().active.has(plain), "what carries nothing is not held up");
  assert.equal(receipts.length, 1);
  place.hub.append = append;
  await clock.advance(20_000);
  assert.ok(!state().active.has(carried));
  assert.equal(receipts.length, 2);
  assert.equal(await readFrom(mesh, digestOf(content)), content.toString());
});

test("PACK-3: a leader that dies between the pack and the journal leaves a pack that is nobody's, and the report is not lost", async () => {
  const mesh = await newMesh();
  const { clock, place, send, state } = mesh;
  const [fence = 0] = state().active.keys();
  const content = contentFor(3);
  const packsBefore = place.hub.stream(blobs).state().lastSequence;
  const append = place.hub.append.bind(place.hub);
  let packed = false;
  place.hub.append = (from, message, answer) => {
    if (message.subject.includes(".blob.pack.")) packed = true;
    // With the pack on the disk its leader is cut off before it appends to the journal.
    if (packed && message.stream === journal) return place.hub.partition("one");
    append(from, message, answer);
  };
  await send([reportOf(fence, content)], contentsOf(content));
  await clock.advance(settleMs);
  assert.ok(packed);
  place.hub.append = append;
  const next = place.start("two", false, { projection: new MemoryDisk(), copy: new MemoryDisk() });
  await clock.advance(leadingMs * 2);
  assert.equal(next.role(), "leader");
  assert.equal(
    place.hub.stream(blobs).state().lastSequence - packsBefore,
    2,
    "an orphan and the one that counts",
  );
  assert.equal(state().packs.size, 1);
  const trial = [...state().trials.values()].find(({ attempts }) =>
    attempts.some((one) => one.fence === fence),
  );
  assert.equal(trial?.checkpoint?.digest, digestOf(content));
  assert.equal(await readFrom(mesh, digestOf(content)), content.toString());
});

test("CARRY-2: bytes that are not what they are called are told, and put nothing under any digest", async () => {
  const mesh = await newMesh();
  const { clock, place, receipts, register, send, state } = mesh;
  await register("two");
  const [fence = 0, other = 0] = state().active.keys();
  const [named, sent, honest] = [contentFor(4), contentFor(5), contentFor(6)];
  const before = place.hub.stream(blobs).state().lastSequence;
  await send(
    [reportOf(fence, named), reportOf(other, honest)],
    new Map([[digestOf(named), sent], ...contentsOf(honest)]),
  );
  await clock.advance(settleMs);
  const liar = state().agents.get("one");
  assert.match(
    liar?.cordonReason ?? "",
    /^the bytes that one sent as checkpoint [0-9a-f]{12} have the digest [0-9a-f]{12}; /,
  );
  assert.equal(receipts.length, 1, "it need not say it again");
  assert.equal(state().packed.has(digestOf(named)), false);
  assert.equal(state().packed.has(digestOf(honest)), true, "its other words count");
  assert.equal(place.hub.stream(blobs).state().lastSequence - before, 1);
  const { attempts } =
    [...state().trials.values()].find((one) => one.attempts[0]?.fence === fence) ?? assert.fail();
  assert.equal(attempts[0]?.ending, "failed");
  assert.equal(
    activeAttempt(
      [...state().trials.values()].find((one) => one.attempts[0]?.fence === fence) ?? assert.fail(),
    )?.agent,
    "two",
  );
  assert.equal(await readFrom(mesh, digestOf(named)), "missing");
});

test("CARRY-2: a message that does not have the bytes it says is set aside whole, and bytes that nothing names are nobody's", async () => {
  const mesh = await newMesh();
  const { agent, clock, place, receipts, send, state } = mesh;
  const [fence = 0] = state().active.keys();
  const before = place.hub.stream(blobs).state().lastSequence;
  const content = contentFor(7);
  const batch = { incarnation: "one-1", reports: [{ id: "one.x", report: reportOf(fence, content) }] };
  const whole = writeReports(batch, contentsOf(content));
  for (const length of [9, whole.length - 1])
    await clock.settle(agent.append(inbox, subjects.inbox("one"), whole.subarray(0, length)));
  await send([{ kind: "accepted", fence }], contentsOf(contentFor(8)));
  await clock.advance(settleMs);
  assert.ok(state().active.has(fence));
  assert.equal(receipts.length, 1);
  assert.equal(place.hub.stream(blobs).state().lastSequence, before);
  assert.deepEqual(place.halts, []);
});
