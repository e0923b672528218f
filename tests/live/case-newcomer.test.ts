/** Inputs of the kind "newcomer" that once failed: see tests/support/case-place.ts. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { modelView, sweepView, trialView } from "../../protocol/view.ts";
import { testCases, type CasePlace } from "../support/case-place.ts";

const up = "trialmesh up --detach --port 0";

async function ok(place: CasePlace, lines: string): Promise<string> {
  const { all, code, out } = await place.run(lines);
  assert.equal(code, 0, `${lines}\n${all}`);
  return out;
}

testCases("newcomer", {
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
    const value = summary.best?.value.toFixed(4) ?? "none";
    assert.ok(page.includes(`<tr data-trial="${first}"><th scope="row">${first}</th>`), "its row");
    assert.ok(page.split(`data-trial="${first}"`)[1]?.includes(`>${value}<`), `its value is ${value}`);
  },
});
