/** What a home refuses, each in one sentence that names the place and the way out. */
import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { homePath, openHome, prepareHome, saveHome } from "../../mesh/home.ts";
import { ensureIdentity, loadIdentity } from "../../mesh/identity.ts";
import { refuseDisk } from "../../system/system-error.ts";
import type { Outcome } from "../../protocol/refusal.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trialmesh-home-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

function messageOf(outcome: Outcome<unknown>): string {
  if (outcome.ok) assert.fail("expected a refusal");
  assert.ok(!outcome.refusal.message.includes("\n"), "one line");
  return outcome.refusal.message;
}

function made() {
  const home = saveHome(join(folder, "home"), "lab", "nats://127.0.0.1:4222");
  if (!home.ok) assert.fail(home.refusal.message);
  return home.value;
}

test("HOME-1: what was saved opens again, and a folder others could read is tightened", () => {
  mkdirSync(join(folder, "home"), { mode: 0o755 });
  chmodSync(join(folder, "home"), 0o755);
  const home = made();
  assert.deepEqual(openHome(home.path), { ok: true, value: home });
  assert.equal(statSync(home.path).mode & 0o777, 0o700);
});

test("HOME-2: refusals name the file and what would be right", () => {
  const home = made();
  const file = join(home.path, "mesh.json");
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      "another version",
      '{"version":7,"mesh":"lab","url":"nats://h:1"}',
      /home of version 7 .* keeps version 2/,
    ],
    ["no version", '{"mesh":"lab"}', /home of version none/],
    ["not JSON", '{"version":1,', /mesh\.json is not JSON/],
    ["a bad mesh", '{"version":1,"mesh":"Lab.x","url":"nats://h:1"}', /mesh\.json, field mesh/],
    ["a bad address", '{"version":1,"mesh":"lab","url":"http://h"}', /field url: .*nats:\/\/host:4222/],
  ];
  for (const [what, text, expected] of cases) {
    writeFileSync(file, text);
    assert.match(messageOf(openHome(home.path)), expected, what);
  }
  assert.match(messageOf(openHome(join(folder, "absent"))), /no mesh in .*trialmesh up/);
  writeFileSync(join(folder, "file"), "");
  assert.match(messageOf(openHome(join(folder, "file"))), /is not a folder; set TRIALMESH_HOME/);
  assert.match(messageOf(saveHome(join(folder, "file"), "lab", "nats://h:1")), /folder/);
  assert.match(messageOf(saveHome(join(folder, "x"), "Not A Name", "nats://h:1")), /field mesh/);
});

test("HOME-3: a failing disk is told by its cause", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["ENOSPC", /the disk is full; free some space/],
    ["EDQUOT", /the disk is full/],
    ["EACCES", /permission denied/],
    ["EROFS", /read-only/],
    ["EIO", /EIO/],
  ];
  for (const [code, expected] of cases) {
    const message = messageOf(refuseDisk(Object.assign(new Error("failed"), { code }), "write", "/home/x"));
    assert.match(message, expected);
    assert.match(message, /\/home\/x/);
  }
  assert.throws(() => refuseDisk(new RangeError("a defect of ours"), "write", "/home/x"), RangeError);
});

test("HOME-4: keys are made once, and a home that lost some is refused rather than given new ones", () => {
  const home = made();
  assert.match(messageOf(loadIdentity(home)), /holds no keys/);
  const first = ensureIdentity(home);
  const again = ensureIdentity(home);
  assert.ok(first.ok && again.ok);
  assert.equal(again.value.operator.getPublicKey(), first.value.operator.getPublicKey());
  assert.equal(again.value.signing.getPublicKey(), first.value.signing.getPublicKey());
  const signing = join(home.path, "keys", "signing.nk");
  const seed = readFileSync(signing, "utf8");
  unlinkSync(signing);
  writeFileSync(join(home.path, "creds", "owner.owner.creds"), "");
  assert.match(messageOf(ensureIdentity(home)), /lacks signing; restore/);
  writeFileSync(signing, `${seed.slice(0, 20)}\n`);
  assert.match(messageOf(ensureIdentity(home)), /signing\.nk does not hold a seed/);
});

test("HOME-6: a home whose making was broken off among its keys is none yet, and is made at the next try", () => {
  const home = prepareHome(join(folder, "home"), "lab", "nats://127.0.0.1:4222");
  assert.ok(home.ok);
  for (const kept of [1, 2, 3]) {
    const first = ensureIdentity(home.value);
    assert.ok(first.ok);
    for (const name of ["system-account", "mesh-account", "signing"].slice(kept - 1))
      unlinkSync(join(home.value.path, "keys", `${name}.nk`));
    assert.match(messageOf(openHome(home.value.path)), /^no mesh in/);
    assert.ok(ensureIdentity(home.value).ok, `${kept} of its keys were there`);
  }
  assert.ok(saveHome(home.value.path, "lab", "nats://127.0.0.1:4222").ok);
  assert.ok(openHome(home.value.path).ok && loadIdentity(home.value).ok);
});

test("HOME-5: TRIALMESH_HOME decides, else the user's own folder", () => {
  assert.equal(homePath({ TRIALMESH_HOME: "/srv/mesh" }), "/srv/mesh");
  assert.match(homePath({}), /\.trialmesh$/);
  assert.match(homePath({ TRIALMESH_HOME: "" }), /\.trialmesh$/);
});
