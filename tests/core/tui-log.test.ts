/** The log of a trial in the terminal interface: it has the focus, scrolls, and can have the whole screen. */
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import * as fc from "fast-check";
import { accept } from "../../protocol/refusal.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { driveScreen } from "../support/tui-screen.ts";

const linesInAll = 76;

async function openLog(columns: number, rows: number) {
  const mesh = openFakeMesh();
  await mesh.launcher.submit({ file: "a.yaml", trials: "9", seed: "", models: "", max: "", budget: "" });
  mesh.advance();
  const lines = Array.from({ length: linesInAll }, (_, n) => ({
    fence: 1,
    stream: "out" as const,
    line: `said ${n + 1};`,
  }));
  const query = ((name: Parameters<MeshClient["query"]>[0], body: never) =>
    name === "logs"
      ? Promise.resolve(accept({ lines }))
      : mesh.client.query(name, body)) as MeshClient["query"];
  const screen = await driveScreen({
    mesh: { ...mesh, client: { ...mesh.client, query } },
    size: { columns, rows },
  });
  await screen.press("3", "L");
  return {
    screen,
    shown: () => [...screen.text().matchAll(/said (\d+);/g)].map((found) => Number(found[1])),
  };
}

describe("TUI-LOG: all lines of a log can be read", () => {
  for (const [columns, rows] of [
    [120, 40],
    [160, 24],
    [80, 30],
    [50, 16],
  ] as const)
    test(`on ${columns} by ${rows}`, async () => {
      const { screen, shown } = await openLog(columns, rows);
      assert.equal(shown().at(-1), linesInAll, "it follows its end");
      await screen.press("home");
      assert.equal(shown()[0], 1);
      assert.match(screen.text(), new RegExp(`Log of \\S+ 1-\\d+ of ${linesInAll}`));
      const seen = new Set(shown());
      for (let n = 0; n < linesInAll; n++) {
        await screen.press("down");
        for (const one of shown()) seen.add(one);
      }
      assert.equal(seen.size, linesInAll);
      assert.equal(shown().at(-1), linesInAll);
      await screen.press("up");
      assert.ok((shown().at(-1) ?? 0) < linesInAll, "the first key up is seen");
      await screen.press("end", "pageup");
      assert.ok((shown()[0] ?? 0) < linesInAll / 2 || rows < 30);
      await screen.press("home", "+");
      assert.ok(shown().length >= Math.min(linesInAll, rows - 5), "it has the whole screen");
    });

  test("tab goes to the trials and back; another trial's log begins at its end", async () => {
    const { screen, shown } = await openLog(120, 40);
    await screen.press("home", "tab", "down");
    assert.equal(shown().at(-1), linesInAll);
    await screen.press("tab", "home");
    assert.equal(shown()[0], 1);
    await screen.press("escape", "t");
    assert.equal(shown().length, 0);
  });

  test("whatever is pressed, a stretch of it is shown, and none is empty", async () => {
    const { screen, shown } = await openLog(100, 20);
    const keys = ["up", "down", "pageup", "pagedown", "home", "end", "j", "k", "g", "G"];
    for (const key of fc.sample(fc.constantFrom(...keys), { seed: 5, numRuns: 120 })) {
      await screen.press(key);
      const found = shown();
      assert.ok(found.length > 5);
      assert.deepEqual(
        found,
        found.map((_, n) => (found[0] ?? 0) + n),
      );
    }
  });
});
