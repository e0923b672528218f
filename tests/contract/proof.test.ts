// What somebody else stored under a digest counts only once it is proved, and what is wrong is removed: over every Bus.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { chunkBytes, digestOf, getBlob, putBlob } from "../../artifact/blob.ts";
import { lineMessages, pointMessages } from "../../agent/say-point.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import { readBlob } from "../../artifact/read-blob.ts";
import { BlobProver } from "../../coordinator/leader/blob-prover.ts";
import { serveProofs } from "../../coordinator/leader/serve-proofs.ts";
import { answerBytes } from "../../coordinator/view/fit-answer.ts";
import { PointIndex } from "../../coordinator/view/point-index.ts";
import { readHistory } from "../../coordinator/view/point-history.ts";
import { readCurve, readLogs } from "../../coordinator/view/point-stream.ts";
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { toBytes } from "../../protocol/json-bytes.ts";
import { accept } from "../../protocol/refusal.ts";
import type { HistoryView } from "../../protocol/view.ts";
import { pointBytesMax, streamSpecsOf, streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { busWorlds, bytesOf, type BusMesh } from "../support/bus-mesh.ts";

const place = placeOf("m");
const subjects = subjectsOf("m");

for (const world of busWorlds) {
  describe(`proofs (${world.name})`, { skip: world.skip }, () => {
    let mesh: BusMesh;
    let proofs: BlobProver;
    let lead: Bus;
    let writer: Bus;
    const lines: string[] = [];
    /** What was collected, with the sequence that its removal ends before. */
    const leaving = new Map<string, number>();
    before(async () => {
      mesh = await world.start();
      lead = await mesh.connect("lead");
      writer = await mesh.connect("writer");
      for (const spec of streamSpecsOf("m", 1, "secret")) await mesh.settle(lead.ensureStream(spec));
      proofs = new BlobProver({
        ...{ bus: lead, mesh: "m", clock: systemClock, log: (line: string) => lines.push(line) },
        leavesBefore: (digest) => leaving.get(digest) ?? null,
        isGone: (digest) => leaving.has(digest),
      });
      serveProofs(lead, "m", proofs);
      await mesh.pass(50);
    });
    after(() => mesh.stop());

    let index: PointIndex | null = null;
    const archives = { saidOf: () => Promise.resolve(null), isGone: () => false };
    const source = () => ({ bus: lead, mesh: "m", points: (index ??= new PointIndex(lead)), archives });
    const store = (digest: string, n: number, data: Uint8Array) =>
      mesh.settle(writer.append(place.stream, place.subjectOf(digest, n), data));
    const header = (bytes: number) => toBytes({ v: 1, bytes, chunkBytes });
    const bytesFor = (salt: number, length = chunkBytes + 9) =>
      Uint8Array.from({ length }, (_, n) => (n * 7 + salt) & 255);

    const poisons: readonly [what: string, salt: number, poison: (digest: string) => Promise<void>][] = [
      [
        "a whole blob of other bytes",
        1,
        async (digest) => {
          await store(digest, 1, bytesFor(99).subarray(0, chunkBytes));
          await store(digest, 2, bytesFor(99).subarray(chunkBytes));
          await store(digest, 0, header(chunkBytes + 9));
        },
      ],
      ["one wrong chunk", 2, async (digest) => void (await store(digest, 2, bytesOf("wrong")))],
      ["a header of another length", 3, async (digest) => void (await store(digest, 0, header(5)))],
      ["a header that cannot be read", 4, async (digest) => void (await store(digest, 0, bytesOf("?")))],
    ];
    for (const [what, salt, poison] of poisons) {
      test(`BLOB-5: ${what} stored first is found out, removed, and replaced by the right bytes`, async () => {
        const bytes = bytesFor(salt);
        const digest = digestOf(bytes);
        await poison(digest);
        lines.length = 0;
        assert.equal((await mesh.settle(putBlob(writer, place, bytes))).stored, true);
        const read = await mesh.settle(getBlob(writer, place, digest));
        assert.ok(read.kind === "read");
        assert.equal(Buffer.compare(read.bytes, bytes), 0);
        assert.match(lines.join(), /was not what its digest says, and was removed/);
      });
    }

    test("BLOB-5: what is right is found there, and nothing is removed or stored again", async () => {
      const bytes = bytesFor(5, 20);
      await mesh.settle(putBlob(writer, place, bytes));
      const { lastSequence } = await mesh.settle(lead.streamState(place.stream));
      lines.length = 0;
      for (let again = 0; again < 2; again++)
        assert.equal((await mesh.settle(putBlob(writer, place, bytes))).stored, false);
      assert.equal((await mesh.settle(lead.streamState(place.stream))).lastSequence, lastSequence);
      assert.deepEqual(lines, []);
    });

    test("BLOB-5: without a coordinator to remove it, wrong bytes are an error and not believed", async () => {
      const bytes = bytesFor(6, 20);
      await store(digestOf(bytes), 1, bytesOf("wrong"));
      const { stream, subjectOf } = place;
      await assert.rejects(
        mesh.settle(putBlob(writer, { stream, subjectOf }, bytes)),
        (error) => error instanceof BusError && /Wrong bytes lie under the digest/.test(error.message),
      );
    });

    test("GC-5: who puts what is being removed stores it anew, and a removal that comes late does not touch that", async () => {
      const bytes = bytesFor(7);
      const digest = digestOf(bytes);
      await mesh.settle(putBlob(writer, place, bytes));
      assert.equal((await mesh.settle(putBlob(writer, place, bytes))).stored, false);
      assert.ok(proofs.wasTold(digest, 60_000), "what somebody was told is there is spared");
      const before = (await mesh.settle(lead.streamState(place.stream))).lastSequence + 1;
      leaving.set(digest, before);
      assert.equal((await mesh.settle(putBlob(writer, place, bytes))).stored, true);
      await mesh.settle(
        lead.removeMessages(place.stream, `${place.subjectOf(digest, 0).slice(0, -1)}*`, before),
      );
      assert.equal((await mesh.settle(getBlob(writer, place, digest))).kind, "read");
      leaving.delete(digest);
    });

    /** As an agent does it that has heard what is wanted, `afterMs` later. */
    async function readWhile(digest: string, heal: () => Promise<unknown>) {
      const reading = readBlob(writer, place, digest, (ms) => mesh.pass(ms));
      let healed = false;
      await mesh.until(`${digest} to be wanted`, () => proofs.wanted().includes(digest));
      await mesh.settle(heal().then(() => (healed = true)));
      assert.ok(healed);
      return mesh.settle(reading);
    }

    for (const [what, salt, poison] of poisons) {
      test(`BLOB-6: who reads ${what} has it removed, and reads what is stored again by who has the bytes`, async () => {
        const bytes = bytesFor(salt + 20);
        const digest = digestOf(bytes);
        await poison(digest);
        if (what === "one wrong chunk") {
          await store(digest, 1, bytes.subarray(0, chunkBytes));
          await store(digest, 0, header(bytes.length));
        }
        lines.length = 0;
        const read = await readWhile(digest, () => putBlob(writer, place, bytes));
        assert.ok(read.kind === "read");
        assert.equal(Buffer.compare(read.bytes, bytes), 0);
        assert.match(lines.join(), /is wanted and is not whole; asking for its bytes/);
      });
    }

    test("BLOB-6: what was found right and is lost since is found lost by who reads it, and stored again", async () => {
      const bytes = bytesFor(40);
      const digest = digestOf(bytes);
      await mesh.settle(putBlob(writer, place, bytes));
      assert.equal((await mesh.settle(putBlob(writer, place, bytes))).stored, false);
      await mesh.settle(lead.removeMessages(place.stream, place.subjectOf(digest, 2)));
      const read = await readWhile(digest, () => putBlob(writer, place, bytes));
      assert.equal(read.kind, "read");
    });

    test("BLOB-6: what nobody has is given up after some looks", async () => {
      const digest = digestOf(bytesFor(41));
      await store(digest, 1, bytesOf("wrong"));
      await store(digest, 0, header(5));
      let looks = 0;
      const read: string[] = [];
      const reading = readBlob(writer, place, digest, async (ms) => {
        looks++;
        await mesh.pass(ms / 10);
      }).then(({ kind }) => read.push(kind));
      await mesh.until("it to give up", () => read.length > 0);
      await mesh.settle(reading);
      assert.deepEqual([read, looks], [["missing"], 23]);
    });

    test("QUOTA-2: a flood of one agent, large points and small, evicts no other's point or line, nor keeps it from being read", async () => {
      const attempts = [{ agent: "quiet", fence: 71 }];
      const trial = { sweep: "s7", trial: "s7-1", attempts };
      for (const message of pointMessages({ fence: 71, resource: 1, metrics: { accuracy: 0.5 } }))
        writer.publish(subjects.metric("quiet", "s7", "s7-1"), message);
      writer.publish(
        subjects.log("quiet", "s7", "s7-1"),
        toBytes({ fence: 71, stream: "out", line: "mine" }),
      );
      await mesh.pass(50);
      const large = toBytes({ fence: 1, resource: 1, metrics: {}, padding: "x".repeat(200_000) });
      for (let n = 0; n < 400; n++) writer.publish(subjects.metric("greedy", "s7", `s7-${n}`), large);
      const most = toBytes({ fence: 1, resource: 1, metrics: {}, padding: "x".repeat(pointBytesMax - 60) });
      // The twin in memory is slow at it, and lets go of the oldest at the same counts.
      const flood = world.name === "memory" ? 500 : 33_000;
      for (let n = 0; n < flood; n++) writer.publish(subjects.metric("greedy", "s7", "s7-1"), most);
      for (let n = 0; n < flood; n++) writer.publish(subjects.log("greedy", "s7", "s7-1"), most);
      await mesh.pass(500);
      const { points } = await mesh.settle(readCurve(source(), trial));
      assert.deepEqual(points, [{ fence: 71, resource: 1, metrics: { accuracy: 0.5 } }]);
      const { lines: said } = await mesh.settle(readLogs(source(), trial, { limit: 10, after: null }));
      assert.deepEqual(
        said.map(({ line }) => line),
        ["mine"],
      );
    });

    test("POINT-3: what has been said of an attempt is read in full, while more is said of it and of others", async () => {
      const trial = { sweep: "s9", trial: "s9-1", attempts: [{ agent: "busy", fence: 91 }] };
      const say = (fence: number, resource: number) =>
        writer.publish(
          subjects.metric("busy", "s9", `s9-${fence - 90}`),
          toBytes({ fence, resource, metrics: { loss: resource } }),
        );
      for (let round = 0; round < 4; round++) {
        for (let n = 1; n <= 600; n++) for (const fence of [91, 92]) say(fence, round * 600 + n);
        await mesh.pass(300);
        const arrived = async () => (await mesh.settle(readCurve(source(), trial))).points.length;
        // What is published goes out when it goes out.
        for (let looks = 0; looks < 100 && (await arrived()) < (round + 1) * 600; looks++)
          await mesh.pass(100);
        const reads = [1, 2, 3].map(() => readCurve(source(), trial));
        for (const { points } of await mesh.settle(Promise.all(reads)))
          assert.deepEqual(
            points.map(({ resource }) => resource),
            Array.from({ length: (round + 1) * 600 }, (_, n) => n + 1),
          );
      }
    });

    test("LOG-1: a line has the time at which its stream took it, and what comes behind a position is read once and in order", async () => {
      const trial = { sweep: "s6", trial: "s6-1", attempts: [{ agent: "talks", fence: 61 }] };
      const say = (n: number) =>
        writer.publish(
          subjects.log("talks", "s6", "s6-1"),
          toBytes({ fence: 61, stream: "out", line: `line ${n}` }),
        );
      const heard: string[] = [];
      let after: number | null = null;
      let at = 0;
      for (let round = 0; round < 4; round++) {
        for (let n = 0; n < 5; n++) say(round * 5 + n);
        await mesh.pass(200);
        for (let full = true; full;) {
          // The first answer has the newest of what there is; all the others go on from there.
          const limit: number = after === null ? 100 : 2;
          const read: Awaited<ReturnType<typeof readLogs>> = await mesh.settle(
            readLogs(source(), trial, { limit, after }),
          );
          const { lines, position } = read;
          for (const line of lines) {
            assert.ok(line.at >= at && Number.isFinite(line.at), "times do not go back");
            at = line.at;
            heard.push(line.line);
          }
          full = after !== null && lines.length === limit;
          after = position;
        }
      }
      assert.deepEqual(
        heard,
        Array.from({ length: 20 }, (_, n) => `line ${n}`),
      );
      // A server that lost its end counts on from an earlier one.
      const lost = await mesh.settle(readLogs(source(), trial, { limit: 5, after: 1_000_000_000 }));
      assert.deepEqual(lost.lines, []);
      assert.ok(lost.position < 1_000_000_000);
    });

    test("POINT-2: a point with many metrics and a long line arrive whole, in messages that the streams take", async () => {
      const metrics = Object.fromEntries(
        Array.from({ length: 256 }, (_, n) => [`metric-${n}-${"m".repeat(n % 190)}`, n / 7]),
      );
      const trial = { sweep: "s8", trial: "s8-1", attempts: [{ agent: "one", fence: 81 }] };
      const line = "é\u0001".repeat(1_000);
      for (const message of pointMessages({ fence: 81, resource: 3, metrics }))
        writer.publish(subjects.metric("one", "s8", "s8-1"), message);
      for (const message of lineMessages({ fence: 81, stream: "out", line }))
        writer.publish(subjects.log("one", "s8", "s8-1"), message);
      await mesh.pass(200);
      assert.deepEqual((await mesh.settle(readCurve(source(), trial))).points, [
        { fence: 81, resource: 3, metrics },
      ]);
      const { lines: said } = await mesh.settle(readLogs(source(), trial, { limit: 100, after: null }));
      assert.equal(said.map((part) => part.line).join(""), line);
    });

    test("POINT-4: the pages of a history have every point once, as it was said and when, of whichever trials", async () => {
      const [trials, epochs] = [3, 700];
      const asked = Array.from({ length: trials }, (_, at) => ({
        sweep: "s11",
        trial: `s11-${at + 1}`,
        attempts: [
          { agent: "one", fence: 900 + 2 * at },
          { agent: "two", fence: 901 + 2 * at },
        ],
      }));
      const name = "m".repeat(180);
      const said: string[] = [];
      for (let epoch = 1; epoch <= epochs; epoch++)
        for (const { attempts, sweep, trial } of asked)
          for (const { agent, fence } of attempts) {
            said.push(`${trial} ${fence} ${epoch}`);
            const message = toBytes({ fence, resource: epoch, metrics: { [name]: epoch / 7, loss: -epoch } });
            writer.publish(subjects.metric(agent, sweep, trial), message);
          }
      // The same metric at the same epoch again: both are kept.
      writer.publish(
        subjects.metric("two", "s11", "s11-3"),
        toBytes({ fence: 905, resource: 1, metrics: { loss: 8 } }),
      );
      said.push("s11-3 905 1");
      await mesh.pass(500);
      const heard: HistoryView["points"] = [];
      let pages = 0;
      for (let after: HistoryView["next"] = null; ; pages++) {
        const page: HistoryView = await mesh.settle(readHistory(source(), asked, after));
        assert.deepEqual(answerBytes("history", accept(page)), toBytes(accept(page)), "nothing is cut");
        heard.push(...page.points);
        after = page.next;
        if (after === null) break;
      }
      assert.ok(pages >= 2, `${pages} pages`);
      const names = heard.map(({ fence, resource, trial }) => `${trial} ${fence} ${resource}`);
      assert.deepEqual(names.toSorted(), said.toSorted());
      const order = heard.map(({ trial }) => trial);
      assert.deepEqual(order, order.toSorted());
      assert.ok(heard.every(({ at }) => at !== null && at > 0));
      assert.deepEqual(heard.at(-1)?.metrics, { loss: 8 });
    });

    test("POINT-1: an agent speaks of the attempts it was given, whatever trial it names", async () => {
      const say = (agent: string, fence: number, resource: number) =>
        writer.publish(
          subjects.metric(agent, "s1", "s1-1"),
          toBytes({ fence, resource, metrics: { accuracy: resource } }),
        );
      const before = (await mesh.settle(lead.streamState(streamsOf("m").metrics))).lastSequence;
      say("one", 7, 1);
      say("two", 7, 2);
      say("two", 8, 3);
      say("three", 9, 4);
      const attempts = [
        { agent: "one", fence: 7 },
        { agent: "two", fence: 8 },
      ];
      await mesh.pass(200);
      assert.equal((await mesh.settle(lead.streamState(streamsOf("m").metrics))).lastSequence, before + 4);
      const { points } = await mesh.settle(readCurve(source(), { sweep: "s1", trial: "s1-1", attempts }));
      assert.deepEqual(
        points.map(({ fence, resource }) => [fence, resource]),
        [
          [7, 1],
          [8, 3],
        ],
      );
    });
  });
}
