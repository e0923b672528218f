/** Bundles: equal files make equal bytes, what is read back is what was packed, and what is no bundle or leads out is refused. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import fc from "fast-check";
import { decodeBundle, encodeBundle } from "../../agent/program/bundle.ts";
import { chunkBytesMax, chunkDigest } from "../../artifact/chunk-tree.ts";
import { isHomeFolder } from "../../mesh/home.ts";
import { packFolder, unpackBundle, type PackOptions } from "../../agent/program/bundle-folder.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-bundle-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const path = fc
  .array(fc.stringMatching(/^[a-z0-9_]{1,6}$/), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join("/"));
const file = fc.record(
  { path, content: fc.uint8Array({ maxLength: 40 }), executable: fc.boolean() },
  { noNullPrototype: true },
);
const files = fc.uniqueArray(file, { selector: (one) => one.path, maxLength: 8 });

test("BUNDLE-1: what was packed is read back, and the order it came in leaves no trace", () => {
  fc.assert(
    fc.property(files, fc.jsonValue(), (given, note) => {
      const bytes = encodeBundle({ files: given, note });
      assert.deepEqual(encodeBundle({ files: given.toReversed(), note }), bytes);
      const read = decodeBundle(bytes);
      assert.ok(read.ok);
      const sorted = given.toSorted((a, b) => (a.path < b.path ? -1 : 1));
      assert.deepEqual(
        read.value.files.map((one) => ({ ...one, content: Uint8Array.from(one.content) })),
        sorted,
      );
      assert.deepEqual(read.value.note, JSON.parse(JSON.stringify(note)));
    }),
  );
});

test("BUNDLE-8: of a large folder that is packed again with another note only the first chunk is another one", () => {
  const content = Buffer.alloc(3 * chunkBytesMax + 77, "abc");
  for (let at = 0; at < content.length; at += 4_096) content.writeUInt32LE(at, at);
  const note = fc.record({
    reports: fc.nat(1e9),
    ended: fc.boolean(),
    metrics: fc.dictionary(fc.string(), fc.double()),
  });
  const chunksOf = (bytes: Uint8Array) =>
    Array.from({ length: Math.ceil(bytes.length / chunkBytesMax) }, (_, n) =>
      chunkDigest(bytes.subarray(n * chunkBytesMax, (n + 1) * chunkBytesMax)),
    );
  fc.assert(
    fc.property(note, note, files, (one, other, more) => {
      const given = [...more, { path: "~model", content, executable: false }];
      const [before, after] = [one, other].map((each) => encodeBundle({ files: given, note: each }));
      assert.ok(before !== undefined && after !== undefined);
      assert.deepEqual(chunksOf(after).slice(1), chunksOf(before).slice(1));
      const read = decodeBundle(after);
      assert.ok(read.ok);
      assert.deepEqual(read.value.note, JSON.parse(JSON.stringify(other)));
      const last = read.value.files.at(-1)?.content ?? new Uint8Array();
      assert.ok(content.equals(last));
    }),
    { numRuns: 10 },
  );
  const code = encodeBundle({ files: [{ path: "z", content, executable: false }], note: null });
  assert.ok(code.length < content.length + 200, "what has no note is named as it always was");
});

test("BUNDLE-2: bytes that were cut or are something else are refused, never read", () => {
  fc.assert(
    fc.property(files, fc.nat(), (given, cut) => {
      const bytes = encodeBundle({ files: given, note: null });
      assert.equal(decodeBundle(bytes.subarray(0, cut % bytes.length)).ok, false);
      assert.equal(decodeBundle(Buffer.concat([bytes, Buffer.from("x")])).ok, false);
    }),
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.equal(decodeBundle(bytes).ok, false)));
});

test("BUNDLE-3: a path that leads out of its folder is refused", () => {
  for (const bad of ["../x", "/etc/passwd", "a/../../x", "a\\..\\x", "c:x", "a//b", "./a", "a/.", "a\0b"]) {
    const bytes = encodeBundle({
      files: [{ path: bad, content: Buffer.from("x"), executable: false }],
      note: null,
    });
    assert.equal(decodeBundle(bytes).ok, false, JSON.stringify(bad));
  }
});

const options: PackOptions = {
  maxMiB: 1,
  maxFiles: 20,
  only: null,
  what: "the folder",
  advice: "name what it needs",
};

function made(name: string, texts: Readonly<Record<string, string>>): string {
  const root = join(folder, name);
  for (const [file, text] of Object.entries(texts)) {
    mkdirSync(join(root, file, ".."), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

test("BUNDLE-4: hidden files and tools' folders stay behind unless they are named; the mode comes along", async () => {
  const root = made("pack", {
    "train.py": "print(1)",
    "lib/a.py": "a = 1",
    ".env": "SECRET=1",
    ".git/config": "x",
    "node_modules/x/index.js": "x",
    "lib/__pycache__/a.pyc": "x",
  });
  writeFileSync(join(root, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  const packed = await packFolder(root, options);
  assert.ok(packed.ok);
  assert.deepEqual(
    packed.value.map((one) => one.path),
    ["lib/a.py", "run.sh", "train.py"],
  );
  const named = await packFolder(root, { ...options, only: [".env", "lib"] });
  assert.ok(named.ok);
  assert.deepEqual(
    named.value.map((one) => one.path),
    [".env", "lib/a.py"],
  );
  const target = join(folder, "unpacked");
  await unpackBundle({ files: packed.value, note: null }, target);
  assert.equal(readFileSync(join(target, "lib", "a.py"), "utf8"), "a = 1");
  assert.equal(statSync(join(target, "run.sh")).mode & 0o777, 0o700);
  assert.equal(statSync(join(target, "train.py")).mode & 0o777, 0o600);
});

test("BUNDLE-6: a mesh's home never travels: left out where it is met, refused where it is named or all there is", async () => {
  const home = JSON.stringify({ version: 2, mesh: "lab", url: "nats://127.0.0.1:4222" });
  const root = made("homes", {
    "train.py": "print(1)",
    "state/mesh.json": home,
    "state/keys/signing.nk": "SEED",
    "state/creds/owner.owner.creds": "SEED",
    "state/work/train.py": "print(2)",
    "mesh.json": '{"vertices": 8}',
  });
  symlinkSync(join(root, "state", "keys", "signing.nk"), join(root, "notes.txt"));
  const pack = (at: string, only: readonly string[] | null = null) =>
    packFolder(at, { ...options, only, isSecret: isHomeFolder });
  const packed = await pack(root);
  assert.ok(packed.ok);
  assert.deepEqual(
    packed.value.map((one) => one.path),
    ["mesh.json", "train.py"],
  );
  const refused: readonly [string, readonly string[] | null][] = [
    [root, ["state"]],
    [root, ["train.py", "state/keys/signing.nk"]],
    [root, ["notes.txt"]],
    [join(root, "state"), null],
    [join(root, "state", "work"), null],
  ];
  for (const [at, only] of refused) {
    const outcome = await pack(at, only);
    assert.match(outcome.ok ? "packed" : outcome.refusal.message, /the home of a mesh, or in one: its keys/);
  }
});

test("BUNDLE-5: what is missing, too big, too much or elsewhere is refused with its name and what to do", async () => {
  const root = made("limits", { "small.txt": "x", "data/big.bin": "x".repeat(2 ** 20) });
  const why = async (change: Partial<PackOptions>) => {
    const packed = await packFolder(root, { ...options, ...change });
    return packed.ok ? assert.fail("it was packed") : packed.refusal.message;
  };
  assert.equal(
    await why({}),
    "the folder holds 1.0 MiB and may hold 1 MiB; the largest file is data/big.bin with 1.0 MiB; name what it needs",
  );
  assert.equal(await why({ maxFiles: 1 }), "the folder holds more than 1 files; name what it needs");
  assert.equal(await why({ only: ["nothing.py"] }), "there is no nothing.py in the folder");
  assert.equal(await why({ only: ["../pack"] }), "../pack is not in the folder; only its files travel");
  symlinkSync(folder, join(root, "out"));
  assert.equal(
    await why({ maxMiB: 10 }),
    "out in the folder is a link to outside of it; only its own files travel",
  );
});

test("PROG-19: links within a folder travel as copies; those without an end or a target stay behind and are named", async () => {
  const root = mkdtempSync(join(tmpdir(), "trialmesh-links-"));
  try {
    mkdirSync(join(root, "tables", "2024"), { recursive: true });
    writeFileSync(join(root, "tables", "2024", "rows.txt"), "7");
    symlinkSync("2024", join(root, "tables", "newest"));
    symlinkSync(join(root, "tables"), join(root, "absolute"));
    symlinkSync("..", join(root, "tables", "2024", "up"));
    symlinkSync("runs/17", join(root, "last-run"));
    symlinkSync("itself", join(root, "itself"));
    mkdirSync(join(root, "venv"));
    symlinkSync("venv", join(root, "python"));
    const told: string[] = [];
    const packed = await packFolder(root, { ...options, onLink: (sentence) => told.push(sentence) });
    assert.ok(packed.ok);
    assert.deepEqual(packed.value.map(({ path }) => path).toSorted(), [
      "absolute/2024/rows.txt",
      "absolute/newest/rows.txt",
      "tables/2024/rows.txt",
      "tables/newest/rows.txt",
    ]);
    const links = [
      ...new Set(told.map((sentence) => sentence.replace(/ in the folder.*?(?= is a link)/, ""))),
    ];
    assert.deepEqual(links.toSorted(), [
      "absolute/2024/up is a link to a folder around it, and stays behind",
      "absolute/newest/up is a link to a folder around it, and stays behind",
      "itself is a link that leads nowhere, and stays behind",
      "last-run is a link that leads nowhere, and stays behind",
      "python is a link to venv, which is left out, and stays behind",
      "tables/2024/up is a link to a folder around it, and stays behind",
      "tables/newest/up is a link to a folder around it, and stays behind",
    ]);
    const named = await packFolder(root, { ...options, only: ["last-run"] });
    assert.equal(named.ok ? "" : named.refusal.message, "there is no last-run in the folder");
  } finally {
    rmSync(root, { recursive: true, maxRetries: 5 });
  }
});
