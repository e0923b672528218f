// Ink around the store: what it prints is the frame and nothing else, keys arrive, and the terminal is restored.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { renderToString } from "ink";
import { showApp } from "../../tui/app.tsx";
import { Printed } from "../../tui/part/printed.tsx";
import { runTui } from "../../tui/run-tui.tsx";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { openStore } from "../../tui/ui-store.ts";
import { asciiGlyphs, unicodeGlyphs } from "../../text/glyph.ts";
import { lineText } from "../support/line-text.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { openFakeTerminal } from "../support/fake-terminal.ts";
import { driveScreen } from "../support/tui-screen.ts";

const enterAlternate = "\u001b[?1049h";
const leaveAlternate = "\u001b[?1049l";
const showCursor = "\u001b[?25h";
// oxlint-disable-next-line no-control-regex
const colours = /\u001b\[[0-9;]*m/g;

describe("Ink prints the frame as it is", () => {
  for (const [columns, rows] of [
    [40, 12],
    [80, 24],
    [120, 40],
    [200, 60],
  ] as const) {
    for (const glyphs of [unicodeGlyphs, asciiGlyphs]) {
      it(`at ${columns}x${rows} with ${glyphs.ascii ? "ASCII" : "Unicode"}`, async () => {
        const mesh = openFakeMesh();
        await mesh.launcher.submit({
          file: "a.yaml",
          trials: "20",
          seed: "",
          models: "",
          max: "",
          budget: "",
        });
        for (let step = 0; step < 6; step++) mesh.advance();
        const screen = await driveScreen({
          mesh,
          glyphs,
          size: { columns, rows },
          startWith: { sweep: "s1" },
        });
        for (const key of ["1", "2", "3", "4", "5", "6", "7", "?"]) {
          await screen.press(key);
          const { lines } = screen.store.frame();
          const printed = renderToString(<Printed lines={lines} />, { columns })
            .replace(colours, "")
            .split("\n");
          const expected = lines.map((each) => lineText(each).trimEnd());
          assert.deepEqual([...printed, ...expected.slice(printed.length)], expected, `screen ${key}`);
        }
      });
    }
  }
});

describe("a session at a terminal", () => {
  it("launches a sweep by the keyboard, shows its progress, loses the mesh and finds it again, and leaves no trace", async () => {
    const mesh = openFakeMesh();
    const terminal = openFakeTerminal({ columns: 100, rows: 30 });
    const timer = setInterval(mesh.advance, 100);
    const run = runTui({ ...terminal, client: mesh.client, readOnly: false, launch: mesh.launcher });
    try {
      await terminal.shows(/attic/);
      assert.ok(terminal.written().startsWith(enterAlternate));
      assert.equal(terminal.rawMode(), true);

      terminal.type("n");
      await terminal.shows(/24 trials, 2 of 3 agents can run it/);
      const before = terminal.written().length;
      terminal.type("\r");
      await terminal.shows(/s1 is submitted/, before);
      await terminal.shows(/[1-9]\d?% of 24 trials/, before);

      const cut = terminal.written().length;
      mesh.setStatus("disconnected");
      await terminal.shows(/DISCONNECTED, data \d s old/, cut);
      const back = terminal.written().length;
      mesh.setStatus("connected");
      await terminal.shows(/live/, back);

      const wide = terminal.written().length;
      terminal.resize({ columns: 160, rows: 40 });
      await terminal.shows(/│ ─ Trial s1-\d+/, wide);

      terminal.type("q");
      await run;
    } finally {
      clearInterval(timer);
    }
    assert.equal(terminal.rawMode(), false);
    const after = terminal.written();
    assert.ok(after.lastIndexOf(leaveAlternate) > after.lastIndexOf(enterAlternate));
    assert.ok(after.lastIndexOf(showCursor) > 0);
  });

  it("restores the terminal and rejects when drawing fails", async () => {
    const mesh = openFakeMesh();
    const terminal = openFakeTerminal({ columns: 80, rows: 24 });
    const store = openStore({
      client: mesh.client,
      clock: systemClock,
      launcher: mesh.launcher,
      readOnly: false,
      glyphs: unicodeGlyphs,
      copy: () => {},
      quit: () => {},
    });
    const broken = {
      ...store,
      frame: () => {
        throw new Error("a broken screen");
      },
    };
    await assert.rejects(showApp({ store: broken, onReady: () => {} }, terminal), /a broken screen/);
    store.stop();
    assert.ok(
      terminal.written().lastIndexOf(leaveAlternate) > terminal.written().lastIndexOf(enterAlternate),
    );
  });
});
