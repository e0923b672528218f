/** A stated need of a Python's packages, from the file's words over placement to what people are told; and a change of what is there. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { PythonAnswer, PythonFacts } from "../../agent/program/ask-python.ts";
import { watchPython } from "../../agent/program/python-watch.ts";
import { sweepWhyViewOf } from "../../coordinator/view/sweep-why-answer.ts";
import { defaultSettings } from "../../coordinator/state/setting.ts";
import { activeAttempt } from "../../coordinator/state/state.ts";
import { readAnyFile, type AnyFileResult } from "../../spec/file/read-any-file.ts";
import { writeSweepFile } from "../../spec/file/write-sweep-file.ts";
import { models } from "../../training/catalog/model-catalog.ts";
import { capability, Fold, sweepSpec } from "../support/fold.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

function read(needs: string): AnyFileResult {
  const text = `name: needy
command: [python3, train.py, "\${args}"]
objective: { metric: score }
search: { trials: 2 }
parameters: { x: { distribution: uniform, min: 0, max: 1 } }
needs: ${needs}
`;
  return readAnyFile({ file: "/tmp/needy.yaml", text, environment: {}, models, codeVersion: "test 1" });
}

function needsOf(needs: string): unknown {
  const found = read(needs);
  assert.ok(found.ok, found.ok ? "" : JSON.stringify(found.problems));
  assert.ok(found.file.kind === "command");
  return found.file.sweep.onMesh.needs;
}

function problem(needs: string): string {
  const found = read(needs);
  assert.ok(!found.ok, `${needs} is taken`);
  return found.problems
    .map(({ field, line, message }) => `${line} ${field.join(".")}: ${message}`)
    .join("; ");
}

describe("NEED-1: a sweep file states what must be installed", () => {
  test("as a list, or a version of Python alone as ever", () => {
    assert.deepEqual(needsOf('{ python: [pandas, "torch>=2"] }'), { packages: ["pandas", "torch>=2"] });
    assert.deepEqual(needsOf('{ python: "3.11", cores: 2 }'), { python: "3.11", cores: 2 });
    assert.deepEqual(needsOf('{ python: ["python>=3.11,<3.13"] }'), { packages: ["python>=3.11,<3.13"] });
  });

  test("and is refused where it says nothing, with its line and what would be right", () => {
    assert.match(
      problem('{ python: [pandas, "torch=2"] }'),
      /^6 needs\.python\.1: torch: .*two equal signs.*looks like "torch>=2"/,
    );
    assert.match(problem("{ python: [] }"), /needs\.python: needs at least 1 entry/);
    assert.match(problem("{ python: 3.11 }"), /put it in quotes/);
    assert.match(
      problem("{ python: [3] }"),
      /needs\.python\.0: should be text, and 3 is a whole number here; put it in quotes/,
    );
    assert.match(
      problem("{ python: pandas }"),
      /a version looks like "3\.11"; what must be installed is a list, as in \[pandas\]/,
    );
    assert.match(
      problem("{ python: { pandas: 2 } }"),
      /needs\.python: should be text or a list, not a mapping/,
    );
    assert.match(problem("{ pyhton: [pandas] }"), /unknown key, did you mean "python"/);
    assert.match(problem("{ packages: [pandas] }"), /unknown key/);
  });

  test("extras are taken, and said not to be asked for", () => {
    const found = read('{ python: ["jax[cuda]>=0.4"] }');
    assert.ok(found.ok && found.file.kind === "command");
    assert.match(found.file.notes[0]?.message ?? "", /\[cuda\] is not asked for/);
  });

  test("what is written from a sweep is read as the same need", () => {
    for (const needs of ['{ python: [pandas, "torch>=2"] }', '{ python: "3.11", memGiB: 1 }']) {
      const found = read(needs);
      assert.ok(found.ok);
      const again = readAnyFile({
        file: "/tmp/needy.yaml",
        text: writeSweepFile(found.file),
        environment: {},
        models,
        codeVersion: "test 1",
      });
      assert.ok(again.ok && again.file.kind === "command");
      assert.deepEqual(again.file.sweep.onMesh.needs, needsOf(needs));
    }
  });
});

/** Machines with those packages, one slot each. */
function meshOf(machines: readonly (Readonly<Record<string, string>> | null)[]): Fold {
  const fold = new Fold();
  fold.open("ada", 10_000);
  for (const [index, packages] of machines.entries())
    fold.joinWith(`m${index}`, 1, {
      ...capability(),
      python: "3.12.4",
      ...(packages === null ? {} : { packages, environment: JSON.stringify(packages) }),
    });
  return fold;
}

const needing = (packages: string[], trials = 4) =>
  sweepSpec({ search: { method: "random", trials, seed: 1 }, needs: { packages } });

