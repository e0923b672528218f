/** Inputs of the kind "newcomer" that once failed: see tests/support/case-place.ts. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { modelView, sweepView, trialView } from "../../protocol/view.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { testCases, type CasePlace } from "../support/case-place.ts";
import { onTerminal } from "../support/case-terminal.ts";

const up = "trialmesh up --detach --port 0";

async function ok(place: CasePlace, lines: string): Promise<string> {
  const { all, code, out } = await place.run(lines);
  assert.equal(code, 0, `${lines}\n${all}`);
  return out;
}

/** Two machines of one home each: the Python of the first lacks the package, that of the second has it. */
const missingHere = `set -e
beside=$(dirname "$TRIALMESH_HOME")
python3 -m venv --without-pip $beside/bare
python3 -m venv --without-pip $beside/full
printf 'import json\\ndef safe_load(text): return json.loads(text)\\n' > "$($beside/full/bin/python -c 'import site; print(site.getsitepackages()[0])')/yaml.py"
export TRIALMESH_PYTHON=$beside/bare/bin/python
trialmesh up --detach --port 0
code=$(trialmesh invite agent second | grep -o 'tm[34][^ ]*' | head -1)
TRIALMESH_HOME=$beside/second TRIALMESH_PYTHON=$beside/full/bin/python trialmesh agent --join "$code" --programs any > $beside/second.log 2>&1 &
trap "kill $!" EXIT
for i in $(seq 100); do trialmesh agents | grep -q '^second ' && break; sleep 0.2; done
trialmesh sweep run needs-yaml.yaml
trialmesh sweep show s1
trialmesh agents
trialmesh down`;

const languageId = join(projectFolder, "examples", "language-id.yaml");

/** An agent called den joins by an invitation; it ends with the shell. */
const joined = `trialmesh up --detach --port 0 --no-agent
beside=$(dirname "$TRIALMESH_HOME")
code=$(trialmesh invite agent den | grep -o 'tm[34][^ ]*' | head -1)
TRIALMESH_HOME=$beside/first trialmesh agent --join "$code" > $beside/first.log 2>&1 &
first=$!
trap "kill $first" EXIT
for i in $(seq 300); do grep -q lends $beside/first.log && break; sleep 0.2; done`;

const twoMachines = `${joined}
cat $beside/first.log
echo "=== the second"
TRIALMESH_HOME=$beside/second timeout 30 trialmesh agent --join "$code" 2>&1
sleep 1
tail -n 2 $beside/first.log
trialmesh agents`;

const revoked = `${joined}
for i in $(seq 50); do trialmesh agents | grep -q den && break; sleep 0.2; done
trialmesh agents
trialmesh revoke den
echo "=== revoked"
trialmesh agents`;

/** Tokens a sweep says that it spent, and the rest of that line. */
/** How many events are older than the marked one. */
function belowMark(screen: string): number {
  const [, at = "", of = ""] = /Events, newest first (\d+)\/(\d+)/u.exec(screen) ?? [];
  return Number(of) - Number(at);
}

function spentIn(text: string): { readonly spent: number; readonly line: string } {
  const found = /^tokens: ([\d.]+) spent.*$/mu.exec(text);
  assert.ok(found !== null, text);
  return { spent: Number(found[1]), line: found[0] };
}

