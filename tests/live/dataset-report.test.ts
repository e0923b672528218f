/** The pages of a profile and of a diff, built from made data that tries to break out of them, opened in a real browser. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { readPageParts } from "../../client/report/chart-library.ts";
import { diffPage } from "../../client/report/dataset/diff-page.ts";
import { profilePage } from "../../client/report/dataset/profile-page.ts";
import { buildDataset } from "../../data/version/build-dataset.ts";
import { declarationSchema } from "../../data/declaration/declaration.ts";
import { diffDatasets } from "../../data/drift/diff-datasets.ts";
import { profileVersion } from "../../data/profile/profile-version.ts";
import { versionLabelErrors } from "../../data/quality/version-label-errors.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { Browser, findChromium } from "../support/browser.ts";

const chromium = findChromium();
const skip = chromium === null ? "no Chromium on this machine" : false;
const hostile = `<script>window.broken = 1</script><img src=x onerror="window.broken = 2">`;
const hostileLabel = `"><img/src=x/onerror=window.broken=3>`;
const chartSchema = z.array(
  z.object({ id: z.string(), paths: z.number(), width: z.number(), height: z.number() }),
);
const chartsDrawn = `[...document.querySelectorAll(".chart")].map((chart) => ({ id: chart.id,
  paths: chart.querySelectorAll("svg path").length, width: chart.clientWidth, height: chart.clientHeight }))`;
/** Shows the tip of the first bar of every chart, as a mouse would. */
const showTips = `[...document.querySelectorAll(".chart")].filter((chart) =>
  { echarts.getInstanceByDom(chart).dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: 0 }); return true; }).length`;

function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return outcome.value;
}

/** Sentences that tell their label, the same one twice, one under both labels, and some that mean harm. */
function sentences(opening: string): string {
  const lines = Array.from({ length: 120 }, (_, at) => {
    const good = at % 2 === 0;
    const words = good ? ["fine", "lovely", "warm"] : ["dull", "bitter", "cold"];
    return `${good ? "good" : hostileLabel} ${opening} number ${String.fromCodePoint(97 + (at % 26))}${String.fromCodePoint(97 + (at % 7))} is ${words[at % 3] ?? ""} and ${words[(at + 1) % 3] ?? ""}`;
  });
  return [
    ...lines,
    `good ${opening} twice said`,
    `good ${opening} twice said`,
    `good ${opening} torn apart`,
    `${hostileLabel} ${opening} torn apart`,
    `good ${hostile}`,
    `good ${hostile} `,
    `good write to someone@example.org`,
  ].join("\n");
}

describe(
  "REPORT-7: pages of data draw, need nothing and run nothing of what stands in the data",
  { skip },
  () => {
    const folder = mkdtempSync(join(tmpdir(), "trialmesh-data-report-"));
    const options = { workDir: folder, threads: 1, memoryMiB: 256 };
    const page = (name: string) => pathToFileURL(join(folder, `${name}.html`)).href;
    let browser: Browser;

    before(async () => {
      const versions = [];
      for (const opening of ["film", "meal"]) {
        const place = join(folder, opening);
        mkdirSync(place);
        const path = join(place, `${opening} <b>.txt`);
        writeFileSync(path, sentences(opening));
        const declaration = declarationSchema.parse({
          name: opening,
          sources: [{ format: "labelled-lines", path }],
          form: { kind: "text", text: "text", label: "label" },
        });
        versions.push(value(await buildDataset(declaration, { workDir: place })));
      }
      const [film, meal] = versions;
      assert.ok(film !== undefined && meal !== undefined);
      const profile = value(await profileVersion(film.path, film.digest, options));
      const errors = value(await versionLabelErrors(film.path, { ...options, most: 50 }));
      const parts = readPageParts();
      writeFileSync(join(folder, "profile.html"), profilePage(profile, errors, parts));
      writeFileSync(
        join(folder, "diff.html"),
        diffPage(value(await diffDatasets(film, meal, options)), parts),
      );
      browser = await Browser.open(chromium ?? "", 1240, 1000);
    });
    after(async () => {
      await browser?.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });

    const charts = {
      profile: ["labels", "column-0-characters", "column-0-words", "languages"],
      diff: ["drift", "stability", "labels", "share-0", "share-1", "share-2"],
    } as const;
    for (const name of ["profile", "diff"] as const) {
      test(`the ${name}: every chart is drawn, nothing is fetched, nothing of the data runs`, async () => {
        await browser.go(page(name));
        const drawn = await browser.evaluate(chartSchema, chartsDrawn);
        assert.deepEqual(
          drawn.map(({ id }) => id),
          charts[name],
        );
        for (const { height, id, paths, width } of drawn) {
          assert.ok(
            paths > 2 && width > 250 && height > 100,
            `${id} has ${paths} paths in ${width} by ${height}`,
          );
        }
        assert.equal(await browser.evaluate(z.number(), showTips), drawn.length);
        assert.equal(await browser.evaluate(z.string(), `String(window.broken)`), "undefined");
        assert.equal(
          await browser.evaluate(z.number(), `document.querySelectorAll("img, main script").length`),
          0,
        );
        assert.deepEqual(
          browser.requested.filter((url) => !url.startsWith("file:")),
          [],
        );
        assert.deepEqual(browser.complaints, []);
      });

      test(`the ${name}: on 400 pixels nothing is wider than the page, tables scroll by keyboard`, async () => {
        await browser.send("Emulation.setDeviceMetricsOverride", {
          width: 400,
          height: 900,
          deviceScaleFactor: 1,
          mobile: false,
        });
        await browser.go(page(name));
        const width = await browser.evaluate(z.number(), `document.documentElement.scrollWidth`);
        assert.ok(width <= 400, `the page is ${width} wide`);
        const closed = `[...document.querySelectorAll("table")].filter((table) => table.parentElement.tabIndex !== 0).length`;
        assert.equal(await browser.evaluate(z.number(), closed), 0);
        await browser.send("Emulation.clearDeviceMetricsOverride");
      });
    }

    test("the profile names what is wrong, by file and line", async () => {
      await browser.go(page("profile"));
      const text = await browser.evaluate(z.string(), `document.querySelector("main").innerText`);
      for (const wanted of [
        "film <b>.txt:123",
        "film <b>.txt:124",
        "Conflicting labels",
        "Duplicates",
        "torn apart",
        hostile,
      ]) {
        assert.ok(text.includes(wanted), `${wanted} is not in the page`);
      }
    });

    test("the diff says what has drifted and by which figure", async () => {
      await browser.go(page("diff"));
      const text = await browser.evaluate(z.string(), `document.querySelector("main").innerText`);
      assert.match(text, /the texts have drifted: a classifier tells the two apart with an AUC of (0\.9|1)/);
      assert.match(text, /film, meal|meal, film/);
    });
  },
);
