// What a sweep has taught, on the terminal: the key, the drawings, the switch of the curve, and what fits where.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { lineChart } from "../../text/canvas/chart.ts";
import { layered } from "../../text/canvas/layers.ts";
import { axisColumnsMin, parallelChart } from "../../text/canvas/parallel.ts";
import type { Size } from "../../tui/screen-frame.ts";
import { importanceBars, sliceChart, trialLines } from "../../tui/screen/insight-charts.ts";
import { asciiGlyphs, unicodeGlyphs, type Glyphs } from "../../text/glyph.ts";
import { lineWidth } from "../../text/line.ts";
import { lineText } from "../support/line-text.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { insightFixture } from "../support/insight-fixture.ts";
import { driveScreen, type DrivenScreen } from "../support/tui-screen.ts";

async function withSweep(size: Size = { columns: 120, rows: 40 }, glyphs?: Glyphs): Promise<DrivenScreen> {
  const mesh = openFakeMesh();
  await mesh.launcher.submit({ file: "a.yaml", trials: "9", seed: "", models: "", max: "", budget: "" });
  mesh.advance();
  return driveScreen({ mesh, size, startWith: { sweep: "s1" }, ...(glyphs === undefined ? {} : { glyphs }) });
}

describe("what a sweep has taught", () => {
  it("TUI-INSIGHT-1: i shows importance, the best so far, the lines, slices and the words; i or escape goes back", async () => {
    const screen = await withSweep();
    for (const close of ["i", "escape", "q"]) {
      await screen.press("i");
      const text = screen.text();
      assert.match(text, /s1 a: what it has taught/);
      assert.match(text, /60 trials judged at epoch 3 are compared\./);
      assert.match(text, /10 more trials would cost about/);
      assert.match(text, /How it searches: Sobol points/);
      assert.match(text, /rate +█+.* +84%/);
      assert.match(text, /The best 20 trials, the best 5 bright/);
      assert.match(text, /macroF1 along rate \(log\)/);
      assert.match(text, /adam █+ +0\.9184 +29×/);
      await screen.press(close);
      assert.doesNotMatch(screen.text(), /what it has taught/);
      assert.match(screen.text(), /Sweeps 1\/1/);
    }
  });

  it("TUI-INSIGHT-1: the trials screen has it too, and the palette and the help name it", async () => {
    const screen = await withSweep();
    await screen.press("3", "i");
    assert.match(screen.text(), /s1 a: what it has taught/);
    await screen.press("escape", "?");
    assert.match(screen.text(), /i +What the selected sweep has taught/);
    await screen.press("escape", ":");
    await screen.type("taught");
    await screen.press("enter");
    assert.match(screen.text(), /60 trials judged/);
  });

  it("TUI-INSIGHT-2: tab goes through trials, tokens and time for the curve, and back", async () => {
    const screen = await withSweep();
    await screen.press("i");
    const curve = () => /over (.*?) ─/.exec(screen.text())?.[1];
    assert.equal(curve(), "[trials] tokens time");
    assert.match(screen.text(), /trial 1 +trial 120/);
    await screen.press("tab");
    assert.equal(curve(), "trials [tokens] time");
    assert.match(screen.text(), /240 tokens/);
    await screen.press("right");
    assert.equal(curve(), "trials tokens [time]");
    assert.match(screen.text(), /10 m 00 s/);
    await screen.press("tab", "shift+tab", "left");
    assert.equal(curve(), "trials [tokens] time");
    assert.deepEqual(
      screen.mesh.sent.map(({ name }) => name),
      ["launch"],
      "looking changes nothing",
    );
  });

  it("TUI-INSIGHT-3: a low or narrow terminal scrolls to what does not fit", async () => {
    const screen = await withSweep({ columns: 60, rows: 20 });
    await screen.press("i");
    assert.match(screen.text(), /Which parameters matter/);
    assert.doesNotMatch(screen.text(), /macroF1 along optimiser/);
    await screen.press("pagedown", "pagedown", "pagedown", "pagedown");
    assert.match(screen.text(), /macroF1 along optimiser/);
    await screen.press("pageup", "pageup", "pageup", "pageup", "pageup", "pageup", "pageup", "pageup");
    assert.match(screen.text(), /Which parameters matter/);
  });

  it("TUI-INSIGHT-3: every size and glyph set gets a frame that fits", async () => {
    for (const glyphs of [unicodeGlyphs, asciiGlyphs]) {
      const screen = await withSweep({ columns: 80, rows: 24 }, glyphs);
      await screen.press("i");
      const size = fc.record({
        columns: fc.integer({ min: 30, max: 220 }),
        rows: fc.integer({ min: 8, max: 70 }),
      });
      fc.assert(
        fc.property(size, fc.constantFrom("tab", "j", "k"), (each, key) => {
          screen.store.resize(each);
          screen.store.press(key);
          const { lines } = screen.store.frame();
          assert.equal(lines.length, each.rows);
          assert.ok(lines.every((row) => lineWidth(row) <= each.columns));
          const text = lines.map(lineText).join("\n");
          assert.match(text, /what it has taught/);
          if (glyphs.ascii) assert.match(text, /^[\n\u0020-\u007e]*$/);
        }),
        { numRuns: 100 },
      );
      screen.store.stop();
    }
  });

  it("TUI-INSIGHT-4: Y gives the command line that shows the same", async () => {
    const screen = await withSweep();
    await screen.press("i", "Y");
    assert.deepEqual(screen.copied, ["trialmesh sweep insight s1"]);
  });

  it("TUI-INSIGHT-4: it is asked for while it is open, every five seconds, and not otherwise", async () => {
    const screen = await withSweep();
    const times = () => screen.mesh.asked.filter((name) => name === "insight").length;
    await screen.clock.advance(3_000);
    assert.equal(times(), 0);
    await screen.press("i");
    assert.equal(times(), 1);
    await screen.clock.advance(10_000);
    assert.equal(times(), 3);
    await screen.press("escape");
    await screen.clock.advance(10_000);
    assert.equal(times(), 3);
  });
});

