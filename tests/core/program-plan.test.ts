/** What of a program's folder makes its plan: no environment, nothing of trialmesh's own; what stays behind is said once. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { programPlan } from "../../client/sweep/program-plan.ts";
import { pageMark } from "../../client/report/html-page.ts";
import { readAnyFile } from "../../spec/file/read-any-file.ts";
import { models } from "../../training/catalog/model-catalog.ts";
import { decodeBundle } from "../../agent/program/bundle.ts";

const root = mkdtempSync(join(tmpdir(), "trialmesh-plan-"));
after(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

const sweepText = (more = "", trials = 2) => `name: planned
command: [python3, train.py, "\${args}"]
objective: { metric: score }
search: { trials: ${trials} }
parameters: { x: { distribution: uniform, min: 0, max: 1 } }
${more}`;

function place(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(root, "place-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** As `python -m venv` leaves one: its links lead out of the folder. */
function makeVenv(folder: string): void {
  mkdirSync(join(folder, "bin"), { recursive: true });
  mkdirSync(join(folder, "lib", "python3.12", "site-packages"), { recursive: true });
  writeFileSync(join(folder, "pyvenv.cfg"), "home = /usr/bin\n");
  writeFileSync(join(folder, "lib", "python3.12", "site-packages", "six.py"), "");
  symlinkSync(process.execPath, join(folder, "bin", "python3"));
  symlinkSync("lib", join(folder, "lib64"));
}

async function planned(folder: string, sweep = "sweep.yaml", text = sweepText()) {
  const file = join(folder, sweep);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  const read = readAnyFile({ file, text, environment: {}, models, codeVersion: "test 1" });
  assert.ok(read.ok && read.file.kind === "command", read.ok ? "" : JSON.stringify(read.problems));
  const plan = await programPlan(file, read.file);
  assert.ok(plan.ok, plan.ok ? "" : plan.refusal.message);
  const bundle = decodeBundle(plan.value.bundle?.bytes ?? new Uint8Array());
  assert.ok(bundle.ok);
  return {
    paths: bundle.value.files.map(({ path }) => path),
    parts: plan.value.spec(null).parts,
    version: plan.value.spec(null).codeVersion,
    warnings: plan.value.warnings ?? [],
  };
}

describe("BUNDLE-7: an environment in the program's folder stays behind, and that is said once", () => {
  test("wherever it lies and whatever it is called, also behind a link", async () => {
    const name = fc.constantFrom("env", "myenv", "py311", ".venv", "venv", "deep/er/env");
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (names, linked) => {
          const folder = place({ "train.py": "print(1)", "lib/own.py": "", "deep/part.py": "" });
          for (const one of names) makeVenv(join(folder, one));
          if (linked) {
            const outside = mkdtempSync(join(root, "outside-"));
            makeVenv(outside);
            symlinkSync(outside, join(folder, "linked-env"));
          }
          const { paths, warnings } = await planned(folder);
          assert.deepEqual(paths.toSorted(), ["deep/part.py", "lib/own.py", "train.py"]);
          assert.equal(warnings.length, 1, warnings.join("\n"));
          for (const one of [...names, ...(linked ? ["linked-env"] : [])])
            assert.match(
              warnings[0] ?? "",
              new RegExp(`\\b${one.split("/").at(-1)?.replace(".", "")}\\b.* behind`),
            );
        },
      ),
      { numRuns: 40 },
    );
  });

  test("conda's too, and where the folder itself is one, its own parts", async () => {
    const conda = place({ "train.py": "", "tools/conda-meta/history": "", "tools/bin/x": "" });
    assert.deepEqual((await planned(conda)).paths, ["train.py"]);
    const itself = place({ "train.py": "", "package/model.py": "" });
    makeVenv(itself);
    assert.deepEqual((await planned(itself)).paths, ["package/model.py", "train.py"]);
  });

  test("nothing is said where nothing stays behind, and one line of many", async () => {
    assert.deepEqual((await planned(place({ "train.py": "" }))).warnings, []);
    const hidden = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`part/.h${index}/x`, ""]));
    const { paths, warnings } = await planned(
      place({
        "train.py": "",
        ...hidden,
        "node_modules/a/b.js": "",
        "part/__pycache__/c.pyc": "",
        ".git/HEAD": "",
      }),
    );
    assert.deepEqual(paths, ["train.py"]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /sweep\.yaml: \.git, .* and \d+ more stay behind: .*`files` names/);
  });
});

describe("REUSE-6: what is trialmesh's own makes no other program", () => {
  test("another word in the sweep file, or a page beside it, changes neither its files nor its version", async () => {
    const folder = place({
      "train.py": "print(1)",
      "data.html": "<html>rows</html>",
      "notes.md": "see sweep.yaml",
    });
    const first = await planned(folder);
    assert.deepEqual(first.paths, ["data.html", "notes.md", "train.py"]);
    writeFileSync(join(folder, "s1.html"), `<!doctype html>\n<html>\n<head>\n${pageMark}\n`);
    const again = await planned(folder, "sweep.yaml", `# once more\n${sweepText("", 9)}`);
    assert.deepEqual([again.parts, again.version], [first.parts, first.version]);
    writeFileSync(join(folder, "train.py"), "print(2)");
    assert.notDeepEqual((await planned(folder)).parts, first.parts);
  });

  test("but a program that names it, by a word or in its text, or whose sweep names it, gets it", async () => {
    const only = place({ "train.py": "" });
    assert.deepEqual(
      (await planned(only, "sweep.yaml", sweepText("files: [train.py, ./sweep.yaml]"))).paths,
      ["sweep.yaml", "train.py"],
    );
    assert.deepEqual((await planned(only, "sweep.yaml", sweepText("files: [.]"))).paths, ["train.py"]);
    assert.deepEqual(
      (await planned(only, "sweep.yaml", sweepText("environment: { CONFIG: sweep.yaml }"))).paths,
      ["sweep.yaml", "train.py"],
    );
    const reads = place({ "train.py": "", "lib/config.py": "open('sweep.yaml')" });
    assert.deepEqual((await planned(reads)).paths, ["lib/config.py", "sweep.yaml", "train.py"]);
  });
});
