/** Folders are made from the first that is missing, and where none can be made that one is named, at once. */
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { ensurePrivateFolder } from "../../system/private-file.ts";
import { makeFolder, makeFolderSync } from "../../system/make-folder.ts";
import { FolderError } from "../../system/system-error.ts";
import { runCli } from "../support/run-cli.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { pathToFileURL } from "node:url";

interface Structure {
  sourceFiles(): readonly string[];
}

describe("DIR-1: a folder and those it lies in", () => {
  const root = mkdtempSync(join(tmpdir(), "trialmesh-folder-"));
  after(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));

  const both = async (path: string, mode?: number): Promise<readonly (FolderError | null)[]> => {
    const caught = (error: unknown) => {
      assert.ok(error instanceof FolderError, String(error));
      return error;
    };
    let first: FolderError | null = null;
    try {
      makeFolderSync(path, mode);
    } catch (error) {
      first = caught(error);
    }
    return [first, await makeFolder(path, mode).then(() => null, caught)];
  };

  test("are made whatever of them is there, and the first that cannot be is named", async () => {
    const name = fc.constantFrom("a", "b", "c d", "é");
    const kind = fc.constantFrom("folder", "file", "link to a folder", "link to nothing", "nothing");
    let number = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, kind), { minLength: 1, maxLength: 5 }),
        fc.constantFrom("", "/", "/.", "//x/.."),
        async (parts, end) => {
          let at = join(root, String(++number));
          mkdirSync(at);
          let blocked: string | null = null;
          for (const [part, what] of parts) {
            at = join(at, part);
            if (blocked !== null) continue;
            if (what === "nothing") break;
            if (what === "folder") mkdirSync(at);
            else if (what === "link to a folder") symlinkSync(mkdtempSync(join(root, "to-")), at);
            else {
              if (what === "file") writeFileSync(at, "");
              else symlinkSync(join(root, "nowhere"), at);
              blocked = at;
            }
          }
          const whole = join(root, String(number), ...parts.map(([part]) => part));
          for (const error of await both(`${whole}${end}`)) assert.equal(error?.path ?? null, blocked);
          if (blocked === null) assert.ok(statSync(whole).isDirectory());
        },
      ),
      { numRuns: 200 },
    );
  });

  test("have the mode they were asked for, and two that make them at once both succeed", async () => {
    const path = join(root, "private", "inner", "most");
    await Promise.all([makeFolder(path, 0o700), makeFolder(path, 0o700), makeFolder(join(path, "x"), 0o700)]);
    for (const folder of [path, join(root, "private")]) assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  test("a place that takes no folders is told at once", { skip: process.platform !== "linux" }, async () => {
    for (const path of ["/proc/1/home", "/proc/self/a/b/c", "/proc/none/a"]) {
      for (const error of await both(path)) {
        assert.equal(error?.code, "ENOENT", path);
        assert.match(error?.message ?? "", /^the folder \/proc\/\S+ cannot be made: \/proc\S* takes none/);
      }
      const refused = ensurePrivateFolder(path);
      assert.match(refused.ok ? "" : refused.refusal.message, /takes none.*TRIALMESH_HOME/);
    }
  });

  test(
    "permission is asked for where it is missing",
    { skip: process.getuid?.() === 0 ? "as root all is permitted" : false },
    async () => {
      const closed = join(root, "closed");
      mkdirSync(closed);
      chmodSync(closed, 0o500);
      for (const error of await both(join(closed, "x", "y"))) assert.equal(error?.path, join(closed, "x"));
    },
  );
});

test(
  "DIR-1: a command that can make no folder says which one, and is no fault of its own",
  { skip: process.platform !== "linux" },
  async () => {
    const root = mkdtempSync(join(tmpdir(), "trialmesh-folder-"));
    try {
      const file = join(root, "sweep.yaml");
      writeFileSync(
        file,
        'name: one\ncommand: [echo, "score=1", "${args}"]\nobjective: { metric: score }\nsearch: { trials: 1 }\nparameters: { x: [1] }\n',
      );
      for (const [words, more, said] of [
        [
          ["sweep", "local", file],
          { TMPDIR: "/proc/1" },
          /folder \/proc\/1\/trialmesh-local-\S+ cannot be made.*; TMPDIR names another/,
        ],
        [
          ["agent", "probe"],
          { TRIALMESH_CACHE: "/proc/1/c" },
          /^trialmesh: the folder \/proc\/1\/c cannot be made: \/proc\/1 takes none/m,
        ],
        [
          ["up", "--detach"],
          { TRIALMESH_HOME: "/proc/1" },
          /^trialmesh: the folder \/proc\/1\/run cannot be made/m,
        ],
        [
          ["up"],
          { TRIALMESH_HOME: "/dev/null/x" },
          /^trialmesh: \/dev\/null is a file; trialmesh needs a folder there/m,
        ],
      ] as const) {
        const { code, err } = await runCli(words, { TRIALMESH_HOME: join(root, "home"), ...more });
        assert.match(err, said);
        assert.equal(code, 1, err);
      }
    } finally {
      rmSync(root, { recursive: true, maxRetries: 5 });
    }
  },
);

test("DIR-1: nobody makes folders by Node's recursive mkdir", async () => {
  const script = pathToFileURL(join(projectFolder, "scripts", "structure.mjs")).href;
  const structure = (await import(script)) as Structure;
  const files = structure.sourceFiles().filter((file) => !/^(?:tests|bench)\//.test(file));
  assert.ok(files.length > 500);
  const found = files.filter((file) =>
    /\bmkdir(?:Sync)?\([^;]*recursive/.test(readFileSync(join(projectFolder, file), "utf8")),
  );
  assert.deepEqual(found, []);
});
