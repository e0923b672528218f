/** A home of the first layout brought to today's: who gets a new credential, whose old one counts on, and until when. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as pathOf } from "node:path";
import { after, test } from "node:test";
import { decode, type Account } from "@nats-io/jwt";
import { ensureCredential } from "../../mesh/admission.ts";
import { loadCredential, newUserKeys } from "../../mesh/credential.ts";
import { openHome, saveHome, type Home } from "../../mesh/home.ts";
import { ensureIdentity, keysOf } from "../../mesh/identity.ts";
import { makeInvite } from "../../mesh/invite.ts";
import { revokeUser } from "../../mesh/revoke.ts";
import { trustOf } from "../../mesh/trust.ts";
import { upgradeHome } from "../../mesh/upgrade-home.ts";
import { listUsers, sharedUsers } from "../../mesh/user.ts";
import { issueCredential, join } from "../support/joined-user.ts";
import type { Outcome } from "../../protocol/refusal.ts";

const folder = mkdtempSync(pathOf(tmpdir(), "trialmesh-upgrade-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
const nowS = 1_800_000_000;
const laterS = nowS + 60;

function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) assert.fail(outcome.refusal.message);
  return outcome.value;
}

/** As an earlier version left it: the owner's credential lies here, two agents' and a coordinator's elsewhere. */
async function oldHome(name: string) {
  const path = pathOf(folder, name);
  // Port 9 (discard) refuses at once: these tests need no server.
  const home = valueOf(saveHome(path, "lab", "nats://127.0.0.1:9"));
  const old = valueOf(ensureIdentity(home)).signing.getPublicKey();
  const owner = valueOf(await ensureCredential(home, "owner", "owner", nowS));
  const agent = valueOf(await issueCredential(home, "agent", "alpha", nowS));
  valueOf(await issueCredential(home, "agent", "beta", nowS));
  valueOf(await issueCredential(home, "coordinator", "two", nowS));
  valueOf(await revokeUser(home, "beta", nowS));
  writeFileSync(pathOf(path, "mesh.json"), JSON.stringify({ version: 1, mesh: home.mesh, url: home.url }));
  return { home: valueOf(openHome(path)), old, owner, agent };
}

async function meshClaims(home: Home) {
  const { accounts } = valueOf(await trustOf(home, "accounts"));
  const mesh = valueOf(keysOf(home)).meshAccount.getPublicKey();
  const found = accounts.filter(({ publicKey }) => publicKey === mesh);
  assert.equal(found.length, 1);
  const { nats } = decode<Account>(found[0]?.token ?? "");
  return { signers: nats.signing_keys ?? [], revoked: Object.keys(nats.revocations ?? {}) };
}

const namesOf = (home: Home) =>
  sharedUsers(valueOf(listUsers(home))).map(({ name, role }) => `${role} ${name}`);

test("VERSION-4: credentials in the home are made anew, those elsewhere count on, and no old one can be made any more", async () => {
  const { agent, home, old, owner } = await oldHome("a");
  assert.equal(home.outdated, true);
  const upgraded = valueOf(await upgradeHome(home, laterS));
  assert.deepEqual(upgraded.reissued, ["owner owner"]);
  assert.equal(upgraded.home.outdated, false);
  assert.deepEqual(namesOf(home), ["coordinator two", "agent alpha"]);
  const now = valueOf(await loadCredential(home, "owner", "owner"));
  assert.notEqual(now.publicKey, owner.publicKey);
  const { revoked, signers } = await meshClaims(upgraded.home);
  const signing = valueOf(keysOf(home)).signing.getPublicKey();
  assert.notEqual(signing, old);
  assert.deepEqual(new Set(signers), new Set([signing, old]));
  assert.ok(revoked.includes(owner.publicKey), "the one that lay here is taken back");
  assert.ok(!revoked.includes(agent.publicKey) && !revoked.includes(now.publicKey));
});

test("VERSION-4: invited again, or revoked, a user leaves the shared account; the last takes the old signing key along", async () => {
  const { agent, home, old } = await oldHome("b");
  const current = valueOf(await upgradeHome(home, laterS)).home;
  const { invitation } = valueOf(await makeInvite(current, { role: "agent", name: "alpha", nowS: laterS }));
  assert.deepEqual(
    namesOf(current),
    ["coordinator two", "agent alpha"],
    "as long as it has not joined again",
  );
  valueOf(await join(current, invitation.account, newUserKeys("agent"), laterS));
  assert.deepEqual(namesOf(current), ["coordinator two"]);
  const between = await meshClaims(current);
  assert.ok(between.revoked.includes(agent.publicKey));
  assert.ok(between.signers.includes(old));
  const again = await makeInvite(current, { role: "agent", name: "alpha", nowS: laterS });
  assert.match(again.ok ? "" : again.refusal.message, /already has a credential/);
  valueOf(await revokeUser(current, "two", laterS));
  assert.deepEqual(namesOf(current), []);
  assert.ok(!(await meshClaims(current)).signers.includes(old));
});

test("VERSION-4: a process of this machine does not take the name of a user elsewhere", async () => {
  const { home } = await oldHome("c");
  const current = valueOf(await upgradeHome(home, laterS)).home;
  const taken = await ensureCredential(current, "agent", "alpha", laterS);
  assert.match(taken.ok ? "" : taken.refusal.message, /already has a credential/);
});

test("VERSION-4: broken off half way it is done again, and the key that the others were signed with is still the first", async () => {
  const { home, old } = await oldHome("d");
  const before = readFileSync(pathOf(home.path, "mesh.json"), "utf8");
  valueOf(await upgradeHome(home, laterS));
  writeFileSync(pathOf(home.path, "mesh.json"), before);
  valueOf(await upgradeHome(valueOf(openHome(home.path)), laterS));
  assert.deepEqual(namesOf(home), ["coordinator two", "agent alpha"]);
  const { signers } = await meshClaims(valueOf(openHome(home.path)));
  assert.equal(signers.length, 2);
  assert.ok(signers.includes(old));
});
