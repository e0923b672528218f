/** The page on shares and budgets against the program: what it tells people to type is taken as typed. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { CommanderError } from "commander";
import { projectFolder } from "../../training/version/code-version.ts";
import { program } from "../../cli/command-tree.ts";
import { openTerminal } from "../../cli/shell/terminal.ts";

const page = readFileSync(join(projectFolder, "docs", "scheduling.md"), "utf8");
const shellBlock = /^```sh\n(.*?)^```/gms;
const lines = [...page.matchAll(shellBlock)].flatMap(([, block = ""]) =>
  block
    .split("\n")
    .map((line) => line.replace(/#.*$/, "").trim())
    .filter((line) => line.startsWith("trialmesh ")),
);
const inText = [...page.matchAll(/`(trialmesh [^`]+)`/g)].map(([, line = ""]) => line);

/** The sentence about a wrong command line; null where it is right. */
async function usageError(line: string): Promise<string | null> {
  let said = "";
  const terminal = openTerminal({
    environment: { TRIALMESH_HOME: join(projectFolder, "no-home-here") },
    interactive: false,
    columns: 100,
    writeOut: () => {},
    writeErr: (text) => void (said += text),
    finish: () => {},
  });
  try {
    await program(terminal).parseAsync(["node", ...line.split(/\s+/)]);
    return null;
  } catch (error) {
    if (error instanceof CommanderError) return said;
    throw error;
  }
}

describe("CLI-5: every command of docs/scheduling.md is taken as it stands there", () => {
  test("there are some", () => assert.ok(lines.length >= 8 && inText.length >= 3));
  for (const line of new Set([...lines, ...inText])) {
    test(line, async () => assert.equal(await usageError(line), null));
  }
  test("and one that is wrong would be told", async () => {
    assert.match((await usageError("trialmesh budget set ada")) ?? "", /there is nothing to set/);
  });
});
