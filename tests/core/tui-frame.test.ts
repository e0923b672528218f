// Every screen at every size: never wider or taller than the terminal, ASCII where only ASCII is wanted.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { columnsMin, rowsMin, type Size } from "../../tui/screen-frame.ts";
import { asciiGlyphs, unicodeGlyphs } from "../../text/glyph.ts";
import { lineWidth } from "../../text/line.ts";
import { lineText } from "../support/line-text.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { driveScreen, type DrivenScreen } from "../support/tui-screen.ts";

const sizes: readonly Size[] = [
  { columns: 40, rows: 12 },
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 200, rows: 60 },
];
/** Ways to every screen and overlay. */
const ways: readonly (readonly string[])[] = [
  ["1"],
  ["2"],
  ["2", "tab"],
  ["2", "tab", "+"],
  ["3"],
  ["w"],
  ["L"],
  ["4"],
  ["4", "tab", "j", "p"],
  ["5", "tab"],
  ["6", "tab"],
  ["7"],
  ["?"],
  [":"],
  ["n"],
  ["n", "down", "x"],
  ["2", "x"],
  ["2", "y"],
  ["2", "y", "+"],
  ["2", "i"],
  ["2", "i", "tab", "pagedown"],
  ["2", "P"],
  ["6"],
  ["6", "a"],
  ["1", "c"],
  ["Y"],
];

async function screenWithSweep(ascii: boolean, size: Size): Promise<DrivenScreen> {
  const mesh = openFakeMesh();
  await mesh.launcher.submit({
    file: "naïve-日本.yaml",
    trials: "30",
    seed: "",
    models: "",
    max: "",
    budget: "",
  });
  for (let step = 0; step < 8; step++) mesh.advance();
  return driveScreen({ mesh, size, glyphs: ascii ? asciiGlyphs : unicodeGlyphs, startWith: { sweep: "s1" } });
}

function fits(screen: DrivenScreen, size: Size, what: string): void {
  const { lines } = screen.store.frame();
  const small = size.columns < columnsMin || size.rows < rowsMin;
  assert.equal(lines.length, small ? 1 : size.rows, `${what}: rows`);
  for (const each of lines) {
    assert.ok(lineWidth(each) <= size.columns, `${what}: "${lineText(each)}" is wider than ${size.columns}`);
  }
}

for (const size of sizes) {
  for (const ascii of [false, true]) {
    describe(`at ${size.columns}x${size.rows} with ${ascii ? "ASCII" : "Unicode"}`, () => {
      it("every screen and overlay fits", async () => {
        for (const way of ways) {
          const screen = await screenWithSweep(ascii, size);
          await screen.press(...way);
          fits(screen, size, way.join(" "));
          if (ascii) assert.match(screen.text(), /^[\n\u0020-\u007e]*$/, `${way.join(" ")} is ASCII`);
          screen.store.stop();
        }
      });
    });
  }
}

describe("any size", () => {
  it("gets a frame that fits, and a summary where there is room for no more", async () => {
    const screen = await screenWithSweep(false, { columns: 80, rows: 24 });
    const size = fc.record({
      columns: fc.integer({ min: 1, max: 220 }),
      rows: fc.integer({ min: 1, max: 70 }),
    });
    const way = fc.constantFrom("1", "2", "3", "4", "5", "6", "7", "tab", "j", "+", "w", "L", "t", "y");
    await fc.assert(
      fc.asyncProperty(size, way, async (each, key) => {
        screen.store.resize(each);
        screen.store.press(key);
        fits(screen, each, `${key} at ${each.columns}x${each.rows}`);
      }),
      { numRuns: 300 },
    );
  });

  it("under 30x8 says how full the mesh is and how the newest sweep stands", async () => {
    const screen = await screenWithSweep(false, { columns: 60, rows: 5 });
    assert.match(screen.text(), /^3\/8 slots s1 \d+\/30 best 0\.\d+$/);
  });
});

describe("in a narrow terminal", () => {
  it("the numbers of the screens, help and quit stay whatever else gives way", async () => {
    for (let columns = 60; columns <= 140; columns++) {
      const screen = await screenWithSweep(false, { columns, rows: 24 });
      for (const key of ["1", "2", "3", "4", "5", "6", "7"]) {
        await screen.press(key);
        const lines = screen.text().trimEnd().split("\n");
        const numbers = [...(lines[0] ?? "").matchAll(/(?<=^|[ [])[1-7](?=[ \]]|$)/gu)].join("");
        assert.equal(numbers, "1234567", `${columns} columns, screen ${key}: ${lines[0] ?? ""}`);
        assert.match(lines.at(-1) ?? "", /\? help {2}q quit/u, `${columns} columns, screen ${key}`);
      }
      screen.store.stop();
    }
  });
});

describe("events", () => {
  it("are newest first, also within what happened at once, and the mark goes down and up by one", async () => {
    const screen = await screenWithSweep(false, { columns: 120, rows: 40 });
    await screen.press("7");
    const numbers = [...screen.text().matchAll(/attempt (\d+) of/gu)].map(([, number]) => Number(number));
    assert.deepEqual(
      numbers,
      Array.from({ length: 30 }, (_, index) => 30 - index),
    );
    for (let at = 2; at <= 30; at++) {
      await screen.press("j");
      assert.match(screen.text(), new RegExp(`newest first ${at}/30`, "u"));
    }
    for (let at = 29; at >= 1; at--) {
      await screen.press("k");
      assert.match(screen.text(), new RegExp(`newest first ${at}/30`, "u"));
    }
  });
});

describe("panes", () => {
  const panes = async (columns: number): Promise<number> => {
    const screen = await screenWithSweep(false, { columns, rows: 30 });
    const headings = screen.store.frame().lines[2] ?? [];
    return lineText(headings).split(" │ ").length;
  };
  it("are three from 140 columns, two from 100, stacked below", async () => {
    assert.equal(await panes(140), 3);
    assert.equal(await panes(139), 2);
    assert.equal(await panes(100), 2);
    assert.equal(await panes(99), 1);
  });
  it("are one at a time under 60 columns: the list, and on enter its detail", async () => {
    const screen = await screenWithSweep(false, { columns: 50, rows: 20 });
    assert.match(screen.text(), /Sweeps 1\/1/);
    assert.doesNotMatch(screen.text(), /Trials, best first/);
    await screen.press("enter");
    assert.doesNotMatch(screen.text(), /Sweeps 1\/1/);
    assert.match(screen.text(), /Trials, best first/);
  });
});

describe("a long list", () => {
  it("keeps the selected trial selected when better ones overtake it", async () => {
    const mesh = openFakeMesh();
    await mesh.launcher.submit({ file: "a.yaml", trials: "40", seed: "", models: "", max: "", budget: "" });
    for (let step = 0; step < 4; step++) mesh.advance();
    const screen = await driveScreen({ mesh, startWith: { screen: "trials", sweep: "s1" } });
    await screen.press("j", "j");
    const chosen = () => /▸ (s1-\d+) /.exec(screen.text())?.[1];
    const before = chosen();
    assert.ok(before !== undefined);
    for (let step = 0; step < 12; step++) mesh.advance();
    await screen.clock.advance(1_000);
    assert.equal(chosen(), before);
    await screen.press("G");
    assert.match(screen.text(), /Trials, best first 40\/40/);
    await screen.press("g");
    assert.match(screen.text(), /Trials, best first 1\/40/);
  });
});
