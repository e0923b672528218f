/** Invitation lines: what they carry, and that a damaged or altered one is refused. */
import * as fc from "fast-check";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as z from "zod";
import { decode, type User as UserClaims } from "@nats-io/jwt";
import { userAccount } from "../../mesh/account.ts";
import { issueCredential } from "../../mesh/credential.ts";
import { openHome, saveHome, type Home } from "../../mesh/home.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import { acceptInvite, invitedRole, makeInvite, readInvite } from "../../mesh/invite.ts";
import { revokeUser } from "../../mesh/revoke.ts";
import { listUsers, revocationsOf } from "../../mesh/user.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { permissionsOf } from "../../protocol/subjects.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-invite-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const nowS = 1_800_000_000;

function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) assert.fail(outcome.refusal.message);
  return outcome.value;
}
function messageOf(outcome: Outcome<unknown>): string {
  if (outcome.ok) assert.fail("expected a refusal");
  return outcome.refusal.message;
}
function origin(name: string): Home {
  // Port 9 (discard) refuses at once: these tests need no server.
  const home = valueOf(saveHome(join(folder, name), "lab", "nats://127.0.0.1:9"));
  valueOf(ensureIdentity(home));
  return home;
}

test("INV-1: a line gives its reader the address and a credential with the role's permissions, and no more", async () => {
  const home = origin("a");
  const line = valueOf(await makeInvite(home, "agent", "alpha", nowS, "nats://10.0.0.2:4222"));
  assert.match(line, /^tm2\.[A-Za-z0-9_-]+$/);
  const invite = valueOf(await readInvite(`  ${line}\n`));
  assert.equal(invite.url, "nats://10.0.0.2:4222");
  assert.equal(invite.mesh, "lab");
  const token = /-----\n(\S+)\n/.exec(invite.credential.creds)?.[1] ?? "";
  const claims = decode<UserClaims>(token);
  const allowed = permissionsOf("agent", "lab", "alpha");
  assert.deepEqual(claims.nats.pub, { allow: allowed.pub });
  assert.deepEqual(claims.nats.sub, { allow: allowed.sub });
  const identity = valueOf(ensureIdentity(home));
  assert.equal(claims.iss, identity.signing.getPublicKey());
  assert.equal(
    claims.nats.issuer_account,
    userAccount(identity, "lab", "agent", "alpha").getPublicKey(),
    "an account of its own",
  );
});

test("INV-2: a joined home opens, keeps its own credential, and cannot invite or revoke", async () => {
  const line = valueOf(await makeInvite(origin("b"), "agent", "beta", nowS));
  const path = join(folder, "joined");
  const joined = valueOf(await acceptInvite(path, line));
  valueOf(await acceptInvite(path, line));
  assert.deepEqual(valueOf(openHome(path)), joined.home);
  assert.equal(readFileSync(join(path, "creds", "agent.beta.creds"), "utf8"), joined.credential.creds);
  assert.match(messageOf(await makeInvite(joined.home, "viewer", "eyes", nowS)), /holds no keys/);
  assert.match(messageOf(await revokeUser(joined.home, "beta", nowS)), /holds no keys/);
});

test("INV-3: a home of one mesh does not accept an invitation to another", async () => {
  const other = valueOf(saveHome(join(folder, "other"), "elsewhere", "nats://127.0.0.1:9"));
  const line = valueOf(await makeInvite(origin("c"), "viewer", "eyes", nowS));
  assert.match(
    messageOf(await acceptInvite(other.path, line)),
    /belongs to mesh elsewhere and the invitation is to mesh lab/,
  );
});

test("INV-4: a line that is cut, altered, of another version or something else is refused", async () => {
  const line = valueOf(await makeInvite(origin("d"), "requester", "nlp", nowS));
  assert.match(messageOf(await readInvite("hello")), /not an invitation/);
  assert.match(
    messageOf(await readInvite(`tm1.${line.slice(4)}`)),
    /version 1 and this trialmesh reads version 2/,
  );
  const body = z.looseObject({}).parse(JSON.parse(Buffer.from(line.slice(4), "base64url").toString("utf8")));
  const sealed = (changed: object) =>
    `tm2.${Buffer.from(JSON.stringify({ ...body, ...changed })).toString("base64url")}`;
  assert.match(messageOf(await readInvite(sealed({ name: "boss" }))), /another user's credential/);
  assert.match(messageOf(await readInvite(sealed({ role: "owner" }))), /another user's credential/);
  assert.match(messageOf(await readInvite(sealed({ url: "http://x" }))), /field url/);
  assert.match(messageOf(await readInvite(sealed({ creds: "none" }))), /not a credential/);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: line.length - 1 }), async (length) => {
      assert.equal((await readInvite(line.slice(0, length))).ok, false);
    }),
    { numRuns: 40 },
  );
});

test("INV-5: names and roles from a command line are checked before anything is written", async () => {
  const home = origin("e");
  for (const name of ["", "Upper", "a.b", "a b", "-x", "x".repeat(32), "../x", "*", ">"]) {
    assert.match(messageOf(await makeInvite(home, "agent", name, nowS)), /a name is 1 to 31 characters/);
  }
  assert.deepEqual(valueOf(listUsers(home)), []);
  assert.match(messageOf(invitedRole("owner")), /agent, requester, viewer, coordinator/);
  assert.match(messageOf(await makeInvite(home, "agent", "ok", nowS, "10.0.0.1")), /nats:\/\/host:4222/);
});

test("REV-6: a name shared by two roles needs the role; a mistyped one gets the nearest; twice is told", async () => {
  const home = origin("f");
  const agent = valueOf(await issueCredential(home, "agent", "bob", nowS));
  const requester = valueOf(await issueCredential(home, "requester", "bob", nowS));
  assert.match(messageOf(await revokeUser(home, "bob", nowS)), /agent bob, requester bob/);
  assert.match(messageOf(await revokeUser(home, "bpb", nowS)), /did you mean "bob"/);
  const revoked = valueOf(await revokeUser(home, "bob", nowS + 5, "agent"));
  assert.equal(revoked.applied.when, "at-next-start");
  assert.match(messageOf(await revokeUser(home, "bob", nowS, "agent")), /already revoked/);
  assert.deepEqual(revocationsOf(valueOf(listUsers(home))), { [agent.publicKey]: nowS + 5 });
  valueOf(await revokeUser(home, "bob", nowS + 9));
  assert.deepEqual(revocationsOf(valueOf(listUsers(home))), {
    [agent.publicKey]: nowS + 5,
    [requester.publicKey]: nowS + 9,
  });
});

test("INV-6: nobody is invited under the owner's name, by which the owner's programs are told", async () => {
  assert.match(
    messageOf(await makeInvite(origin("own"), "requester", "owner", nowS)),
    /^owner is the name of whoever made this mesh; give the requester another$/,
  );
});
