/** Folders as artifacts: equal folders are equal bytes, what comes out is what went in, and nothing in a manifest is believed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { chunkBytesMax } from "../../artifact/chunk-tree.ts";
import { folderHead, manifestLine, pathFault } from "../../artifact/folder/folder-manifest.ts";
import { listForPack, packFolderBytes } from "../../artifact/folder/pack-folder.ts";
import { unpackFolder } from "../../artifact/folder/unpack-folder.ts";

const root = mkdtempSync(join(tmpdir(), "trialmesh-folders-"));
after(() => rmSync(root, { recursive: true, force: true, maxRetries: 5 }));
let count = 0;
const place = () => join(root, String(++count));

interface MadeFile {
  readonly content: Uint8Array;
  readonly runs: boolean;
}
type Made = ReadonlyMap<string, MadeFile | null>;

function make(made: Made, reversed = false): string {
  const folder = place();
  mkdirSync(folder);
  const all = reversed ? [...made].toReversed() : [...made];
  for (const [path, file] of all) {
    if (file === null) mkdirSync(join(folder, path), { recursive: true });
    else {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), file.content);
      chmodSync(join(folder, path), file.runs ? 0o755 : 0o640);
    }
  }
  return folder;
}

async function packed(folder: string): Promise<Buffer> {
  const listed = await listForPack(folder);
  assert.ok(listed.ok);
  const pieces: Buffer[] = [];
  for await (const piece of packFolderBytes(listed.value)) pieces.push(Buffer.from(piece));
  const bytes = Buffer.concat(pieces);
  assert.equal(bytes.length, listed.value.bytes);
  return bytes;
}

async function unpack(bytes: Uint8Array) {
  const [path, out] = [place(), place()];
  writeFileSync(path, bytes);
  const unpacked = await unpackFolder({ path, bytes: bytes.length }, out);
  if (!unpacked.ok) assert.ok(!existsSync(out), "nothing half-kept");
  assert.deepEqual(
    readdirSync(root).filter((name) => name.includes("part")),
    [],
  );
  return { unpacked, out };
}

function found(folder: string): Map<string, MadeFile | null> {
  const all = new Map<string, MadeFile | null>();
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const stats = statSync(join(folder, path));
    if (stats.isFile())
      all.set(path, { content: readFileSync(join(folder, path)), runs: (stats.mode & 0o100) !== 0 });
    else if (readdirSync(join(folder, path)).length === 0) all.set(path, null);
  }
  return all;
}

const part = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 12 }),
    fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" }),
    fc.constantFrom("a", "b", "a.b", "-", " ", "ä", "…"),
  )
  .map((name) => name.replaceAll(/[/\\\0]/g, "_").toWellFormed())
  .filter(
    (name) => name !== "." && name !== ".." && Buffer.byteLength(name) < 200 && !/^[a-zA-Z]:/.test(name),
  );
const content = fc.oneof(
  fc.uint8Array({ maxLength: 3_000 }),
  fc
    .constantFrom(0, 1, chunkBytesMax - 1, chunkBytesMax, chunkBytesMax + 5)
    .map((length) => new Uint8Array(length).fill(length % 251)),
);
const files = fc
  .array(fc.record({ parts: fc.array(part, { minLength: 1, maxLength: 3 }), content, runs: fc.boolean() }), {
    maxLength: 8,
  })
  .map((all) => {
    const made = new Map<string, MadeFile>();
    for (const { parts, ...file } of all) {
      const path = parts.join("/");
      const clashes = [...made.keys()].some(
        (other) => other === path || other.startsWith(`${path}/`) || path.startsWith(`${other}/`),
      );
      if (!clashes) made.set(path, file);
    }
    return made;
  });

test("a folder comes out as it went in, and equal folders are equal bytes however they were made", async () => {
  await fc.assert(
    fc.asyncProperty(files, async (made) => {
      const bytes = await packed(make(made));
      assert.ok((await packed(make(made, true))).equals(bytes));
      const { out, unpacked } = await unpack(bytes);
      assert.ok(unpacked.ok, JSON.stringify(unpacked));
      const there = found(out);
      assert.equal(there.size, made.size);
      for (const [path, file] of made) {
        assert.ok(Buffer.from(there.get(path)?.content ?? []).equals(file.content), path);
        assert.equal(there.get(path)?.runs, file.runs);
      }
      assert.ok((await packed(out)).equals(bytes));
    }),
    { numRuns: 40 },
  );
  const empty = make(new Map([["a/b", null]]));
  const { out } = await unpack(await packed(empty));
  assert.deepEqual([...found(out)], [["a/b", null]]);
});

test("what is no file and no folder, or changes while it is read, is refused in one sentence", async () => {
  const made: Made = new Map([["a", { content: new Uint8Array(9), runs: false }]]);
  const withLink = make(made);
  symlinkSync("a", join(withLink, "link"));
  const withPipe = make(made);
  execFileSync("mkfifo", [join(withPipe, "pipe")]);
  for (const [folder, sentence] of [
    [withLink, /^link is a link; a folder is packed of files and folders$/],
    [withPipe, /^pipe is a pipe; a folder is packed of files and folders$/],
    [join(root, "none"), /there is no such file/],
  ] as const) {
    const listed = await listForPack(folder);
    assert.ok(!listed.ok && sentence.test(listed.refusal.message), String(sentence));
  }
  const changes: readonly ((path: string) => void)[] = [
    (path) => writeFileSync(path, "longer than it was"),
    (path) => writeFileSync(path, "short"),
    (path) => rmSync(path),
    (path) => utimesSync(path, 1, 1),
    (path) => {
      rmSync(path);
      symlinkSync("/etc/hostname", path);
    },
  ];
  for (const change of changes) {
    const folder = make(made);
    const listed = await listForPack(folder);
    assert.ok(listed.ok);
    change(join(folder, "a"));
    await assert.rejects(async () => {
      for await (const piece of packFolderBytes(listed.value)) assert.ok(piece.length > 0);
    }, /^Error: a changed while it was read$/);
  }
});

const hostilePaths: readonly (readonly [path: string, fault: RegExp])[] = [
  ["../a", /leads out/],
  ["a/../../b", /leads out/],
  ["/etc/passwd", /absolute/],
  ["C:/a", /absolute/],
  ["c:a", /absolute/],
  ["a\\..\\b", /backslash/],
  ["a\0b", /zero/],
  ["a//b", /empty part/],
  ["./a", /empty part/],
  ["a/", /empty part/],
  ["n".repeat(256), /more than 255 bytes/],
  ["d/".repeat(2_048) + "e", /longer than 1024 bytes|cannot be read/],
  ["n".repeat(4_096), /longer than 1024 bytes|cannot be read/],
  ["a\ud800", /UTF-8/],
];

test("no path leads out of its folder, and none is longer than a disk takes", async () => {
  for (const [path, fault] of hostilePaths) {
    assert.match(`${String(pathFault(path))} cannot be read`, fault);
    const manifest = Buffer.from(manifestLine({ path, bytes: 1 }));
    const { unpacked } = await unpack(
      Buffer.concat([folderHead(manifest.length), manifest, Buffer.from("x")]),
    );
    assert.ok(!unpacked.ok && fault.test(unpacked.refusal.message), `${path}: ${JSON.stringify(unpacked)}`);
    assert.ok(unpacked.refusal.message.length < 200);
  }
});

test("nothing that a manifest says of sizes, order or names is believed", async () => {
  const line = (path: string, bytes: number) => manifestLine({ path, bytes });
  const cases: readonly (readonly [manifest: string, content: string, sentence: RegExp])[] = [
    [line("a", 5), "1234", /manifest says more/],
    [line("a", 3), "1234", /manifest says/],
    [line("a", Number.MAX_SAFE_INTEGER), "1", /cannot be read/],
    [line("a", -1), "1", /cannot be read/],
    [line("b", 1) + line("a", 1), "12", /out of its order/],
    [line("a", 1) + line("a", 1), "12", /out of its order/],
    [line("a", 1) + line("a/b", 1), "12", /one name on this disk/],
    ["{", "1", /line 1 of the folder's manifest cannot be read/],
    [`{"path":"a","bytes":1,"link":"/etc/passwd"}\n`, "1", /cannot be read/],
  ];
  for (const [manifest, text, sentence] of cases) {
    const bytes = Buffer.concat([
      folderHead(Buffer.byteLength(manifest)),
      Buffer.from(manifest),
      Buffer.from(text),
    ]);
    const { unpacked } = await unpack(bytes);
    assert.ok(
      !unpacked.ok && sentence.test(unpacked.refusal.message),
      `${manifest} ${JSON.stringify(unpacked)}`,
    );
  }
  const cut = await unpack(Buffer.concat([folderHead(50), Buffer.from("{}")]));
  assert.ok(!cut.unpacked.ok && /cut off/.test(cut.unpacked.refusal.message));
  const none = await unpack(Buffer.from("just a file"));
  assert.ok(!none.unpacked.ok && /a file and no folder/.test(none.unpacked.refusal.message));
});

test("any bytes behind a folder's mark are refused or unpacked below their place, and never throw", async () => {
  const bytes = await packed(
    make(
      new Map([
        ["a", { content: Buffer.from("one"), runs: true }],
        ["b/c", { content: Buffer.from("two"), runs: false }],
      ]),
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 }),
      async (changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, byte] of changes) changed[at] = byte;
        const { out } = await unpack(changed);
        rmSync(out, { recursive: true, force: true, maxRetries: 5 });
      },
    ),
    { numRuns: 300 },
  );
});
