/**
 * The README and the tour against the program: every marked command runs, on a mesh of the page's own. Blocks are marked in
 * their first line: `sh test` is run, `sh test needs=PROGRAM` where that program is, and any `test=NAME` is written to
 * that file. What the pages name is looked at elsewhere, in `docs-link.test.ts`.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { projectFolder } from "../../training/version/code-version.ts";
import { readUpRecord } from "../../mesh/part/up-record.ts";
import { openHome } from "../../mesh/home.ts";
import { findNatsServer, skipWithoutNats } from "../support/nats-server.ts";
import { blocksOf, writeMarkedFiles } from "../support/page.ts";
import { mainFile, outcomeOf, type CliResult } from "../support/run-cli.ts";

for (const page of ["README.md", "docs/tour.md"]) {
  describe(`DOC-1: the commands of ${page} do what they say`, { skip: skipWithoutNats }, () =>
    commandsOf(page),
  );
}

function commandsOf(page: string): void {
  let folder = "";
  const home = () => join(folder, "home");
  const environment = () => ({
    ...process.env,
    CI: "1",
    PATH: `${join(folder, "bin")}${delimiter}${process.env["PATH"] ?? ""}`,
    TRIALMESH_HOME: home(),
    TRIALMESH_NATS_SERVER: findNatsServer(),
    TRIALMESH_LEASE_MS: "3000",
  });
  const blocks = blocksOf(page);
  const marked = blocks.filter(({ language, mark }) => language === "sh" && /^test( needs=\S+)?$/.test(mark));

  function shell(script: string): Promise<CliResult> {
    return outcomeOf(
      spawn("sh", ["-e", "-c", script], {
        cwd: folder,
        env: environment(),
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
  }

  /** The page's mesh runs in the background: it must not outlive a test that is asked to end. */
  const endMesh = (): void => {
    const opened = openHome(home());
    const record = opened.ok ? readUpRecord(opened.value) : null;
    if (record !== null) process.kill(record.pid, "SIGTERM");
  };
  const onTerm = (): void => {
    endMesh();
    process.kill(process.pid, "SIGTERM"); // nobody listens to this one any more
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "trialmesh-readme-"));
    process.once("exit", endMesh);
    process.once("SIGTERM", onTerm);
    mkdirSync(join(folder, "bin"));
    // The one liberty taken: `up` gets any free port, for 4222 may be in use where the tests run.
    writeFileSync(
      join(folder, "bin", "trialmesh"),
      `#!/bin/sh\n[ "$1" = up ] && set -- "$@" --port 0\nexec "${process.execPath}" "${mainFile}" "$@"\n`,
      { mode: 0o755 },
    );
    symlinkSync(join(projectFolder, "examples"), join(folder, "examples"));
    writeMarkedFiles(blocks, folder);
    // Whoever reads on has run the first command of the page, which is this one.
    if (page === "README.md") {
      const { code, err, out } = await shell("trialmesh demo");
      assert.equal(code, 0, `${out}\n${err}`);
    }
  });
  after(async () => {
    await shell("trialmesh down || true");
    process.off("exit", endMesh).off("SIGTERM", onTerm);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  assert.ok(marked.length > 0, `${page} has no block marked \`sh test\``);
  for (const { line, mark, text } of marked) {
    const needed = / needs=(\S+)$/.exec(mark)?.[1];
    const skip = needed !== undefined && !isOnPath(needed) && `no ${needed} on the path`;
    const first = text.split("\n")[0]?.replace(/\s+#.*$/, "") ?? "";
    test(`${page}:${line}: ${first}`, { skip }, async () => {
      const { code, out, err } = await shell(text);
      assert.equal(code, 0, `${text}\n${out}\n${err}`);
    });
  }
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((place) => {
    try {
      accessSync(join(place, program), constants.X_OK);
      return true;
    } catch {
      return false; // not in this folder
    }
  });
}
