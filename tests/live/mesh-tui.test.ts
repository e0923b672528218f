/** The terminal interface on a real mesh, in a real terminal: launch, progress, a server that goes and comes back. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { mainFile } from "../support/run-cli.ts";
import { hasTmux, openTmux, type TmuxTerminal } from "../support/tmux.ts";

const skip = !hasTmux()
  ? "tmux is not installed"
  : !mainFile.endsWith(".js") || !existsSync(mainFile)
    ? "needs the compiled output: run it with npm test"
    : skipWithoutNats;

describe("MESH-4: the terminal interface on a real mesh", { skip }, () => {
  const mesh = new LiveMesh();
  let terminal: TmuxTerminal | null = null;

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
  });
  after(async () => {
    terminal?.close();
    await mesh.close();
  });

  test("a sweep launched from the form shows its progress; a stopped server shows, and so does its return", async () => {
    mesh.file({ name: "formed", trials: 8, epochs: 4, milliseconds: 250, seed: 1 });
    const command = `cd '${mesh.cli.folder}' && exec env -u CI -u NO_COLOR LC_ALL=C.UTF-8 TRIALMESH_HOME='${mesh.homePath(LiveMesh.home)}' '${process.execPath}' '${mainFile}' tui`;
    terminal = openTmux(`sh -c "${command}"`, { columns: 120, rows: 36 });
    await terminal.until(/ live /);
    terminal.keys("n");
    await terminal.until(/\(1\/\d+, left and right choose another\)/);
    // The sweep files of the folder come after the examples: the last one is ours.
    terminal.keys("Left");
    const form = await terminal.until(/8 trials, 1 of 1 agents? can run it/);
    assert.match(form, /formed\.yaml/);
    terminal.keys("Enter");
    await terminal.until(/s1 is submitted/);
    await terminal.until(/[1-9]\d?% of 8 trials/);
    await mesh.ok("one", "down");
    await terminal.until(/DISCONNECTED, data \d+ m?s old/);
    await mesh.up();
    await terminal.until(/ live /);
    await terminal.until(/100% of 8 trials/);
    terminal.keys("q");
    await terminal.until(/ended 0/);
  });
});
