/** A sweep's report, opened in a real browser and brushed with a real mouse; and the command that writes one. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { readPageParts } from "../../client/report/chart-library.ts";
import { parallelMargin } from "../../client/report/parallel-chart.ts";
import { reportPage } from "../../client/report/report-page.ts";
import { sweepInsight } from "../../coordinator/insight/sweep-insight.ts";
import { Browser, findChromium } from "../support/browser.ts";
import { CliMesh } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { sweptSpace, sweptView } from "../support/swept-view.ts";

const chromium = findChromium();
const skip = chromium === null ? "no Chromium on this machine" : false;
const chartIds = ["progress", "importance", "parallel", "order", "plane", "slice-0", "slice-1", "slice-4"];
const numberSchema = z.number();
const rectangleSchema = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });

describe("REPORT-1: a sweep's page draws and filters in a browser", { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-report-"));
  const view = sweptView();
  const insight = sweepInsight(view, { fasttext: sweptSpace });
  /** The table has each trial with a value, also those that the charts cannot compare. */
  const rows = view.trials.filter(({ value }) => value !== null).length;
  let browser: Browser;

  before(async () => {
    const file = join(folder, "s1.html");
    writeFileSync(file, reportPage(view, insight, readPageParts()));
    browser = await Browser.open(chromium ?? "", 1240, 1000);
    await browser.go(pathToFileURL(file).href);
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  /** Dots of a chart, which have a colour of their own. */
  const dots = (id: string) =>
    browser.evaluate(numberSchema, `document.querySelectorAll('#${id} svg path[fill="#2a7fb8"]').length`);
  const rowsShown = () =>
    browser.evaluate(numberSchema, `document.querySelectorAll("#best tbody tr:not([hidden])").length`);

  test("every chart has lines or dots, nothing was fetched and nothing went wrong", async () => {
    for (const id of chartIds) {
      const paths = await browser.evaluate(
        numberSchema,
        `document.querySelectorAll("#${id} svg path").length`,
      );
      assert.ok(paths > 4, `${id} has ${paths} paths`);
    }
    assert.equal(await dots("order"), insight.trials.length);
    assert.deepEqual(
      browser.requested.filter((url) => !url.startsWith("file:")),
      [],
    );
    assert.deepEqual(browser.complaints, []);
  });

  test("brushing an axis of the parallel coordinates leaves its trials everywhere, a click brings all back", async () => {
    const place = await browser.evaluate(
      rectangleSchema,
      `(() => { const e = document.getElementById("parallel"); e.scrollIntoView({ block: "center" });
        const { x, y, width, height } = e.getBoundingClientRect(); return { x, y, width, height }; })()`,
    );
    const first = insight.parameters[0]?.axis;
    assert.ok(first?.kind === "number" && first.log && first.name === "rate");
    const x = place.x + parallelMargin.left;
    const top = place.y + parallelMargin.top;
    const bottom = place.y + place.height - parallelMargin.bottom;
    // From a share of 0.55 of the axis up to its end; no trial is within a pixel of it.
    const from = 0.55;
    await browser.drag([x, bottom - from * (bottom - top)], [x, top]);
    const least = first.min * (first.max / first.min) ** from;
    const kept = insight.trials.filter(({ at }) => typeof at[0] === "number" && at[0] >= least);
    assert.ok(kept.length > 5 && kept.length < insight.trials.length - 5);
    assert.equal(await dots("order"), kept.length);
    assert.equal(await dots("slice-2"), kept.length);
    assert.equal(await rowsShown(), kept.length);
    const said = await browser.evaluate(z.string(), `document.getElementById("selection").textContent`);
    assert.equal(said, `${kept.length} of ${insight.trials.length} trials are shown.`);
    await browser.click([x, bottom - 0.2 * (bottom - top)]);
    assert.equal(await dots("order"), insight.trials.length);
    assert.equal(await rowsShown(), rows);
  });

  test("the best trials can be chosen without a mouse", async () => {
    const choose = (share: string) =>
      browser.evaluate(
        z.boolean(),
        `(() => { const keep = document.getElementById("keep"); keep.value = "${share}";
          return keep.dispatchEvent(new Event("change")); })()`,
      );
    await choose("0.1");
    assert.equal(await dots("order"), insight.trials.length / 10);
    const first = await browser.evaluate(
      z.string(),
      `document.querySelector("#best tbody tr:not([hidden])").dataset.trial`,
    );
    assert.equal(first, view.summary.best?.trial);
    await choose("1");
    assert.equal(await rowsShown(), rows);
  });

  test("best so far can be seen over trials, tokens and time", async () => {
    const axisNames = `[...document.querySelectorAll("#progress svg text")].map((text) => text.textContent)`;
    assert.ok((await browser.evaluate(z.array(z.string()), axisNames)).includes("finished trials"));
    await browser.evaluate(z.null(), `document.querySelector("input[value=tokens]").click() ?? null`);
    const names = await browser.evaluate(z.array(z.string()), axisNames);
    assert.ok(names.includes("tokens spent") && !names.includes("finished trials"), names.join(", "));
  });
});

describe("REPORT-2: the command writes a page", { skip: skipWithoutNats }, () => {
  const mesh = new CliMesh();
  after(() => mesh.close());

  test("of a sweep on a mesh; a sweep that is not there and a folder that is not there are refused", async () => {
    const up = mesh.start("one", "up", "--port", "0", "--name", "one", "--slots", "2");
    await up.saidLine(/mesh mesh is up/);
    const sweep = `name: reported
task: noop
search: {method: random, trials: 12, seed: 3}
stopping: {policy: none, max: 2}
models:
  noop: {x: {distribution: uniform, min: 0, max: 1}, milliseconds: 0}
`;
    const ran = await mesh.run("one", "sweep", "run", mesh.write("reported.yaml", sweep));
    assert.equal(ran.code, 0, ran.err);
    const file = join(mesh.folder, "report.html");
    const { code, out, err } = await mesh.run("one", "sweep", "report", "s1", "--html", file, "--json");
    assert.equal(code, 0, err);
    const written = z.object({ file: z.string(), bytes: z.number() }).parse(JSON.parse(out));
    assert.equal(written.file, file);
    assert.equal(written.bytes, readFileSync(file).length);
    assert.match(readFileSync(file, "utf8"), /<h1>Sweep s1 reported<\/h1>/);
    const absent = await mesh.run("one", "sweep", "report", "s9");
    assert.equal(absent.code, 1);
    assert.match(absent.err, /s9/);
    const nowhere = join(mesh.folder, "no", "such", "report.html");
    const unwritable = await mesh.run("one", "sweep", "report", "s1", "--out", nowhere);
    assert.equal(unwritable.code, 1);
    assert.match(unwritable.err, /--out of a page is called --html now; both are taken/);
    assert.ok(unwritable.err.includes(`${nowhere}: it cannot be written (ENOENT)`), unwritable.err);
    assert.equal(existsSync(nowhere), false);
  });
});
