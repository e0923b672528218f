/** A build's archive as the system's own `tar` reads it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import * as z from "zod";
import { readBuild } from "../../mesh/build/own-build.ts";
import { tarArchive, type TarEntry } from "../../mesh/build/tar-archive.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { textOf } from "../support/page.ts";
import { valueOf } from "../live/own-mesh.ts";

const { rooms } = z
  .object({ rooms: z.array(z.string()) })
  .parse(await import(pathToFileURL(join(projectFolder, "scripts", "source-folder.mjs")).href));

function sourcesIn(room: string): string[] {
  return readdirSync(join(projectFolder, room), { withFileTypes: true }).flatMap((entry) => {
    const path = `${room}/${entry.name}`;
    if (entry.isDirectory()) return sourcesIn(path);
    return /\.tsx?$/u.test(entry.name) ? [path] : [];
  });
}

const folder = mkdtempSync(join(tmpdir(), "trialmesh-tar-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

async function bytesOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of tarArchive(entries)) parts.push(part);
  return Buffer.concat(parts);
}

const piece = fc
  .string({ unit: fc.constantFrom(..."abc-_.é@"), minLength: 1, maxLength: 40 })
  .map((text) => `x${text}`);
const anyEntry = fc.record({
  path: fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => `d/${pieces.join("/")}`),
  executable: fc.boolean(),
  content: fc.uint8Array({ maxLength: 1_500 }),
});

describe("ADD-3: the archive of a build", () => {
  test("tar unpacks every file with its bytes and whether it runs, and the same files give the same bytes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(anyEntry, { selector: ({ path }) => path, maxLength: 6 }),
        async (given) => {
          // A path cannot be a file and a folder.
          const entries = given
            .filter(({ path }) => !given.some((other) => other.path.startsWith(`${path}/`)))
            .map((entry) => ({ ...entry, bytes: entry.content.length }));
          const place = mkdtempSync(join(folder, "un-"));
          const archive = await bytesOf(entries);
          assert.ok(archive.equals(await bytesOf(entries)));
          execFileSync("tar", ["-xf", "-", "-C", place], { input: archive });
          for (const { content, executable, path } of entries) {
            assert.deepEqual(new Uint8Array(readFileSync(join(place, path))), new Uint8Array(content));
            assert.equal((lstatSync(join(place, path)).mode & 0o100) !== 0, executable);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test("a file that changed while it was packed, and a path that it cannot name, are no archive", async () => {
    const file = join(folder, "grows");
    writeFileSync(file, "ab");
    await assert.rejects(
      bytesOf([{ path: "grows", executable: false, bytes: 1, content: { file } }]),
      /changed/u,
    );
    const path = "y".repeat(101);
    await assert.rejects(
      bytesOf([{ path, executable: false, bytes: 0, content: new Uint8Array() }]),
      /longer than an archive takes/u,
    );
  });

  test("this build has what runs, and nothing that only builds or tests", () => {
    const build = valueOf(readBuild(projectFolder));
    const own = build.own.map(({ path }) => path);
    assert.ok(own.includes("dist/cli/main.js") && own.includes("bin/trialmesh.mjs"));
    assert.deepEqual(
      own.filter((path) => /^dist\/(?:tests|bench)\//u.test(path)),
      [],
    );
    const modules = new Set(build.modules.map(({ path }) => path.split("/").slice(0, 2).join("/")));
    assert.ok(modules.has("node_modules/zod"));
    for (const name of ["typescript", "oxlint", "fast-check", "node"])
      assert.ok(!modules.has(`node_modules/${name}`), name);
    assert.equal(build.id, valueOf(readBuild(projectFolder)).id);
  });

  test("whatever the code reads beside itself goes along", () => {
    const own = valueOf(readBuild(projectFolder)).own.map(({ path }) => path);
    const named = rooms
      .filter((room) => room !== "bench")
      .flatMap(sourcesIn)
      .flatMap((file) =>
        [...textOf(file).matchAll(/join\(projectFolder((?:, "[^"]+")+)/gu)].map(([, parts = ""]) =>
          [...parts.matchAll(/"([^"]+)"/gu)].map(([, part]) => part).join("/"),
        ),
      );
    assert.ok(named.length > 3);
    assert.deepEqual(
      named.filter((path) => !own.some((file) => file === path || file.startsWith(`${path}/`))),
      [],
    );
  });
});
