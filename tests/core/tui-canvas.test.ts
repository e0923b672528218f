// Charts, bars and sparklines as strings, in both glyph sets.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { bar } from "../../text/canvas/bar.ts";
import { lineChart } from "../../text/canvas/chart.ts";
import { openDots } from "../../text/canvas/dots.ts";
import { sparkline } from "../../text/canvas/sparkline.ts";
import { asciiGlyphs, unicodeGlyphs } from "../../text/glyph.ts";
import { widthOf } from "../../text/width.ts";

describe("a bar", () => {
  const table: readonly [number, number, number, string, string][] = [
    [0, 10, 4, "░░░░", "...."],
    [10, 10, 4, "████", "####"],
    [5, 10, 4, "██░░", "##.."],
    [1, 10, 4, "▍░░░", "...."],
    [99, 100, 4, "███▉", "###."],
    [3, 0, 4, "░░░░", "...."],
    [20, 10, 4, "████", "####"],
    [1, 2, 0, "", ""],
  ];
  for (const [part, whole, width, unicode, ascii] of table) {
    it(`shows ${part} of ${whole} in ${width} columns as "${unicode}"`, () => {
      assert.equal(bar(part, whole, width, unicodeGlyphs), unicode);
      assert.equal(bar(part, whole, width, asciiGlyphs), ascii);
    });
  }
  it("looks full only when it is", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.nat(10_000),
        fc.integer({ min: 1, max: 60 }),
        (whole, part, width) => {
          const full = bar(part, whole, width, unicodeGlyphs) === "█".repeat(width);
          assert.equal(full, part >= whole);
          assert.equal(widthOf(bar(part, whole, width, unicodeGlyphs)), width);
        },
      ),
    );
  });
});

describe("a sparkline", () => {
  it("keeps the newest values, and leaves a blank where nothing is known", () => {
    assert.equal(sparkline([9, 9, 0, 0.5, null, 1], 4, 0, 1, unicodeGlyphs), "▁▅ █");
    assert.equal(sparkline([0, 0.5, null, 1], 4, 0, 1, asciiGlyphs), "_+ @");
  });
  it("draws what is out of range at the edge", () => {
    assert.equal(sparkline([-5, 5], 4, 0, 1, unicodeGlyphs), "▁█");
  });
});

describe("the dots of a canvas", () => {
  it("packs two by four dots into a braille character", () => {
    const dots = openDots(2, 1, false);
    dots.stroke(0, 0, 3, 3);
    assert.deepEqual(dots.rows(), ["⠑⢄"]);
  });
  it("ignores dots outside", () => {
    const dots = openDots(1, 1, true);
    dots.set(-1, 0);
    dots.set(0, 1);
    assert.deepEqual(dots.rows(), [""]);
  });
});

describe("a line chart", () => {
  const rising = [1, 2, 3, 4, 5].map((x) => ({ x, y: x * x }));

  it("labels both axes, highest value above", () => {
    assert.deepEqual(lineChart(rising, { width: 16, height: 5 }, asciiGlyphs), [
      "25 |          **",
      "   |        **",
      "   |     ***",
      " 1 |*****",
      "    1          5",
    ]);
  });
  it("holds a value until the next one where it is a step curve, to the right end of the axis", () => {
    const best = [
      { x: 1, y: 0.5 },
      { x: 3, y: 0.75 },
    ];
    assert.deepEqual(lineChart(best, { width: 16, height: 4, step: true, xMax: 5 }, asciiGlyphs), [
      "0.7500 |    ****",
      "       |    *",
      "0.5000 |*****",
      "        1      5",
    ]);
  });
  it("runs a flat curve through the middle", () => {
    const flat = [1, 2].map((x) => ({ x, y: 3 }));
    assert.deepEqual(lineChart(flat, { width: 10, height: 4 }, asciiGlyphs), [
      "  |",
      "3 |*******",
      "  |",
      "   1     2",
    ]);
  });
  it("draws nothing without points or room", () => {
    assert.deepEqual(lineChart([], { width: 40, height: 10 }, asciiGlyphs), []);
    assert.deepEqual(lineChart([{ x: 1, y: NaN }], { width: 40, height: 10 }, asciiGlyphs), []);
    assert.deepEqual(lineChart(rising, { width: 6, height: 10 }, asciiGlyphs), []);
    assert.deepEqual(lineChart(rising, { width: 40, height: 2 }, asciiGlyphs), []);
  });
  it("is never wider or higher than asked, whatever the points", () => {
    const points = fc.array(
      fc.record({ x: fc.double({ min: -1e6, max: 1e6, noNaN: true }), y: fc.double({ noNaN: false }) }),
      { maxLength: 30 },
    );
    const size = fc.record({
      width: fc.integer({ min: 1, max: 90 }),
      height: fc.integer({ min: 0, max: 20 }),
      step: fc.boolean(),
    });
    fc.assert(
      fc.property(points, size, fc.boolean(), (all, options, ascii) => {
        const rows = lineChart(all, options, ascii ? asciiGlyphs : unicodeGlyphs);
        assert.ok(rows.length === 0 || rows.length === options.height);
        for (const row of rows)
          assert.ok(widthOf(row) <= options.width, `"${row}" is wider than ${options.width}`);
      }),
    );
  });
});
