/** PERSON-2: what was put onto this machine alone is known as that to every process of it, until it is put into the mesh. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import { DigestMark } from "../../artifact/store/digest-mark.ts";
import { putArtifact } from "../../client/artifact/put-artifact.ts";
import { valueOf } from "../../bench/shared/value-of.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-withheld-"));
const store = new ArtifactStore({ folder: join(folder, "store"), clock: systemClock, quotaBytes: null });
after(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

test("PERSON-2: what is put where the mesh cannot be asked is withheld, and what was here before is not", async () => {
  const desk = { store, mesh: null, named: [] };
  const { withheld } = store;
  const put = async (text: string) => {
    const path = join(folder, "file");
    writeFileSync(path, text);
    return valueOf(await putArtifact(desk, path, () => undefined)).digest;
  };
  const { digest: known, held } = await store.addBytes(Buffer.from("of the mesh"));
  held.release();
  assert.equal(withheld.has(known), false);
  assert.equal(await put("of the mesh"), known);
  assert.equal(withheld.has(known), false);
  const own = await put("mine alone");
  assert.equal(withheld.has(own), true);
  assert.equal(await store.chunk(own), null, "nor is the mesh's store mended with it");
  assert.equal(new DigestMark(join(store.folder, "withheld")).has(own), true, "to another process");
  withheld.remove(own);
  withheld.remove(own);
  assert.equal(withheld.has(own), false);
  assert.notEqual(await store.chunk(own), null);
  assert.ok(existsSync(store.pathOf(own)));
});
