/** The package as `npm pack` makes it, installed into a folder of its own and run from another one, as somebody without a clone does. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test, type TestContext } from "node:test";
import { projectFolder } from "../../training/version/code-version.ts";
import { findNatsServer, skipWithoutNats } from "../support/nats-server.ts";
import { outcomeOf, type CliResult } from "../support/run-cli.ts";

/** What npm says where it reaches no registry and has not cached what it needs. */
const noRegistry = /\b(?:ENOTFOUND|ENOTCACHED|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENETUNREACH)\b/u;

describe("ADD-1: what npm pack makes installs and runs without a clone", { skip: skipWithoutNats }, () => {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-package-"));
  const prefix = join(folder, "prefix");
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  const environment = {
    ...process.env,
    CI: "1",
    TRIALMESH_HOME: join(folder, "home"),
    TRIALMESH_NATS_SERVER: findNatsServer(),
  };
  let installed: CliResult;

  function run(program: string, words: readonly string[], cwd = folder): Promise<CliResult> {
    return outcomeOf(spawn(program, words, { cwd, env: environment, stdio: ["ignore", "pipe", "pipe"] }));
  }
  const trialmesh = (...words: readonly string[]): Promise<CliResult> =>
    run(join(prefix, "bin", "trialmesh"), words);

  before(async () => {
    const packed = await run("npm", ["pack", "--pack-destination", folder, ...quiet], projectFolder);
    assert.equal(packed.code, 0, packed.err);
    const [archive] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
    assert.ok(archive !== undefined, packed.out);
    installed = await run("npm", ["install", "-g", "--prefix", prefix, join(folder, archive), ...quiet]);
  });
  after(async () => {
    if (installed?.code === 0) await trialmesh("down");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  function isInstalled(context: TestContext): boolean {
    if (installed.code !== 0 && noRegistry.test(installed.err)) {
      context.skip(`npm reaches no registry: ${installed.err.split("\n")[0]}`);
      return false;
    }
    assert.equal(installed.code, 0, installed.err);
    return true;
  }

  test("it carries what it runs by and none of the sources", (context) => {
    if (!isInstalled(context)) return;
    const root = join(prefix, "lib", "node_modules", "trialmesh");
    const names = readdirSync(root);
    for (const needed of ["bin", "dist", "examples", "README.md", "LICENSE"])
      assert.ok(names.includes(needed), needed);
    for (const kept of ["tests", "coordinator", "tsconfig.json"]) assert.ok(!names.includes(kept), kept);
    const compiled = readdirSync(join(root, "dist"));
    assert.ok(compiled.includes("cli") && !compiled.includes("tests") && !compiled.includes("bench"));
  });

  test("a mesh comes up from any folder, trains an example, and goes down", async (context) => {
    if (!isInstalled(context)) return;
    const up = await trialmesh("up", "--detach", "--port", "0", "--slots", "1");
    assert.equal(up.code, 0, up.err);
    const example = join(prefix, "lib", "node_modules", "trialmesh", "examples", "language-id.yaml");
    const sweep = await trialmesh(
      "sweep",
      "run",
      example,
      "--models",
      "linear",
      "--trials",
      "1",
      "--max",
      "1",
    );
    assert.equal(sweep.code, 0, sweep.err);
    const shown = await trialmesh("sweep", "show", "s1");
    assert.match(shown.out, /completed/u);
    assert.equal((await trialmesh("down")).code, 0);
  });
});
