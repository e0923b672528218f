/**
 * Pointers that DVC itself made, of its versions 1, 2 and 3, followed to their bytes. Each version is brought into a virtual
 * environment of its own by pip; where that cannot be done the test says that it is skipped, and why.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { after } from "node:test";
import { sourceSchema, type FileSource } from "../../data/declaration/source.ts";
import { digestOf, locateSource } from "../../data/source/locate-source.ts";
import { sourceDigest } from "../../data/source/recipe-key.ts";
import { buildRecipe } from "../../data/recipe/build-recipe.ts";
import { recipeOf } from "../../data/recipe/recipe.ts";
import { declared } from "../support/dataset-build.ts";

/** With releases of what they need as they were then: later ones broke the older two. */
const versions = {
  "1.11.16": ["setuptools<70", "funcy<2", "pathspec<0.9"],
  "2.58.2": ["setuptools<70", "funcy<2", "pathspec<0.12"],
  "3.67.1": [],
} as const;
const root = mkdtempSync(join(tmpdir(), "trialmesh-dvc-"));
after(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));
/** Where environments made before are looked for: DVC-VERSION/bin/dvc. */
const environments = process.env["TRIALMESH_DVC_ENVIRONMENTS"] ?? root;
const installMs = 600_000;

function run(command: string, parameters: readonly string[], cwd: string): string | null {
  const env = { ...process.env, DVC_NO_ANALYTICS: "1", HOME: root };
  const { error, status, stderr } = spawnSync(command, parameters, {
    cwd,
    env,
    encoding: "utf8",
    timeout: installMs,
  });
  return status === 0
    ? null
    : `${command} ${parameters[0] ?? ""}: ${error?.message ?? stderr.trim().split("\n").at(-1) ?? ""}`;
}

/** The path of dvc, or why there is none. */
function bring(
  version: string,
  needs: readonly string[],
): { readonly dvc: string } | { readonly why: string } {
  const place = join(environments, `dvc${version}`);
  const dvc = join(place, "bin", "dvc");
  if (run(dvc, ["--version"], root) === null) return { dvc };
  const why =
    run("python3", ["-m", "venv", place], root) ??
    run(join(place, "bin", "pip"), ["install", "--quiet", `dvc==${version}`, ...needs], root) ??
    run(dvc, ["--version"], root);
  return why === null ? { dvc } : { why };
}

function file(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

const source = (path: string, format: string) => sourceSchema.parse({ path, format }) as FileSource;

for (const [version, needs] of Object.entries(versions)) {
  test(`DVC-1: pointers of DVC ${version}: a file with LF, one with CRLF, a folder; damaged and missing bytes are told`, async (t) => {
    const brought = bring(version, needs);
    if ("why" in brought) {
      t.skip(`DVC ${version} could not be brought: ${brought.why}`);
      return;
    }
    const place = join(root, `repository-${version}`);
    mkdirSync(place);
    const rows = Array.from(
      { length: 40 },
      (_, row) => `words ${String.fromCodePoint(0x3400 + row)},l${row % 2}`,
    );
    // Others, for to DVC 2 a text with CRLF and the same with LF are one.
    const others = rows.map((row) => `more ${row}`);
    file(join(place, "lf.csv"), ["text,label", ...rows, ""].join("\n"));
    file(join(place, "crlf.csv"), ["text,label", ...others, ""].join("\r\n"));
    for (let row = 0; row < 40; row++) file(join(place, `set/l${row % 2}/${row}.txt`), `words ${row}\r\n`);
    const digests = await Promise.all(["lf.csv", "crlf.csv"].map((name) => digestOf(join(place, name))));
    const plain = await sourceDigest(source(join(place, "set"), "folder"));
    assert.equal(run(brought.dvc, ["init", "--no-scm", "--quiet"], place), null);
    assert.equal(run(brought.dvc, ["add", "--quiet", "lf.csv", "crlf.csv", "set"], place), null);
    for (const name of ["lf.csv", "crlf.csv", "set"])
      rmSync(join(place, name), { recursive: true, maxRetries: 5 });
    for (const [at, name] of ["lf.csv", "crlf.csv"].entries()) {
      const located = await locateSource(source(join(place, `${name}.dvc`), "csv"));
      assert.ok(located.ok, located.ok ? "" : located.refusal.message);
      assert.equal(await digestOf(located.value.path), digests[at]);
      assert.equal(located.value.name, name);
    }
    assert.deepEqual(await sourceDigest(source(join(place, "set.dvc"), "folder")), plain);
    const wrong = await locateSource(source(join(place, "set.dvc"), "csv"));
    assert.match(
      wrong.ok ? "" : wrong.refusal.message,
      /points to a folder; name a pointer of a single file, or say format: folder/u,
    );

    // As it is built on another machine, of the files that were sent there.
    const declaration = declared(
      `name: sent\nsources: [{path: ${join(place, "set.dvc")}, format: folder}, {path: ${join(place, "crlf.csv.dvc")}}]\ntext: text\nlabel: label\n`,
    );
    const recipe = await recipeOf(declaration);
    assert.ok(recipe.ok, recipe.ok ? "" : recipe.refusal.message);
    const made = await buildRecipe(recipe.value.recipe, Object.fromEntries(recipe.value.paths), {
      workDir: join(root, `sent-${version}`),
    });
    assert.ok(made.ok, made.ok ? "" : made.refusal.message);
    assert.equal(
      made.value.manifest.rows.train + made.value.manifest.rows.validation + made.value.manifest.rows.test >
        40,
      true,
    );

    const located = await locateSource(source(join(place, "lf.csv.dvc"), "csv"));
    assert.ok(located.ok);
    rmSync(located.value.path, { force: true });
    const missing = await locateSource(source(join(place, "lf.csv.dvc"), "csv"));
    assert.match(missing.ok ? "" : missing.refusal.message, /is in no DVC cache here; run "dvc fetch"/u);
    file(located.value.path, "something else\n");
    const damaged = await locateSource(source(join(place, "lf.csv.dvc"), "csv"));
    assert.match(damaged.ok ? "" : damaged.refusal.message, /is damaged: its MD5 is [0-9a-f]{32}/u);
    file(join(place, "lf.csv"), ["text,label", ...rows, ""].join("\n"));
    const beside = await locateSource(source(join(place, "lf.csv.dvc"), "csv"));
    assert.equal(beside.ok ? beside.value.path : "", join(place, "lf.csv"));
  });
}
