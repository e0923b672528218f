// Curves and logs of ended trials over every Bus: archived by the leader's archiver, then read where the streams have nothing any more.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { placeOf } from "../../artifact/mesh-blob.ts";
import { ArchiveShelf } from "../../coordinator/archive/archive-shelf.ts";
import { Archiver } from "../../coordinator/leader/archiver.ts";
import { BlobProver } from "../../coordinator/leader/blob-prover.ts";
import type { Input } from "../../coordinator/state/input.ts";
import { settingsFor } from "../../coordinator/state/setting.ts";
import { mustGet, type Trial } from "../../coordinator/state/state.ts";
import { readHistory } from "../../coordinator/view/point-history.ts";
import { PointIndex } from "../../coordinator/view/point-index.ts";
import { readCurve, readLogs } from "../../coordinator/view/point-stream.ts";
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import { toBytes } from "../../protocol/json-bytes.ts";
import { streamSpecsOf, streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { HistoryView } from "../../protocol/view.ts";
import { busWorlds, type BusMesh } from "../support/bus-mesh.ts";
import { Fold, sweepSpec } from "../support/fold.ts";
import { until } from "../support/until.ts";

const subjects = subjectsOf("m");
const streams = streamsOf("m");
const settings = settingsFor(15_000);

for (const world of busWorlds) {
  describe(`archives (${world.name})`, { skip: world.skip }, () => {
    let mesh: BusMesh;
    let lead: Bus;
    let agent: Bus;
    let fold = new Fold();
    const lines: string[] = [];

    before(async () => {
      mesh = await world.start();
      lead = await mesh.connect("lead");
      agent = await mesh.connect("agent");
      for (const spec of streamSpecsOf("m", 1, "secret")) await mesh.settle(lead.ensureStream(spec));
    });
    after(() => mesh.stop());
    beforeEach(() => {
      fold = new Fold();
      fold.open("ada", 1_000_000);
      fold.join("den", 2);
      fold.join("attic", 2);
      lines.length = 0;
    });

    /** As a term has them; a later one knows nothing of what this one had in memory. */
    function term(submit = (input: Input) => void fold.do(input)) {
      const points = new PointIndex(lead);
      const { state } = fold;
      const prover = new BlobProver({
        ...{ bus: lead, mesh: "m", clock: systemClock, log: (line: string) => lines.push(line) },
        leavesBefore: () => null,
        isGone: (digest) => state.gone.has(digest),
      });
      const archiver = new Archiver({
        ...{ bus: lead, mesh: "m", state, settings, points, prover },
        clock: { ...systemClock, now: () => fold.at },
        ask: (question) => queueMicrotask(question),
        submit: (input) => Promise.resolve(submit(input)),
        log: (line) => lines.push(line),
      });
      const archives = new ArchiveShelf({
        ...{ bus: lead, place: placeOf("m"), state },
        doubt: (digest) => void prover.proveAgain(digest),
      });
      return { archiver, source: { bus: lead, mesh: "m", points, archives } };
    }

    /** Ends all trials of a new sweep, each of which says something first; `twice`: some on a second machine. */
    async function run(
      name: string,
      points: number,
      more: readonly string[] = [],
    ): Promise<readonly Trial[]> {
      const spec = sweepSpec({ name, reuse: false, search: { method: "random", trials: 6, seed: 1 } });
      fold.must("sweep-run", { spec });
      const sweep = [...fold.state.sweeps.keys()].at(-1) ?? "";
      for (let n = 0; fold.running()[0] !== undefined; n++) {
        const trial = mustGet(
          fold.state.trials,
          fold.running()[n % fold.running().length]?.trial ?? "",
          "trial",
        );
        const { agent: who, fence } = trial.attempts.at(-1) ?? assert.fail();
        for (let resource = 1; resource <= points * (trial.number % 3); resource++) {
          const point = { fence, resource, metrics: { loss: 1 / resource, [`m${n}`]: n / 7 } };
          agent.publish(subjects.metric(who, sweep, trial.trial), toBytes(point));
          const line = {
            fence,
            stream: resource % 2 === 0 ? "err" : "out",
            line: `${trial.trial} "${resource}" é`,
          };
          agent.publish(subjects.log(who, sweep, trial.trial), toBytes(line));
        }
        for (const line of more)
          agent.publish(subjects.log(who, sweep, trial.trial), toBytes({ fence, stream: "out", line }));
        if (n % 4 === 1)
          fold.report(who, { kind: "failed", fence, reason: "lost", retryable: true, usedMs: 1 });
        else fold.finish(trial, n / 20);
      }
      fold.at += settings.archiveRestMs;
      // What is published goes out when it goes out.
      await mesh.pass(300);
      return [...fold.state.trials.values()].filter((trial) => trial.sweep === sweep);
    }

    type Source = ReturnType<typeof term>["source"];
    async function shown(source: Source, trials: readonly Trial[]) {
      const found = [];
      for (const trial of trials) {
        const { points } = await mesh.settle(readCurve(source, trial));
        const all = await mesh.settle(readLogs(source, trial, { limit: 1_000, after: null }));
        const middle =
          all.lines.length < 3
            ? 0
            : (await mesh.settle(readLogs(source, trial, { limit: 3, after: 0 }))).position;
        const rest = await mesh.settle(readLogs(source, trial, { limit: 1_000, after: middle }));
        found.push({
          trial: trial.trial,
          points,
          lines: all.lines,
          last: all.lines.length === 0 ? 0 : all.position,
          rest: rest.lines,
        });
      }
      const history: HistoryView["points"] = [];
      for (let after: HistoryView["next"] = null; ;) {
        const page: HistoryView = await mesh.settle(readHistory(source, trials, after));
        history.push(...page.points);
        if (page.next === null) return { found, history };
        after = page.next;
      }
    }

    const purge = async () => {
      for (const stream of [streams.metrics, streams.logs])
        await mesh.settle(lead.removeMessages(stream, ">"));
    };
    const archived = (archiver: Archiver) =>
      until("all to be archived", async () => {
        archiver.look();
        await mesh.pass(50);
        return fold.state.unarchived.size === 0 || null;
      });

    test("ARCHIVE-6: curves, logs and histories are shown the same once the streams have nothing any more", async () => {
      const trials = await run("first", 40, ["", "x".repeat(3_000)]);
      const { archiver, source } = term();
      const before = await shown(source, trials);
      assert.ok(before.history.length > 150 && before.found.some(({ lines: said }) => said.length > 60));
      await archived(archiver);
      assert.deepEqual(await shown(source, trials), before, "while both have it");
      await purge();
      assert.deepEqual(await shown(term().source, trials), before, "to whoever leads later");
      assert.deepEqual(lines, []);
    });

    test("ARCHIVE-2: a leader that dies before its event loses nothing, and the next one makes the archive", async () => {
      const trials = await run("second", 5);
      let made = 0;
      const dead = term(() => void made++);
      const before = await shown(dead.source, trials);
      // Its bytes are stored, and nobody hears of it: nor does it, so it makes the same again until it is over.
      dead.archiver.look();
      await until("an archive", async () => {
        await mesh.pass(20);
        return made > 0 || null;
      });
      dead.archiver.close();
      assert.equal(fold.state.archives.size, 0);
      assert.deepEqual(await shown(dead.source, trials), before);
      const { archiver } = term();
      await archived(archiver);
      await purge();
      assert.deepEqual(await shown(term().source, trials), before);
    });

    test("ARCHIVE-6: what comes after a trial was archived is shown as well, once", async () => {
      const trials = await run("third", 3);
      const { archiver, source } = term();
      await archived(archiver);
      const trial = trials.find(({ attempts }) => attempts.length > 0) ?? assert.fail();
      const { agent: who, fence } = trial.attempts[0] ?? assert.fail();
      const before = await shown(source, [trial]);
      agent.publish(
        subjects.metric(who, trial.sweep, trial.trial),
        toBytes({ fence, resource: 77, metrics: { loss: 2 } }),
      );
      agent.publish(
        subjects.log(who, trial.sweep, trial.trial),
        toBytes({ fence, stream: "out", line: "late" }),
      );
      await mesh.pass(300);
      const later = await shown(source, [trial]);
      assert.equal(later.history.length, before.history.length + 1);
      assert.deepEqual(later.found[0]?.points.at(-1), { fence, resource: 77, metrics: { loss: 2 } });
      assert.equal(later.found[0]?.lines.at(-1)?.line, "late");
      assert.equal(later.found[0]?.lines.length, (before.found[0]?.lines.length ?? 0) + 1);
    });

    test("ARCHIVE-6: an archive whose bytes are gone leaves what the stream still has", async () => {
      const trials = await run("fourth", 4);
      const { archiver } = term();
      const before = await shown(term().source, trials);
      await archived(archiver);
      await mesh.settle(lead.removeMessages(streams.blobs, `${subjects.blob("*", 0).slice(0, -1)}*`));
      assert.deepEqual(await shown(term().source, trials), before);
      await purge();
      assert.deepEqual((await shown(term().source, trials)).history, []);
    });

    test("ARCHIVE-7: an archive that is lost is made again, byte for byte, while the streams have it, and else told once", async () => {
      const trials = await run("seventh", 6);
      const { archiver, source } = term();
      const before = await shown(source, trials);
      await archived(archiver);
      const lose = () =>
        mesh.settle(lead.removeMessages(streams.blobs, `${subjects.blob("*", 0).slice(0, -1)}*`));
      await lose();
      const later = term();
      assert.deepEqual(await shown(later.source, trials), before);
      await until("both to be stored again", async () => {
        later.archiver.look();
        await mesh.pass(50);
        return lines.filter((line) => line.endsWith("are stored again")).length === 2 || null;
      });
      later.archiver.close();
      await purge();
      assert.deepEqual(await shown(term().source, trials), before);
      await lose();
      const last = term();
      assert.deepEqual((await shown(last.source, trials)).history, []);
      lines.length = 0;
      for (let look = 0; look < 5; look++) {
        last.archiver.look();
        await mesh.pass(100);
      }
      assert.equal(lines.filter((line) => line.includes("are lost in the mesh's store")).length, 2);
    });

    test("ARCHIVE-3: a log that was collected is told as that, and a curve stays", async () => {
      const trials = await run("sixth", 3);
      const { archiver } = term();
      const before = await shown(term().source, trials);
      await archived(archiver);
      await purge();
      for (const { logs } of fold.state.archives.values())
        if (logs !== undefined) fold.state.gone.set(logs, 1);
      const { source } = term();
      assert.deepEqual((await shown(source, trials)).history, before.history);
      for (const trial of trials) {
        const told = await mesh.settle(readLogs(source, trial, { limit: 9, after: null }));
        assert.deepEqual([told.lines, told.gone], [[], true]);
      }
    });

    test("ARCHIVE-2: a server that is away is waited for, and told once", async () => {
      await run("fifth", 2);
      const { state } = fold;
      const prover = {
        prove: () => Promise.reject(new BusError("unavailable", "The server is away.")),
        wanted: () => [],
      };
      const archiver = new Archiver({
        ...{ bus: lead, mesh: "m", state, settings, points: new PointIndex(lead), prover },
        clock: { ...systemClock, now: () => fold.at },
        ask: (question) => queueMicrotask(question),
        submit: () => assert.fail("nothing is told that is not stored"),
        log: (line) => lines.push(line),
      });
      for (let look = 0; look < 3; look++) {
        archiver.look();
        await mesh.pass(200);
      }
      assert.deepEqual(lines, ["curves and logs of ended trials are not archived yet: The server is away."]);
      assert.ok(state.unarchived.size > 0);
    });

    test("ARCHIVE-4: an archive that waited minutes for the server is not followed by a rest of as many", async () => {
      await run("eighth", 2);
      await run("ninth", 2);
      const { state } = fold;
      const prover = { prove: () => Promise.resolve("right" as const), wanted: () => [] };
      const rests: number[] = [];
      let monotonic = 0;
      const archiver = new Archiver({
        ...{ bus: lead, mesh: "m", state, settings, points: new PointIndex(lead), prover },
        clock: {
          now: () => fold.at,
          monotonic: () => monotonic,
          setTimer: (ms, over) => {
            rests.push(ms);
            return systemClock.setTimer(0, over);
          },
        },
        ask: (question) => queueMicrotask(question),
        submit: (input) => {
          monotonic += 300_000;
          return Promise.resolve(void fold.do(input));
        },
        log: (line) => lines.push(line),
      });
      archiver.look();
      await until("both to be archived", async () => {
        await mesh.pass(50);
        return state.unarchived.size === 0 || null;
      });
      assert.ok(rests.length >= 2 && Math.max(...rests) <= 2_000, `rests of ${rests.join()} ms`);
    });
  });
}
