/** What is archived of ended trials, in generated histories: each trial once, whatever dies in between; and an archive's bytes give back what was said. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { dueTrials, archivedTogetherMax } from "../../coordinator/archive/due-trials.ts";
import { TrialArchive, writeArchive, type Said } from "../../coordinator/archive/trial-archive.ts";
import { referredTo } from "../../coordinator/collect/reference.ts";
import { retentionOf } from "../../coordinator/collect/default-retention.ts";
import { apply } from "../../coordinator/core/apply.ts";
import { entityAt, loadState } from "../../coordinator/core/projection.ts";
import type { MadeArchive } from "../../coordinator/state/input.ts";
import { emptyState } from "../../coordinator/state/state.ts";
import { sweepSpec } from "../support/fold.ts";
import { StoreFold } from "../support/store-fold.ts";
import { stateText } from "../support/state-text.ts";

const dayMs = 24 * 3_600_000;
const step = fc.record({
  do: fc.constantFrom("finish", "finish", "finish", "archive", "archive", "late", "twice", "sweep", "remove"),
  which: fc.nat(40),
});

/** As a leader does it: bytes first, the event later, or never. */
class ArchiveFold extends StoreFold {
  #made = 0;
  readonly pending: MadeArchive[] = [];

  make(isPressed: boolean): MadeArchive | null {
    const due = dueTrials(this.state, this.at, this.settings, isPressed);
    if (due === null) return null;
    const digest = (kind: number) => (kind * 0x1_000_000 + ++this.#made).toString(16).padStart(64, "a");
    const [curves, logs] = [digest(1), this.#made % 3 === 0 ? null : digest(2)];
    for (const one of [curves, logs]) if (one !== null) this.put(one);
    return {
      sweep: due.sweep,
      trials: due.trials.slice(0, 1 + (this.#made % 4)).map(({ trial }) => trial),
      curves,
      logs,
      bytes: 20,
      curvesTo: 9,
      logsTo: 9,
    };
  }

  note(made: MadeArchive): void {
    this.do({ kind: "archived", made });
  }
}

function begin(): ArchiveFold {
  const fold = new ArchiveFold();
  fold.open("ada", 1_000_000);
  fold.join("a", 2);
  fold.must("sweep-run", { spec: sweepSpec() });
  return fold;
}

function play(fold: ArchiveFold, { do: what, which }: { readonly do: string; readonly which: number }): void {
  const running = fold.running();
  switch (what) {
    case "finish":
      return which % 7 === 0
        ? fold.fail(running[0] ?? fold.trial("s1-1"))
        : fold.complete(running[which % 2], which / 50);
    case "archive": {
      fold.at += 3_000;
      const made = fold.make(which % 2 === 0);
      if (made !== null) fold.note(made);
      return;
    }
    case "late": {
      // Its leader dies before the event; another may have made it by the time it comes, if it ever does.
      const made = fold.make(true);
      if (made !== null) fold.pending.push(made);
      return;
    }
    case "twice": {
      const made = fold.pending[which % Math.max(1, fold.pending.length)];
      if (made !== undefined) fold.note(made);
      return;
    }
    case "sweep":
      fold.command("sweep-run", { spec: sweepSpec({ name: `n${which % 3}`, reuse: which % 2 === 0 }) });
      return;
    case "remove":
      fold.command(which % 3 === 0 ? "sweep-restore" : "sweep-remove", { sweep: `s${1 + (which % 3)}` });
      return;
  }
}

describe("archives", () => {
  test("ARCHIVE-1: every ended trial is in exactly one archive or waits for one, whoever makes it how often", () => {
    let archives = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 120, size: "max" }), (steps) => {
        const fold = begin();
        // The fold looks at every rule after each of them.
        for (const each of steps) play(fold, each);
        archives += fold.state.archives.size;
        fold.at += dayMs;
        for (let made = fold.make(false); made !== null; made = fold.make(false)) fold.note(made);
        assert.equal(fold.state.unarchived.size, 0, "after a while all are archived");
        const ended = [...fold.state.trials.values()].filter(
          ({ attempts, state }) => attempts.length > 0 && state !== "running" && state !== "queued",
        );
        const archived = [...fold.state.archives.values()].flatMap(({ trials }) => trials);
        assert.deepEqual(archived.toSorted(), ended.map(({ trial }) => trial).toSorted());
      }),
      { numRuns: 60, seed: 3 },
    );
    assert.ok(archives > 200, `${archives} archives were made on the way`);
  });

  test("ARCHIVE-1: the journal and the store of entities add up to the same", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 40, maxLength: 100, size: "max" }), (steps) => {
        const fold = begin();
        for (const each of steps) play(fold, each);
        const state = emptyState();
        for (const { at, event } of fold.events) apply(state, event, at);
        const stored = new Map<string, unknown>();
        for (const key of state.dirty) {
          const value = entityAt(state, key);
          if (value !== undefined) stored.set(key, JSON.parse(JSON.stringify(value)));
        }
        const loaded = loadState((prefix) =>
          [...stored].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)),
        );
        assert.equal(stateText(loaded), stateText(fold.state));
        assert.deepEqual(loaded.unarchived, fold.state.unarchived);
        assert.deepEqual(loaded.archivesOf, fold.state.archivesOf);
      }),
      { numRuns: 30, seed: 4 },
    );
  });

  test("ARCHIVE-3: curves are kept as long as their sweep, logs as long as the mesh says, and what no event names goes", () => {
    const fold = begin();
    fold.must("retention-set", { logsMs: 100 * dayMs, checkpoints: 0 });
    while (fold.running()[0] !== undefined) fold.complete(fold.running()[0], 0.5);
    fold.at += 10_000;
    const lost = fold.make(false);
    for (let made = fold.make(false); made !== null; made = fold.make(false)) fold.note(made);
    const archives = [...fold.state.archives.values()];
    const referred = () => referredTo({ state: fold.state, at: fold.at, retention: retentionOf(fold.state) });
    fold.pass(80 * dayMs);
    fold.restOfIt();
    for (const { curves = "", logs = curves } of archives)
      assert.ok(fold.stored.has(curves) && fold.stored.has(logs));
    assert.ok(!fold.stored.has(lost?.curves ?? ""), "of a leader that died before its event");
    fold.pass(40 * dayMs);
    fold.restOfIt();
    assert.ok(archives.some(({ logs }) => logs !== undefined));
    for (const { curves = "", logs } of archives) {
      assert.ok(fold.stored.has(curves) && referred().has(curves));
      assert.ok(
        logs === undefined || (!fold.stored.has(logs) && fold.state.gone.has(logs)),
        "and it is known",
      );
    }
    fold.must("sweep-remove", { sweep: "s1" });
    fold.pass(31 * dayMs);
    fold.restOfIt();
    for (const { curves = "" } of archives) assert.ok(!fold.stored.has(curves));
  });

  test("KEEP-1: what a sweep's own file keeps goes before what the mesh says, and holds for no other", () => {
    fc.assert(
      fc.property(
        fc.option(fc.nat({ max: 6 })),
        fc.option(fc.integer({ min: 1, max: 400 })),
        fc.nat({ max: 4 }),
        (checkpoints, days, usual) => {
          const fold = new ArchiveFold();
          fold.open("ada", 1_000_000);
          fold.join("a", 2);
          fold.must("retention-set", { checkpoints: usual, logsMs: 200 * dayMs });
          const keep = {
            ...(checkpoints === null ? null : { checkpoints }),
            ...(days === null ? null : { logsMs: days * dayMs }),
          };
          const search = { method: "random", trials: 8, seed: 1 } as const;
          fold.must("sweep-run", { spec: sweepSpec({ name: "own", search, keep }) });
          fold.must("sweep-run", { spec: sweepSpec({ name: "usual", search, trialSeed: 2 }) });
          for (let n = 1; fold.running()[0] !== undefined; n++) fold.complete(fold.running()[0], n / 50);
          fold.at += 10_000;
          for (let made = fold.make(false); made !== null; made = fold.make(false)) fold.note(made);
          const at = fold.at;
          fold.restOfIt();
          const kept = (sweep: string) =>
            [...fold.state.trials.values()].filter(
              (trial) => trial.sweep === sweep && fold.stored.has(trial.checkpoint?.digest ?? ""),
            ).length;
          // The best of all is always among them.
          assert.deepEqual([kept("s1"), kept("s2")], [Math.max(1, checkpoints ?? usual), Math.max(1, usual)]);
          for (const [sweep, logsDays] of [
            ["s1", days ?? 200],
            ["s2", 200],
          ] as const) {
            const archives = [...fold.state.archives.values()].filter((one) => one.sweep === sweep);
            assert.ok(archives.some(({ logs }) => logs !== undefined));
            for (const late of [-1, 1]) {
              const moment = {
                state: fold.state,
                at: at + logsDays * dayMs + late,
                retention: retentionOf(fold.state),
              };
              const referred = referredTo(moment);
              for (const { curves = "", logs } of archives) {
                assert.ok(referred.has(curves));
                if (logs !== undefined) assert.equal(referred.has(logs), late < 0);
              }
            }
          }
        },
      ),
      { numRuns: 40, seed: 11 },
    );
  });

  test("ARCHIVE-4: a sweep that goes on waits for many or for long, one that has ended does not", () => {
    const fold = begin();
    fold.complete(fold.running()[0], 0.1);
    const due = (isPressed = false) =>
      dueTrials(fold.state, fold.at, fold.settings, isPressed)?.trials.map(({ trial }) => trial) ?? [];
    assert.deepEqual(due(true), [], "its last words may be on their way");
    fold.at += fold.settings.archiveRestMs;
    assert.deepEqual(due(), []);
    assert.deepEqual(due(true), ["s1-1"]);
    fold.at += fold.settings.archiveEveryMs;
    assert.deepEqual(due(), ["s1-1"]);
    while (fold.running()[0] !== undefined) fold.complete(fold.running()[0], 0.5);
    fold.at += fold.settings.archiveRestMs;
    assert.equal(due().length, 6);
    assert.ok(archivedTogetherMax >= 256);
  });
});

