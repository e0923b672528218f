/** The report as text: whole, self-contained, and safe whatever people call their things. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawnMost, drawnTrials } from "../../client/report/drawn-trials.ts";
import { gainSentence } from "../../coordinator/insight/predicted-gain.ts";
import { reportPage } from "../../client/report/report-page.ts";
import { sweepInsight } from "../../coordinator/insight/sweep-insight.ts";
import type { SweepView } from "../../protocol/view.ts";
import { sweptSpace, sweptView } from "../support/swept-view.ts";

const parts = { library: "/* the library */", script: "/* the script */", style: "/* the style */" };
const swept = sweptView();
const insight = sweepInsight(swept, { fasttext: sweptSpace });
const page = (view: SweepView) => reportPage(view, sweepInsight(view, { fasttext: sweptSpace }), parts);

test("REPORT-3: a page loads nothing: no address in it, and a policy against all of them", () => {
  const html = reportPage(swept, insight, parts);
  assert.doesNotMatch(html, /https?:|\bsrc=|\bhref=|@import|url\(/);
  assert.match(html, /Content-Security-Policy" content="default-src 'none'/);
});

test("REPORT-3: names and values of parameters cannot become markup", () => {
  const view = sweptView(40);
  const evil = `</script><img src=x onerror=alert(1)>"'&`;
  const html = page({
    ...view,
    summary: { ...view.summary, metric: evil, task: evil },
    trials: view.trials.map((trial) => ({
      ...trial,
      params: { ...trial.params, [evil]: trial.number % 2 === 0 ? evil : "plain" },
    })),
  });
  assert.equal(html.includes("<img"), false);
  // The library, the data and the script each end once.
  assert.equal(html.split("</script>").length - 1, 3);
  const data = /<script type="application\/json" id="data">(.*)<\/script>/.exec(html)?.[1] ?? "";
  assert.ok(JSON.stringify(JSON.parse(data)).includes(JSON.stringify(evil).slice(1, -1)));
});

test("REPORT-4: a page says what was spent, saved by stopping and by reuse, and lists every trial with a value", () => {
  const html = reportPage(swept, insight, parts);
  for (const text of ["240.0", "31.0 tokens that trials stopped early", "12.0 tokens: 4 trials answered"]) {
    assert.ok(html.includes(text), text);
  }
  const valued = swept.trials.filter(({ value }) => value !== null);
  assert.equal(html.match(/<tr data-trial=/g)?.length, valued.length);
  const order = [...html.matchAll(/<tr data-trial="(s1-\d+)"/g)].map(([, trial]) => trial);
  assert.equal(order[0], swept.summary.best?.trial);
});

test("REPORT-4: a sweep without a result gives a page without charts, not an error", () => {
  const view = sweptView(0);
  const html = page({ ...view, summary: { ...view.summary, best: null } });
  assert.match(html, /none yet/);
  assert.doesNotMatch(html, /class="chart/);
});

test("REPORT-5: the sentence on what to expect speaks of stopping only where the gain is small", () => {
  assert.match(gainSentence(null, "loss"), /^Too few trials/);
  const gain = { gain: 0.01, chance: 0.25, cost: 20_000, suggestStop: false };
  assert.equal(
    gainSentence(gain, "loss"),
    "10 more trials would cost about 20.0 tokens and improve loss by 0.01 on average; the chance of any improvement is 25 in 100.",
  );
  assert.match(gainSentence({ ...gain, suggestStop: true }, "loss"), /: it may be time to stop\.$/);
});

test("REPORT-6: of very many trials a page draws a bounded number, the best among them, and says so", () => {
  const many = Array.from({ length: drawnMost + 50 }, (_, at) => {
    const [trial] = insight.trials;
    assert.ok(trial !== undefined);
    return { ...trial, trial: `s1-${at + 1}`, number: at + 1, value: (at * Math.SQRT2) % 1 };
  });
  const drawn = drawnTrials(many, "maximize");
  assert.equal(drawn.length, drawnMost);
  const ranked = many.toSorted((a, b) => b.value - a.value);
  for (const one of ranked.slice(0, drawnMost / 2)) assert.ok(drawn.includes(one));
  assert.match(reportPage(swept, { ...insight, trials: many }, parts), /hold 2000 of 2050 trials/);
  assert.equal(drawnTrials(many.slice(0, drawnMost), "maximize").length, drawnMost);
});