testCases("newcomer", {
  "module-missing-here": async (place) => {
    const { all, code } = await place.run(missingHere);
    assert.equal(code, 0, all);
    const trials = [...all.matchAll(/^\s*s1-\d+\s+.*$/gm)].map(([line]) => line);
    assert.equal(trials.filter((line) => /completed/.test(line)).length, 6, all);
    assert.match(all, /lacks the Python module "yaml", which s1 needs/);
  },
  "budget-does-not-throttle": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0 --slots 3");
    assert.equal(up.code, 0, up.all);
    const { all, code } = await place.run("trialmesh sweep run throttle.yaml");
    // On a machine with much else to do the same work takes longer, and may cost more than the cap: then it is used up.
    const left = Number(/has come to its cap: its own cap has ([\d.]+) tokens left/u.exec(all)?.[1] ?? 50);
    assert.ok(code === 0 || (code === 3 && left < 20), all);
    const { out } = await place.run("trialmesh budget history owner");
    // None of the first takes more than its third of the sweep's 50 tokens. The third may need more where a probe under load took
    // its model for a dear one.
    const reserved = [...out.matchAll(/ reserve +([\d.]+) /gu)].map(([, amount]) => Number(amount));
    assert.ok(reserved.length >= 6, out);
    assert.ok(Math.max(...reserved.slice(0, 2)) <= 17, `${reserved.join()} are reserved`);
  },
  "first-line-of-a-sweep": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0 --slots 2");
    assert.equal(up.code, 0, up.all);
    const file = `
name: first-line
task: text-classification
dataset: language-id
objective: { metric: accuracy }
search: { method: auto, trials: 2 }
stopping: { policy: none, max: 1 }
models: { linear: {} }
`;
    const { all, code } = await place.run(
      `cat > first.yaml <<'END'${file}END\ntrialmesh sweep run first.yaml`,
    );
    assert.equal(code, 0, all);
    assert.doesNotMatch(all, /waiting/u);
  },
  "least-is-least": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0");
    assert.equal(up.code, 0, up.all);
    const small = await place.run("trialmesh sweep run least-small.yaml");
    assert.equal(small.code, 0, small.all);
    const { out } = await place.run("trialmesh sweep estimate least-large.yaml");
    const least = Number(/will cost about [\d.]+ tokens \(([\d.]+) to/u.exec(out)?.[1]);
    const large = await place.run("trialmesh sweep run least-large.yaml --beyond-budget");
    assert.equal(large.code, 0, large.all);
    const { spent } = spentIn(large.all);
    assert.ok(least > 0 && spent >= least, `${spent} were spent, ${least} was the least: ${out}`);
  },
  "rerun-is-free": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0");
    assert.equal(up.code, 0, up.all);
    const first = await place.run("trialmesh sweep run rerun.yaml");
    assert.equal(first.code, 0, first.all);
    const best = (text: string) => /^best model: .* of s\d+(-\d+, .*)$/mu.exec(text)?.[1];
    for (const again of ["second", "third"]) {
      const { all, code } = await place.run("trialmesh sweep run rerun.yaml");
      assert.equal(code, 0, all);
      assert.match(all, /will cost about 0\.0 tokens .*; 14 of them are on record and cost nothing/u);
      assert.equal(spentIn(all).spent, 0, again);
      assert.equal(best(all), best(first.all));
    }
  },
  "saved-is-true": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0 --programs own");
    assert.equal(up.code, 0, up.all);
    const stopped = await place.run("trialmesh sweep run slow-start.yaml");
    assert.equal(stopped.code, 0, stopped.all);
    const whole = await place.run("trialmesh sweep run slow-start-full.yaml");
    assert.equal(whole.code, 0, whole.all);
    const more = Math.max(0, spentIn(whole.all).spent - spentIn(stopped.all).spent);
    const saved = Number(/([\d.]+) saved by stopping/u.exec(stopped.all)?.[1] ?? 0);
    assert.ok(Math.abs(saved - more) <= 10, `${saved} is said to be saved, ${more} are`);
  },
  "profile-shows-the-data": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0");
    assert.equal(up.code, 0, up.all);
    const added = await place.run("trialmesh dataset add flats.yaml");
    assert.equal(added.code, 0, added.all);
    const { code, out, err } = await place.run("trialmesh dataset profile flats --html flats.html");
    assert.equal(code, 0, err);
    assert.match(out, /240 rows .*, 6 columns/u);
    assert.match(out, /^warn +80 +column garden has no value in 80 rows \(33\.3%\)/mu);
    assert.match(out, /^built +DATE +0% .*2000-\d\d-\d\d.*2023-\d\d-\d\d/mu);
    assert.match(out, /^heating +characters +19\.2%/mu);
    assert.match(out, /^area +BIGINT +8\.3%/mu);
    assert.match(out, /^zip +80331 +53/mu);
    assert.match(out, /^heating +4 columns, one for each value/mu);
    assert.doesNotMatch(out, /heating=/u);
  },
  "progress-bar-in-the-log": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0 --programs own");
    assert.equal(up.code, 0, up.all);
    const { all } = await place.run("trialmesh sweep run bar.yaml; trialmesh trial logs s1-1 --limit 100000");
    const logged = all.split("\n").filter((line) => / (?:out|err) \| /u.test(line));
    assert.deepEqual(
      logged.map((line) => line.replace(/^.* \| /u, "")),
      ["training  99% 2299/2300", "saved to model.bin", "score=0.9"],
      all,
    );
  },
  "question-marks": async (place) => {
    const { code, all } = await place.run("trialmesh dataset preview question-marks.yaml");
    assert.notEqual(code, 0);
    assert.match(
      all,
      /column area: 10 of 90 values are "\?"; if that means there is none, say missing: \["\?"\] in the source/u,
    );
    assert.doesNotMatch(all, /rename/u);
  },
  "alias-not-to-the-worse": async (place) => {
    await ok(place, up);
    await ok(place, "trialmesh sweep run alias-good.yaml");
    const poor = await place.run("trialmesh sweep run alias-poor.yaml");
    assert.equal(poor.code, 0, poor.all);
    assert.match(poor.out, /registered: tongues@2; tongues@champion stays at version 1, for its accuracy of/);
    assert.match(poor.out, /`trialmesh model promote tongues@2 champion` moves it/);
    assert.match(await ok(place, "trialmesh model ls"), /^tongues +2 +champion=1 /m);
    const always =
      "sed -i 's/alias: champion }/alias: champion, move: always }/; s/max: 1/max: 2/' alias-poor.yaml";
    await ok(place, `${always}; trialmesh sweep run alias-poor.yaml`);
    assert.match(await ok(place, "trialmesh model ls"), /^tongues +3 +champion=3 /m);
  },
  "best-epoch-is-kept": async (place) => {
    await ok(place, up);
    await ok(place, "trialmesh sweep run past-best.yaml");
    const sweep = sweepView.parse(JSON.parse(await ok(place, "trialmesh sweep show s1 --best --json")));
    const [winner] = sweep.trials;
    const { versions } = modelView.parse(
      JSON.parse(await ok(place, "trialmesh model show past-best --json")),
    );
    const [version] = versions;
    assert.ok(winner !== undefined && version !== undefined);
    const curve = winner.rungs.map(({ value }) => value);
    assert.ok(winner.best !== undefined, "its best epoch was kept");
    assert.ok(
      curve.every((value) => value >= (winner.best?.value ?? Number.NaN)),
      "no rung was better",
    );
    assert.deepEqual(
      { trial: version.trial, epoch: version.epoch, value: version.value, artifact: version.artifact },
      {
        trial: winner.trial,
        epoch: winner.best.resource,
        value: winner.best.value,
        artifact: winner.artifact,
      },
    );
    assert.deepEqual(sweep.summary.best?.value, winner.best.value);
    const shown = trialView.parse(JSON.parse(await ok(place, `trialmesh trial show ${winner.trial} --json`)));
    assert.equal(shown.value, winner.best.value);
    const report = await ok(place, "trialmesh model report past-best");
    assert.match(report, new RegExp(`, epoch ${winner.best.resource}\n`));
    assert.match(report, /^test: /m);
    // From the record, it is the same version again.
    await ok(
      place,
      "sed -i 's/name: past-best/name: again/' past-best.yaml; trialmesh sweep run past-best.yaml",
    );
    const again = sweepView.parse(JSON.parse(await ok(place, "trialmesh sweep show s2 --best --json")));
    assert.equal(again.summary.best?.value, winner.best.value);
    assert.equal(again.summary.registered?.version, 1);
  },
  "registry-shows-the-judged-metric": async (place) => {
    await ok(place, up);
    await ok(
      place,
      "sed 's/metric: accuracy/metric: macroF1/' alias-good.yaml > f1.yaml; trialmesh sweep run f1.yaml",
    );
    assert.match(
      await ok(place, "trialmesh model ls"),
      /^tongues +1 +champion=1 +linear of s1-1 +macroF1 0\./m,
    );
  },
  "report-names-the-winner": async (place) => {
    await ok(place, up);
    await ok(place, "trialmesh sweep run rerun.yaml");
    await ok(place, "trialmesh sweep report s1 --out report.html");
    const { summary, trials } = sweepView.parse(
      JSON.parse(await ok(place, "trialmesh sweep show s1 --best --json")),
    );
    const page = readFileSync(join(place.path, "report.html"), "utf8");
    const [, first] = /<table id="best">.*?<tbody><tr data-trial="([^"]+)">/s.exec(page) ?? [];
    assert.equal(first, summary.best?.trial);
    assert.equal(trials[0]?.trial, summary.best?.trial);
    assert.equal(trials[0]?.value, summary.best?.value);
    assert.ok(page.includes(`<tr data-trial="${first}"><th scope="row">${first}</th>`), "its row");
    const row = page.split(`data-trial="${first}"`)[1]?.split("</tr>")[0] ?? "";
    const cells = [...row.matchAll(/>([\d.]+)</gu)].map(([, cell]) => Number(cell));
    const value = Number(summary.best?.value.toFixed(4));
    assert.ok(cells.includes(value), `its value is ${value}, its row has ${cells.join()}`);
  },
  "as-nobody": async (place) => {
    await ok(place, up);
    await ok(place, "trialmesh account open team-a");
    for (const more of ["", "--beyond-budget"]) {
      const { code, all } = await place.run(
        `trialmesh sweep run "${languageId}" --as tema-a --trials 1 ${more}`,
      );
      assert.equal(code, 1, all);
      assert.match(all, /nobody named "tema-a" .* no account is open .*did you mean "team-a"/u);
      assert.match(all, /trialmesh account open tema-a/u);
    }
    assert.doesNotMatch(await ok(place, "trialmesh budget show"), /tema-a/u);
  },
  "up-twice": async (place) => {
    await ok(place, up);
    const again = await place.run(up);
    assert.ok(again.code === 0 || again.code === 1, again.all);
    assert.match(again.all, /is up already .*nats:\/\/127\.0\.0\.1:\d+/u);
  },
  "grant-to-open-account": async (place) => {
    await ok(place, up);
    await ok(place, "trialmesh account open lab-b --grant 40");
    const { all } = await place.run("trialmesh account open lab-b --grant 25");
    assert.match(all, /lab-b is open already/u);
    assert.match(all, /trialmesh budget grant lab-b 25/u);
    assert.match(await ok(place, "trialmesh budget show"), /^account +lab-b, .*\ntokens +40\.0 granted, /mu);
  },
  "register-in-a-command-file": async (place) => {
    const { code, all } = await place.run("trialmesh sweep lint register-program.yaml");
    assert.notEqual(code, 0);
    assert.match(all, /register.*is for trialmesh's own models.*a program keeps its best by/u);
    assert.doesNotMatch(all, /did you mean/u);
  },
  "port-out-of-range": async (place) => {
    for (const command of ["up", "up --detach", "demo"]) {
      const { code, all } = await place.run(`trialmesh ${command} --port 99999`);
      assert.equal(code, 2, all);
      assert.match(all, /--port.* is 1 to 65535 \(or 0 for a free one\), not "?99999/u);
    }
  },
  "start-with-port-taken": async (place) => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    assert.ok(address !== null && typeof address === "object");
    try {
      const { code, all } = await place.run(`trialmesh demo --port ${address.port}`);
      assert.equal(code, 0, all);
      assert.match(all, new RegExp(`port ${address.port} is taken here; taking a free one`));
      assert.match(all, /the mesh of .* is down again/u);
      const after = await place.run("trialmesh sweep ls");
      assert.equal(after.code, 1, after.all);
      assert.match(after.all, /is down .*`trialmesh up --detach` starts it again/u);
      const free = await place.run("trialmesh demo --port 0");
      assert.equal(free.code, 0, free.all);
    } finally {
      other.close();
    }
  },
  "one-line-two-machines": async (place) => {
    const { all } = await place.run(twoMachines);
    const [first = "", second = ""] = all.split("=== the second");
    assert.match(first, /lends/u, all);
    assert.match(second, /this invitation was used by \S+ as den/u, all);
  },
  "after-revoke": async (place) => {
    const { all } = await place.run(revoked);
    const [before = "", after = ""] = all.split("=== revoked");
    assert.match(before, /^den /mu, all);
    const line = /^den .*$/mu.exec(after)?.[0];
    assert.ok(line === undefined || /revoked/u.test(line), all);
    assert.doesNotMatch(line ?? "", /silent|\d%/u);
  },
  "small-terminal": async (place) => {
    await ok(place, up);
    await onTerminal(place, { columns: 80, rows: 24 }, async (terminal) => {
      for (const screen of ["1", "2", "3", "4", "5", "6", "7"]) {
        terminal.keys(screen);
        const text = await terminal.until(new RegExp(`\\[${screen} `, "u"));
        const lines = text.trimEnd().split("\n");
        assert.match(lines.at(-1) ?? "", /\? help +q quit/u, text);
        for (const other of ["1", "2", "3", "4", "5", "6", "7"])
          assert.match(lines[0] ?? "", new RegExp(`(?:^|[ [])${other}`, "u"), text);
      }
    });
  },
  "tui-events-move": async (place) => {
    await ok(place, up);
    await ok(place, `trialmesh sweep run "${languageId}" --models linear --trials 3 --max 3`);
    await onTerminal(place, { columns: 120, rows: 40 }, async (terminal) => {
      terminal.keys("7");
      await terminal.until(/Events, newest first 1\/\d{2}/u);
      terminal.keys("j");
      // The mark stays at its event while new ones come in above it: what is counted is how many are below.
      let below = belowMark(await terminal.until(/Events, newest first [2-9]\d*\//u));
      const moves = async (key: string, by: number): Promise<string> => {
        terminal.keys(key);
        below += by;
        return terminal.until((screen) => belowMark(screen) === below);
      };
      for (const key of ["Down", "j", "Down", "j"]) await moves(key, -1);
      const shown = await moves("k", 1);
      const times = [...shown.matchAll(/^. .*?(\d\d:\d\d:\d\d)/gmu)].map(([, time]) => time);
      assert.ok(times.length > 3, shown);
      for (const [index, time] of times.entries())
        assert.ok(time !== undefined && time <= (times[index - 1] ?? time), "newest first");
    });
  },
  "tui-log-scrolls": async (place) => {
    await ok(place, "trialmesh up --detach --port 0 --programs own");
    await ok(place, "trialmesh sweep run long-log.yaml");
    await onTerminal(place, { columns: 120, rows: 40 }, async (terminal) => {
      const seen = new Set<number>();
      const look = (screen: string): void => {
        for (const [, n] of screen.matchAll(/line (\d+) of the log/gu)) seen.add(Number(n));
      };
      terminal.keys("3");
      await terminal.until(/s1-1/u);
      terminal.keys("L");
      look(await terminal.until(/line 75 of the log/u));
      terminal.keys("Home");
      look(await terminal.until(/line 1 of the log/u));
      for (let n = 0; n < 76 && seen.size < 75; n++) {
        const before = terminal.screen();
        terminal.keys("Down");
        for (let wait = 0; wait < 20 && terminal.screen() === before; wait++) await delay(20);
        look(terminal.screen());
      }
      assert.equal(seen.size, 75);
      terminal.keys("Home");
      // Beside the list it begins in the middle of the terminal, and alone at its left edge.
      await terminal.until(/^.{20,}Log of s1-1/mu);
      terminal.keys("+");
      await terminal.until(/^. Log of s1-1/mu);
    });
  },
  "readme-next-command": async (place) => {
    const readme = readFileSync(join(projectFolder, "README.md"), "utf8");
    const block = /^trialmesh up --detach[^]*?^```$/mu.exec(readme)?.[0] ?? assert.fail("its first block");
    const lines = block.replace("```", "").replace("up --detach", "up --detach --port 0");
    const first = await place.run("trialmesh demo --port 0");
    assert.equal(first.code, 0, first.all);
    const out = await ok(place, `cd "${projectFolder}"\n${lines}`);
    // The last one shows the sweep that the reader just ran, of three linear models.
    const [, shown = ""] = /trialmesh sweep show (s\d+)/u.exec(lines) ?? [];
    const { trials } = sweepView.parse(JSON.parse(await ok(place, `trialmesh sweep show ${shown} --json`)));
    assert.deepEqual(
      new Set(trials.map(({ trial, model }) => `${trial} ${model}`)),
      new Set([1, 2, 3].map((n) => `${shown}-${n} linear`)),
      out,
    );
    const asked = /trialmesh trial why (\S+)/u.exec(readme);
    assert.equal(asked, null, "why says nothing of a trial that has ended");
  },
});