describe("its drawings", () => {
  const room = { width: 60, height: 9 };

  it("TUI-INSIGHT-5: bars that do not fit are summed up in the last row", () => {
    const importance = Array.from({ length: 10 }, (_, at) => ({ parameter: `p${at}`, share: 0.1 }));
    const rows = importanceBars(importance, { width: 30, height: 4 }, asciiGlyphs).map(lineText);
    assert.deepEqual(rows, [
      "p0   ##..................  10%",
      "p1   ##..................  10%",
      "p2   ##..................  10%",
      "7 more, together 70%",
    ]);
  });

  it("TUI-INSIGHT-5: each line crosses its axes where its values are, a gap where a parameter is inactive, the best on top", () => {
    const axes = ["x", "y", "z"].map((name) => ({ name, top: "1", bottom: "0" }));
    const lines = [
      { at: [1, 1, 1], bright: true },
      { at: [0, 0, 0], bright: false },
      { at: [null, 0.5, null], bright: false },
    ];
    const rows = parallelChart(axes, lines, { width: 3 * axisColumnsMin, height: 8 }, asciiGlyphs).map(
      lineText,
    );
    assert.deepEqual(rows, [
      "x          y          z          ",
      "1          1          1          ",
      "***********************",
      "|          |          |",
      "|          .          |",
      "|          |          |",
      ".......................",
      "0          0          0          ",
    ]);
  });

  it("TUI-INSIGHT-5: as many axes as fit, and nothing where two do not", () => {
    const view = insightFixture("s1");
    const heads = (width: number) =>
      lineText(trialLines(view, { width, height: 12 }, asciiGlyphs)[0] ?? [])
        .split(/\s+/)
        .filter((word) => word !== "");
    assert.deepEqual(heads(2 * axisColumnsMin), ["rate", "macroF1"]);
    assert.deepEqual(heads(4 * axisColumnsMin), ["rate", "optimiser", "depth", "macroF1"]);
    assert.deepEqual(heads(2 * axisColumnsMin - 1), []);
    assert.deepEqual(trialLines({ ...view, lines: [] }, room, asciiGlyphs), []);
  });

  it("TUI-INSIGHT-5: a category's bar is its best score, the shortest that of the worst", () => {
    const points = [
      { value: "a", score: 0.9 },
      { value: "a", score: 0.2 },
      { value: "b", score: 0.2 },
    ];
    const slice = {
      parameter: "kind",
      axis: { kind: "category" as const, categories: ["a", "b", "c"] },
      points,
    };
    const highest = (scores: readonly number[]) => Math.max(...scores);
    const rows = sliceChart(slice, { width: 40, height: 5 }, highest, asciiGlyphs).map(lineText);
    assert.match(rows[0] ?? "", /^a +#+ +0\.9000 +2x$/);
    assert.match(rows[1] ?? "", /^b +\.+ +0\.2000 +1x$/);
    assert.match(rows[2] ?? "", /^c +not among these$/);
    const lowest = (scores: readonly number[]) => Math.min(...scores);
    const [first = ""] = sliceChart(slice, { width: 40, height: 5 }, lowest, asciiGlyphs).map(lineText);
    assert.match(first, /^a +#+ +0\.2000 +2x$/);
  });

  it("TUI-INSIGHT-5: a scatter draws its points and no line, over the whole scale", () => {
    const points = [
      { x: 2, y: 0 },
      { x: 4, y: 1 },
    ];
    assert.deepEqual(
      lineChart(points, { width: 10, height: 4, scatter: true, xMin: 0, xMax: 6 }, asciiGlyphs),
      ["1 |    *", "  |", "0 |  *", "   0     6"],
    );
  });

  it("TUI-INSIGHT-5: an upper layer hides what is below it and nothing else", () => {
    const rows = layered(
      [
        { rows: ["abc"], tone: "dim" },
        { rows: [" x"], tone: "accent" },
      ],
      3,
      1,
    );
    assert.deepEqual(rows, [
      [
        { text: "a", tone: "dim" },
        { text: "x", tone: "accent" },
        { text: "c", tone: "dim" },
      ],
    ]);
  });
});
