/** `trialmesh artifact` on a mesh: files and folders in and out, by digest, by its beginning and by name; pins; damage told and healed. */
import assert from "node:assert/strict";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { artifactName } from "../../artifact/name-artifact.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { madeBytes } from "../support/artifact-child.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

describe("trialmesh artifact", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  const at = (name: string) => join(mesh.cli.folder, name);
  const ok = async (...words: readonly string[]) => (await mesh.ok(LiveMesh.home, "artifact", ...words)).out;
  const refused = (...words: readonly string[]) => mesh.refused(LiveMesh.home, "artifact", ...words);
  const forget = (digest: string) => {
    for (const suffix of ["", ".tree"])
      rmSync(join(mesh.homePath(LiveMesh.home), "artifacts/files", digest.slice(0, 2), digest + suffix), {
        force: true,
      });
  };
  const put = async (path: string) =>
    JSON.parse(await ok("put", path, "--json")) as { digest: string; sent: boolean };
  before(async () => {
    await mesh.up("--port", "0", "--slots", "1");
  });
  after(() => mesh.close());

  test("a file goes in and comes out, from this machine or from the mesh, and lies nowhere half", async () => {
    const bytes = madeBytes(3 * bytesPerMiB + 17, 5);
    writeFileSync(at("weights.bin"), bytes);
    const { digest, sent } = await put(at("weights.bin"));
    assert.ok(sent);
    assert.equal((await put(at("weights.bin"))).sent, false);
    assert.match(
      await ok("ls"),
      new RegExp(`^DIGEST .*\\n${digest.slice(0, 12)} +3.0 MiB +file +here, mesh +- `, "m"),
    );
    forget(digest);
    const path = (await ok("get", digest.slice(0, 8))).trim();
    assert.ok(readFileSync(path).equals(bytes));
    assert.match(await ok("get", digest, "--out", at("copy.bin")), /copy.bin is the file, 3.0 MiB/);
    assert.ok(readFileSync(at("copy.bin")).equals(bytes));
    assert.match(
      await refused("get", digest, "--out", at("copy.bin")),
      /copy.bin is there already; name another place with --out/,
    );
    assert.match(
      await refused("get", digest, "--out", at("none/copy.bin")),
      /cannot write .*none\/copy.bin: there is no such file/,
    );
    const shown = JSON.parse(await ok("show", digest.slice(0, 10), "--json")) as Record<string, unknown>;
    assert.deepEqual(
      [shown["digest"], shown["bytes"], shown["kind"], shown["here"], shown["inMesh"]],
      [digest, bytes.length, "file", true, true],
    );
  });

  test("a folder goes in and comes out with what may be run", async () => {
    mkdirSync(at("tools/deep"), { recursive: true });
    writeFileSync(at("tools/run.sh"), "echo hi\n");
    chmodSync(at("tools/run.sh"), 0o755);
    writeFileSync(at("tools/deep/data.txt"), "data");
    const { digest } = await put(at("tools"));
    forget(digest);
    assert.match(await ok("get", digest, "--out", at("again")), /again is a folder of 2 files/);
    assert.equal(readFileSync(at("again/deep/data.txt"), "utf8"), "data");
    assert.notEqual(statSync(at("again/run.sh")).mode & 0o100, 0);
    assert.equal((await put(at("again"))).digest, digest);
    assert.match(await ok("ls"), new RegExp(`${digest.slice(0, 12)} .* folder `));
    symlinkSync("run.sh", at("again/link"));
    assert.match(
      await refused("put", at("again")),
      /link is a link; a folder is packed of files and folders/,
    );
    assert.match(await refused("put", at("nothing")), /cannot read .*nothing: there is no such file/);
  });

  test("damage is told, with its chunks, and healed out of the mesh's store", async () => {
    const bytes = madeBytes(2 * bytesPerMiB + 1, 8);
    writeFileSync(at("large"), bytes);
    const { digest } = await put(at("large"));
    const path = (await ok("get", digest)).trim();
    const file = openSync(path, "r+");
    writeSync(file, Buffer.from([bytes[7] === 1 ? 2 : 1]), 0, 1, 7);
    closeSync(file);
    const found = await mesh.cli.run(LiveMesh.home, "artifact", "verify", digest);
    assert.equal(found.code, 1);
    assert.match(
      found.out,
      new RegExp(`^${digest.slice(0, 12)} is damaged, in 1 chunk; \`--heal\` brings it again`),
    );
    assert.match(await ok("verify", digest, "--heal"), /was damaged, in 1 chunk and is whole again/);
    assert.ok(readFileSync(path).equals(bytes));
    assert.match(await ok("verify"), /artifacts of \d+ are as their digests say\n$/);
  });

  test("a pin is kept and taken away; what nobody knows is a sentence", async () => {
    writeFileSync(at("small"), "small");
    const { digest } = await put(at("small"));
    assert.match(await ok("pin", digest.slice(0, 9)), /stays on this machine and in the mesh's store$/m);
    assert.match(await ok("ls"), new RegExp(`${digest.slice(0, 12)} .* yes `));
    assert.match(await ok("unpin", digest), /may go when its room is needed and nothing refers to it/);
    assert.match(await refused("get", "0".repeat(64)), /artifact 0{12} is not in the mesh's store/);
    for (const [text, sentence] of [
      ["0123456", /too little of a digest; give 8 characters or more/],
      ["01234567", /no artifact that is known here has a digest that begins with 01234567/],
      ["reviews@2", /no version is called reviews@2/],
      ["../x", /names no artifact; give its digest, or a version such as reviews@2/],
    ] as const)
      assert.match(await refused("show", text), sentence);
    assert.ok(!existsSync(join(mesh.homePath(LiveMesh.home), "artifacts/files/00", "0".repeat(64))));
  });

  test("a checkpoint that a trial left is in the mesh, and comes out as its file", async () => {
    const sweep = await mesh.submit({ name: "named", trials: 1, epochs: 1, milliseconds: 5, seed: 3 });
    const { trials } = await mesh.ended(sweep);
    const artifact = trials[0]?.artifact ?? "";
    const shown = async () => JSON.parse(await ok("show", artifact, "--json")) as Record<string, unknown>;
    assert.equal((await shown())["inMesh"], true);
    const path = (await ok("get", artifact)).trim();
    assert.equal(artifactName(readFileSync(path)), artifact);
    assert.equal((await shown())["here"], true);
  });
});
