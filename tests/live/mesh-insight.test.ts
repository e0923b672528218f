/** What a sweep has taught, asked of a real mesh: by the command line, and in a real terminal. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { insightView } from "../../protocol/insight-view.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { mainFile } from "../support/run-cli.ts";
import { hasTmux, openTmux } from "../support/tmux.ts";

const trials = 24;

describe("INSIGHT-13: a real mesh says what its sweep has taught", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();

  before(async () => {
    await mesh.up("--port", "0", "--slots", "4");
    const file = mesh.file({ name: "taught", trials, epochs: 2, milliseconds: 0, seed: 1 });
    await mesh.ok("one", "sweep", "run", file);
  });
  after(() => mesh.close());

  test("the command line prints it, whole as JSON, and refuses a sweep that is not there", async () => {
    const { out: text } = await mesh.ok("one", "sweep", "insight", "s1");
    assert.match(text, new RegExp(`^s1 taught: ${trials} trials judged at epoch 2 are compared`));
    assert.match(text, /^x +100% +\[#{30}\]$/m);
    const { out } = await mesh.ok("one", "sweep", "insight", "s1", "--json");
    const view = insightView.parse(JSON.parse(out));
    assert.equal(view.compared.trials, trials);
    assert.deepEqual(view.importance, [{ parameter: "x", share: 1 }]);
    const absent = await mesh.cli.run("one", "sweep", "insight", "s9");
    assert.equal(absent.code, 1);
    assert.match(absent.err, /there is no sweep s9/);
  });

  const compiled = mainFile.endsWith(".js") && existsSync(mainFile);
  const skip = hasTmux()
    ? compiled
      ? false
      : "needs the compiled output: run it with npm test"
    : "tmux is not installed";
  test("the terminal shows it on i", { skip }, async () => {
    const command = `cd '${mesh.cli.folder}' && exec env -u CI -u NO_COLOR LC_ALL=C.UTF-8 TRIALMESH_HOME='${mesh.homePath(LiveMesh.home)}' '${process.execPath}' '${mainFile}' tui`;
    const terminal = openTmux(`sh -c "${command}"`, { columns: 120, rows: 40 });
    try {
      await terminal.until(/ live /);
      terminal.keys("2");
      await terminal.until(/Sweeps 1\/1/);
      terminal.keys("i");
      const shown = await terminal.until(/24 trials judged at epoch 2 are compared/);
      assert.match(shown, /x +█+ 100%/);
      assert.match(shown, /The best 20 trials, the best 5 bright/);
      terminal.keys("q");
      await terminal.until(/Sweeps 1\/1/);
    } finally {
      terminal.close();
    }
  });
});
