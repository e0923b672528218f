// The terminal interface in a real terminal, on a fake mesh: keys, sizes, colours, and what is left behind.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { hasTmux, openTmux } from "../support/tmux.ts";

const demo = fileURLToPath(new URL("../support/tui-demo.js", import.meta.url));
const skip = !hasTmux()
  ? "tmux is not installed"
  : !existsSync(demo)
    ? "needs the compiled output: run it with npm test"
    : false;
const command = (env: string) =>
  `exec env -u CI -u NO_COLOR -u FORCE_COLOR LC_ALL=C.UTF-8 ${env} "${process.execPath}" "${demo}" 24`;
const size = { columns: 120, rows: 36 };

/** Runs under a shell, so that the terminal outlives it. */
function shell(env: string): string {
  return `sh -c '${command(env)}'`;
}

describe("in a real terminal", { skip }, () => {
  it("a sweep launched from the form shows its progress; q leaves the terminal as it was", async () => {
    const terminal = openTmux(shell(""), size);
    try {
      await terminal.until(/\[2 Sweeps\]/);
      assert.deepEqual(terminal.modes(), { alternate: true, cursor: false });
      terminal.keys("n");
      await terminal.until(/24 trials, 2 of 3 agents can run it/);
      terminal.keys("Down", "BSpace", "BSpace", "9");
      await terminal.until(/ 9 trials, 2 of 3 agents can run it/);
      terminal.keys("Enter");
      await terminal.until(/s2 is submitted/);
      await terminal.until(/[1-9]\d?% of 9 trials/);

      terminal.keys("2");
      for (const next of [
        { columns: 40, rows: 12 },
        { columns: 200, rows: 60 },
        { columns: 20, rows: 5 },
        { columns: 80, rows: 24 },
      ]) {
        terminal.resize(next);
        // The header on the first row and the footer on the last: drawn anew, and nothing scrolled away.
        await terminal.until(
          next.columns < 30 ? /^\d\/8 slots/ : /^[^\n]*live[^\n]*\n[^]*\? help {2}q quit\n$/,
        );
      }
      terminal.keys("q");
      const after = await terminal.until(/ended 0/);
      assert.deepEqual(terminal.modes(), { alternate: false, cursor: true });
      assert.doesNotMatch(after, /Sweeps 1/);
    } finally {
      terminal.close();
    }
  });

  it("SIGTERM restores the terminal too", async () => {
    const terminal = openTmux(shell(""), size);
    try {
      await terminal.until(/\[2 Sweeps\]/);
      const children = spawnSync("ps", ["-o", "pid=", "--ppid", String(terminal.pid())], {
        encoding: "utf8",
      });
      const pid = Number(children.stdout.trim().split(/\s+/)[0]);
      assert.ok(pid > 1);
      process.kill(pid, "SIGTERM");
      await terminal.until(/ended 143/);
      assert.deepEqual(terminal.modes(), { alternate: false, cursor: true });
    } finally {
      terminal.close();
    }
  });

  it("NO_COLOR has no colours, TRIALMESH_ASCII only ASCII; without them both are used", async () => {
    const bare = openTmux(shell("NO_COLOR=1 TRIALMESH_ASCII=1"), size);
    const full = openTmux(shell(""), size);
    try {
      const ascii = await bare.until(/best macroF1 so far/);
      assert.match(ascii, /^[\n\u0020-\u007e]*$/);
      // oxlint-disable-next-line no-control-regex
      assert.doesNotMatch(bare.colouredScreen(), /\u001b/);
      assert.match(await full.until(/best macroF1 so far/), /[^\n\u0020-\u007e]/);
      // oxlint-disable-next-line no-control-regex
      assert.match(full.colouredScreen(), /\u001b\[/);
    } finally {
      bare.close();
      full.close();
    }
  });
});