describe("NEED-4: only a machine that has what is needed gets a trial", () => {
  test("whatever the machines have, also after a change", () => {
    const packages = fc.dictionary(
      fc.constantFrom("pandas", "torch"),
      fc.constantFrom("1.5.3", "2.0", "2.1.0"),
      {
        noNullPrototype: true,
      },
    );
    const machine = fc.option(packages, { nil: null, freq: 5 });
    const has = (of: Readonly<Record<string, string>> | null) => Number(of?.["pandas"]?.[0] ?? 0) >= 2;
    fc.assert(
      fc.property(fc.array(machine, { minLength: 1, maxLength: 5 }), packages, (machines, later) => {
        const fold = meshOf(machines);
        const answer = fold.command("sweep-run", { spec: needing(["pandas>=2"], 12) });
        assert.equal(answer.ok, machines.some(has));
        if (!answer.ok) {
          assert.match(
            answer.refusal.message,
            /no known agent can run .* lacks python: needs pandas>=2, has /,
          );
          return;
        }
        // The first machine's set changes in mid-sweep, in the same run.
        const before = new Set([...fold.running()].map(({ trial }) => trial));
        fold.joinWith("m0", 1, { ...capability(), python: "3.12.4", packages: later, environment: "later" });
        const now = [later, ...machines.slice(1)];
        for (let trial = fold.running()[0]; trial !== undefined; trial = fold.running()[0]) {
          const agent = Number(activeAttempt(trial)?.agent.slice(1));
          assert.ok(has((before.has(trial.trial) ? machines : now)[agent] ?? null), `m${agent}`);
          fold.finish(trial, 0.5);
        }
        const waits = [...fold.state.trials.values()].some(({ state }) => state === "queued");
        assert.equal(waits, !now.some(has));
      }),
      { numRuns: 100 },
    );
  });

  test("an agent that says nothing of its packages has none that count, and is said to", () => {
    const answer = meshOf([null]).command("sweep-run", { spec: needing(["pandas"]) });
    assert.match(
      answer.ok ? "" : answer.refusal.message,
      /has a Python of which nobody knows what is installed/,
    );
  });
});

test("NEED-5: why a sweep waits counts the machines that lack what it needs, and names them", () => {
  const fold = meshOf([{ pandas: "2.1.0" }, { pandas: "1.5.3" }, {}]);
  fold.must("sweep-run", { spec: needing(["Pandas >= 2", "pandas<3"]) });
  const sweep = fold.state.sweeps.get("s1");
  assert.ok(sweep !== undefined);
  const sentence = sweepWhyViewOf(fold.state, sweep, defaultSettings).models[0]?.sentence ?? "";
  assert.match(
    sentence,
    /Every agent that fits is busy.* 2 of 3 agents lack what it needs of Python: m1 needs pandas>=2, has pandas 1\.5\.3; m2 needs pandas>=2, has no pandas, and needs pandas<3, has no pandas\.$/,
  );
  fold.do({ kind: "silent", agent: "m0" });
  const alone = sweepWhyViewOf(fold.state, sweep, defaultSettings);
  assert.match(alone.models[0]?.sentence ?? "", /No agent fits.* 2 of 3 agents lack/);
});

describe("NEED-6: a change of what is installed is noticed, once it is over", () => {
  const facts = (...names: string[]): PythonFacts => ({
    python: "3.12.4",
    packages: Object.fromEntries(names.map((name) => [name, "1"])),
    environment: names.join(" "),
  });

  function watched(first: PythonAnswer) {
    const clock = new VirtualClock();
    const told: PythonFacts[] = [];
    const place = { changed: "1" as string | null, answer: first, asked: 0, told, clock };
    const close = watchPython({
      first,
      clock,
      changedAt: () => Promise.resolve(place.changed),
      ask: () => {
        place.asked++;
        return Promise.resolve(place.answer);
      },
      onChange: (one) => told.push(one),
    });
    return { ...place, place, close };
  }
  const answer = (changed: string | null, ...names: string[]): PythonAnswer => ({
    facts: facts(...names),
    watched: [{ path: "/site-packages", changed }],
    late: false,
  });

  test("and while nothing changes nobody is asked", async () => {
    const { clock, close, place, told } = watched(answer("1", "pip"));
    await clock.advance(3_600_000);
    assert.equal(place.asked, 0);
    // An installation that goes on for a while.
    place.answer = answer("9", "pip", "pandas");
    for (let at = 2; at <= 9; at++) {
      place.changed = String(at);
      await clock.advance(2_000);
    }
    assert.equal(place.asked, 0);
    await clock.advance(4_000);
    assert.deepEqual([place.asked, told], [1, [facts("pip", "pandas")]]);
    await clock.advance(3_600_000);
    assert.equal(place.asked, 1);
    close();
    place.changed = "10";
    await clock.advance(60_000);
    assert.equal(place.asked, 1);
  });

  test("one that is gone is told as gone, one that is only late is not, and both are asked again", async () => {
    const { clock, close, place, told } = watched(answer("1", "pip"));
    place.changed = null;
    place.answer = { facts: { python: null }, watched: [], late: true };
    await clock.advance(10_000);
    assert.deepEqual([place.asked, told], [1, []]);
    place.answer = { facts: { python: null }, watched: [], late: false };
    await clock.advance(70_000);
    assert.deepEqual([place.asked, told], [2, [{ python: null }]]);
    place.answer = answer("5", "pip");
    place.changed = "5";
    await clock.advance(70_000);
    assert.deepEqual([place.asked, told.at(-1)], [3, facts("pip")]);
    await clock.advance(600_000);
    assert.equal(place.asked, 3);
    close();
  });
});