const body = fc.oneof(
  fc.record({
    resource: fc.nat(),
    metrics: fc.dictionary(fc.string(), fc.double({ noNaN: true }), { maxKeys: 4 }),
  }),
  fc.record({ stream: fc.constantFrom("out", "err"), line: fc.string({ unit: "binary" }) }),
);
const said: fc.Arbitrary<Said> = fc.record({
  fence: fc.integer({ min: 1, max: 9 }),
  place: fc.nat(2),
  sequence: fc.nat(),
  storedAt: fc.nat({ max: 2 ** 45 }),
  body,
});
const trials = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 400 }), fc.array(said, { minLength: 1, maxLength: 12 })), {
    selector: ([number]) => number,
    maxLength: 40,
  })
  .map((all) => all.map(([number, one]) => ({ trial: `s1-${number}`, said: one })));

describe("an archive's bytes", () => {
  test("ARCHIVE-5: it gives back what each trial said, in order, and nothing for another", () => {
    fc.assert(
      fc.property(trials, fc.nat(), (all, to) => {
        const archive = TrialArchive.open(writeArchive(all, to));
        assert.ok(archive !== null);
        assert.equal(archive.to, to);
        const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
        for (const one of all) assert.deepEqual(plain(archive.read(one.trial)), plain(one.said));
        assert.deepEqual(archive.read("s2-1"), []);
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  test("ARCHIVE-5: bytes that are damaged or made up are no archive, or say so of a trial, and nothing throws", () => {
    fc.assert(
      fc.property(trials, fc.nat(), fc.integer({ min: 1, max: 255 }), (all, at, change) => {
        const bytes = Buffer.from(writeArchive(all, 7));
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ change;
        const archive = TrialArchive.open(bytes);
        for (const { trial } of all) archive?.read(trial);
        assert.equal(TrialArchive.open(bytes.subarray(0, at % 20)), null);
      }),
      { numRuns: 200, seed: 6 },
    );
  });

  test("ARCHIVE-5: of many small trials it takes less than 150 bytes each", () => {
    const many = Array.from({ length: archivedTogetherMax }, (_, n) => ({
      trial: `s1-${n + 1}`,
      said: Array.from({ length: 4 }, (_, epoch) => ({
        fence: n + 1,
        place: 0,
        sequence: n * 4 + epoch + 1,
        storedAt: 1_790_000_000_000 + n * 40 + epoch * 3,
        body: { resource: epoch + 1, metrics: { loss: 1 / (epoch + 2), accuracy: Math.sin(n + epoch) } },
      })),
    }));
    const { length } = writeArchive(many, 5_000);
    assert.ok(length / archivedTogetherMax < 150, `${length} bytes`);
  });
});
