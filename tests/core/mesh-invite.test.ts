/** Invitations: what a code looks like, what it is exchanged for, and how often. The server between is `identity-invitation.test.ts`. */
import { decode, type Account, type User as UserClaims } from "@nats-io/jwt";
import * as fc from "fast-check";
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as pathOf } from "node:path";
import { after, test } from "node:test";
import { userAccount } from "../../mesh/account.ts";
import { newUserKeys } from "../../mesh/credential.ts";
import { exchange } from "../../mesh/exchange.ts";
import { saveHome, type Home } from "../../mesh/home.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import { accountOfCode, codeOf, codeSecretBytes, readCode } from "../../mesh/invitation-code.ts";
import {
  forgetOldInvitations,
  idOf,
  listInvitations,
  readInvitation,
  saveInvitation,
} from "../../mesh/invitation.ts";
import { invitedRole, makeInvite, withdrawInvite, type InvitedRole } from "../../mesh/invite.ts";
import { readInviteLine } from "../../mesh/invite-line.ts";
import { revokeUser } from "../../mesh/revoke.ts";
import { trustOf } from "../../mesh/trust.ts";
import { listUsers, revocationsOf } from "../../mesh/user.ts";
import { pinBytes } from "../../protocol/certificate/authority-pin.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { permissionsOf } from "../../protocol/subjects.ts";
import { issueCredential, join, joiningOf } from "../support/joined-user.ts";

const folder = mkdtempSync(pathOf(tmpdir(), "trialmesh-invite-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
const nowS = 1_800_000_000;
const dayS = 24 * 3600;

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
  const home = valueOf(saveHome(pathOf(folder, name), "lab", "nats://127.0.0.1:9"));
  valueOf(ensureIdentity(home));
  return home;
}
async function invited(home: Home, role: InvitedRole, name: string, more: object = {}) {
  return valueOf(await makeInvite(home, { role, name, nowS, ...more }));
}

const secrets = fc.uint8Array({ minLength: codeSecretBytes, maxLength: codeSecretBytes });
const symbols = "0123456789abcdefghjkmnpqrstvwxyz";

test("INV-1: a line is at most 60 characters with an address of the network, and holds no credential", async () => {
  const home = origin("a");
  const { code } = await invited(home, "agent", "alpha", { url: "nats://192.168.100.200:65535" });
  assert.match(code, /^tm3\.([0-9a-z]{4}-){4}[0-9a-z]{4}@192\.168\.100\.200:65535$/);
  assert.ok(code.length <= 60, code);
  const line = valueOf(readInviteLine(`  ${code}\n`));
  assert.equal(line.url, "nats://192.168.100.200:65535");
  const secret = code.slice(4, code.indexOf("@"));
  for (const file of readdirSync(pathOf(home.path, "invites")))
    assert.ok(!readFileSync(pathOf(home.path, "invites", file), "utf8").includes(secret), "kept nowhere");
});

test("INV-1: what is exchanged has the role's permissions, in an account of its own, for the key that was handed over", async () => {
  const home = origin("a2");
  const { invitation } = await invited(home, "agent", "alpha");
  const keys = newUserKeys("agent");
  const credential = valueOf(await join(home, invitation.account, keys, nowS));
  const claims = decode<UserClaims>(/-----\n(\S+)\n/.exec(credential.creds)?.[1] ?? "");
  const allowed = permissionsOf("agent", "lab", "alpha");
  assert.deepEqual(claims.nats.pub, { allow: allowed.pub });
  assert.deepEqual(claims.nats.sub, { allow: allowed.sub });
  assert.equal(claims.sub, keys.user.getPublicKey());
  const identity = valueOf(ensureIdentity(home));
  assert.equal(claims.iss, identity.signing.getPublicKey());
  assert.equal(claims.nats.issuer_account, userAccount(identity, "lab", "agent", "alpha").getPublicKey());
  assert.equal(credential.signingKey, null);
});

test("INV-2: the account that a code opens may ask the exchange about its own invitation, and nothing else", async () => {
  const home = origin("b");
  const { code, invitation } = await invited(home, "viewer", "eyes");
  assert.equal(accountOfCode(valueOf(readInviteLine(code)).code).getPublicKey(), invitation.account);
  const { accounts } = valueOf(await trustOf(home, "accounts"));
  const token = accounts.find(({ publicKey }) => publicKey === invitation.account)?.token ?? "";
  const { nats } = decode<Account>(token);
  assert.deepEqual(
    nats.imports?.map(({ subject }) => subject),
    [`tm.v1.lab.exchange.${invitation.account}`],
  );
  assert.deepEqual(
    [nats.exports, nats.limits?.streams, nats.limits?.exports, nats.limits?.disk_storage, nats.limits?.conn],
    [undefined, 0, 0, 0, 4],
  );
});

test("INV-4: however it is typed a code is the same, and a slip is told as one", () => {
  fc.assert(
    fc.property(secrets, fc.nat(19), fc.nat(30), fc.nat(16), (secret, place, by, first) => {
      const code = codeOf(secret);
      assert.deepEqual(valueOf(readCode(code)), { code, pin: null });
      const plain = code.slice(4).replaceAll("-", "");
      assert.equal(valueOf(readCode(`TM3.${plain.toUpperCase()}`)).code, code);
      assert.equal(valueOf(readCode(`tm3.${plain.replaceAll("0", "o").replaceAll("1", "l")}`)).code, code);
      const wrong = symbols[(symbols.indexOf(plain[place] ?? "") + 1 + by) % symbols.length] ?? "";
      const slip = readCode(`tm3.${plain.slice(0, place)}${wrong}${plain.slice(place + 1)}`);
      assert.match(messageOf(slip), /there is a slip in the invitation's code/);
      const [one, other] = [plain[first], plain[first + 1]];
      const swapped = `tm3.${plain.slice(0, first)}${other}${one}${plain.slice(first + 2)}`;
      if (one !== other) assert.match(messageOf(readCode(swapped)), /there is a slip/);
      assert.match(messageOf(readCode(code.slice(0, 4 + place))), /cut short: it has \d+ letters/);
    }),
    { numRuns: 200 },
  );
});

test("TLS-5: a code with a pin gives it back, however it is typed, and every slip in it is told", () => {
  const pins = fc.uint8Array({ minLength: pinBytes, maxLength: pinBytes });
  fc.assert(
    fc.property(secrets, pins, fc.nat(45), fc.nat(30), fc.nat(44), (secret, pin, place, by, first) => {
      const code = codeOf(secret, pin);
      assert.match(code, /^tm4\.([0-9a-z]{4}-){11}[0-9a-z]{2}$/);
      const read = valueOf(readCode(code.toUpperCase()));
      assert.deepEqual(read, { code, pin });
      const plain = code.slice(4).replaceAll("-", "");
      assert.deepEqual(valueOf(readCode(`tm4.${plain}`)), read);
      const wrong = symbols[(symbols.indexOf(plain[place] ?? "") + 1 + by) % symbols.length] ?? "";
      const slip = readCode(`tm4.${plain.slice(0, place)}${wrong}${plain.slice(place + 1)}`);
      assert.match(messageOf(slip), /there is a slip in the invitation's code/);
      const [one, other] = [plain[first], plain[first + 1]];
      const swapped = `tm4.${plain.slice(0, first)}${other}${one}${plain.slice(first + 2)}`;
      if (one !== other) assert.match(messageOf(readCode(swapped)), /there is a slip/);
      assert.match(messageOf(readCode(`tm3.${plain}`)), /too long/);
      assert.notEqual(
        accountOfCode(code).getPublicKey(),
        accountOfCode(codeOf(secret)).getPublicKey(),
        "the pin cannot be taken out",
      );
    }),
    { numRuns: 100 },
  );
});

test("INV-4: a line that is cut, of another version, without an address or something else is refused", () => {
  const code = codeOf(new Uint8Array(codeSecretBytes).fill(7));
  assert.match(
    messageOf(readInviteLine("hello")),
    /^this is not an invitation \(it would start with tm4\.\)/,
  );
  assert.match(
    messageOf(readInviteLine("tm2.eyJ2IjoyfQ")),
    /version 2 and this trialmesh reads versions 3 and 4; ask/,
  );
  assert.match(messageOf(readInviteLine(code)), /lacks the mesh's address behind an @; paste/);
  assert.match(messageOf(readInviteLine(`${code}@`)), /nats:\/\/host:4222/);
  assert.match(messageOf(readInviteLine(`${code}@a b`)), /nats:\/\/host:4222/);
  assert.match(messageOf(readInviteLine(`${code}u@host`)), /has no "u"/);
  assert.equal(valueOf(readInviteLine(`${code}@attic`)).url, "nats://attic:4222");
  assert.equal(valueOf(readInviteLine(`${code}@tls://attic:5000`)).url, "tls://attic:5000");
  assert.equal(valueOf(readInviteLine(`${code}@[fe80::1]:5000`)).url, "nats://[fe80::1]:5000");
  fc.assert(
    fc.property(fc.string(), (line) => {
      assert.equal(readInviteLine(line).ok, false);
    }),
  );
});

test("INV-5: names, roles, addresses and counts are checked before anything is written", async () => {
  const home = origin("e");
  const refused = async (more: object) =>
    messageOf(await makeInvite(home, { role: "agent", name: "ok", nowS, ...more }));
  for (const name of ["", "Upper", "a.b", "a b", "-x", "x".repeat(32), "../x", "*", ">"])
    assert.match(await refused({ name }), /a name is 1 to 31 characters/);
  assert.match(messageOf(invitedRole("owner")), /agent, requester, viewer, coordinator/);
  assert.match(await refused({ url: "10.0.0.1" }), /nats:\/\/host:4222/);
  for (const url of ["nats://me:pw@10.0.0.1:4222", "http://10.0.0.1:1", "nats://a b:1", "nats://:4222"])
    assert.match(await refused({ url }), /looks like nats:\/\/host:4222/);
  for (const uses of [0, -1, 1.5, 101, Number.NaN])
    assert.match(await refused({ uses }), /1 to 100 machines/);
  assert.match(await refused({ uses: 2, name: "x".repeat(31) }), /gets a number behind the name/);
  assert.deepEqual(valueOf(listUsers(home)), []);
  assert.deepEqual(valueOf(listInvitations(home)), []);
});

test("INV-6: nobody is invited under the owner's name, by which the owner's programs are told", async () => {
  assert.match(
    messageOf(await makeInvite(origin("own"), { role: "requester", name: "owner", nowS })),
    /^owner is the name of whoever made this mesh; give the requester another$/,
  );
});

test("INV-7: the first machine gets in, the same one asking again gets the same, a second is told by whom and when", async () => {
  const home = origin("g");
  const { invitation } = await invited(home, "agent", "tower");
  const [first, second] = [newUserKeys("agent"), newUserKeys("agent")];
  const once = valueOf(await join(home, invitation.account, first, nowS, "attic"));
  const again = valueOf(await join(home, invitation.account, first, nowS + 5, "attic"));
  assert.deepEqual([again.publicKey, again.name], [once.publicKey, "tower"]);
  assert.equal(
    messageOf(await join(home, invitation.account, second, nowS + 60, "cellar\u001b[31m")),
    "this invitation was used by attic as tower at 2027-01-15 08:00 UTC; ask the mesh's owner for a new `trialmesh invite agent tower`",
  );
  const known = valueOf(readInvitation(home, invitation.account));
  assert.deepEqual(
    known?.used.map(({ machine }) => machine),
    ["attic"],
  );
  assert.deepEqual(known?.turnedAway, [{ machine: "cellar-31m", at: nowS + 60 }]);
  assert.deepEqual(
    valueOf(listUsers(home)).map(({ publicKey }) => publicKey),
    [first.user.getPublicKey()],
  );
});

test("INV-7: of many machines at once as many get in as was said, whoever they are and however they interleave", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 6 }),
      async (uses, machines) => {
        const home = origin(`many-${uses}-${machines}`);
        const { invitation } = await invited(home, "agent", "pool", { uses });
        const keys = Array.from({ length: machines }, () => newUserKeys("agent"));
        const answers = await Promise.all(keys.map((own) => join(home, invitation.account, own, nowS)));
        const names = answers.flatMap((answer) => (answer.ok ? [answer.value.name] : []));
        assert.equal(names.length, Math.min(uses, machines));
        assert.equal(new Set(names).size, names.length, "an agent has a name to itself");
        rmSync(home.path, { recursive: true, maxRetries: 5 });
      },
    ),
    { numRuns: 12 },
  );
});

test("INV-7: a crash after the use was noted and before the user was costs nothing: the same machine asks again", async () => {
  const home = origin("crash");
  const { invitation } = await invited(home, "agent", "tower");
  const keys = newUserKeys("agent");
  const use = { publicKey: keys.user.getPublicKey(), name: "tower", machine: "attic", at: nowS };
  valueOf(saveInvitation(home, { ...invitation, used: [use] }));
  assert.match(
    messageOf(await join(home, invitation.account, newUserKeys("agent"), nowS)),
    /was used by attic/,
  );
  assert.equal(valueOf(await join(home, invitation.account, keys, nowS + 9)).publicKey, use.publicKey);
  assert.deepEqual(
    valueOf(listUsers(home)).map(({ name }) => name),
    ["tower"],
  );
});

test("INV-8: expired, taken back, replaced and another mesh's: each is told as that, and lets nobody in", async () => {
  const home = origin("h");
  const stranger = () => newUserKeys("agent");
  const late = await invited(home, "agent", "late");
  const soon = await invited(home, "agent", "soon", { lifeS: 60 });
  const ever = await invited(home, "agent", "ever", { lifeS: null });
  const account = ({ invitation }: { invitation: { account: string } }) => invitation.account;
  assert.match(
    messageOf(await join(home, account(soon), stranger(), nowS + 60)),
    /^this invitation expired at 2027-/,
  );
  assert.match(
    messageOf(await join(home, account(late), stranger(), nowS + dayS)),
    /expired at .*invite agent late`$/,
  );
  valueOf(await join(home, account(ever), stranger(), nowS + 400 * dayS));
  const first = await invited(home, "viewer", "vera");
  const other = await invited(home, "viewer", "vera");
  assert.equal(other.replaced, 1);
  assert.match(
    messageOf(await join(home, account(first), stranger(), nowS)),
    /^this invitation was taken back at/,
  );
  valueOf(await withdrawInvite(home, idOf(other.invitation), nowS));
  assert.match(messageOf(await join(home, account(other), stranger(), nowS)), /was taken back/);
  assert.match(messageOf(await withdrawInvite(home, idOf(other.invitation), nowS)), /is withdrawn already/);
  assert.match(messageOf(await withdrawInvite(home, "aaaaaaaa", nowS)), /there is no invitation aaaaaaaa/);
  const identity = valueOf(ensureIdentity(home));
  const third = await invited(home, "viewer", "third");
  const elsewhere = joiningOf(stranger(), "tower", { mesh: "elsewhere" });
  assert.match(
    messageOf(await exchange(home, identity, account(third), elsewhere, nowS)),
    /belongs to mesh elsewhere and the invitation is to mesh lab; choose another folder/,
  );
  assert.match(
    messageOf(
      await exchange(home, identity, account(third), joiningOf(stranger(), "t", { role: "agent" }), nowS),
    ),
    /this invitation is for a viewer, not for an agent; ask for/,
  );
  valueOf(await join(home, account(third), stranger(), nowS));
});

test("INV-9: a name that is revoked ends its invitation with it, and a key that was taken back stays out", async () => {
  const home = origin("i");
  const { invitation } = await invited(home, "agent", "gone", { uses: 2 });
  const keys = newUserKeys("agent");
  valueOf(await join(home, invitation.account, keys, nowS));
  valueOf(await revokeUser(home, "gone", nowS + 1));
  assert.match(
    messageOf(await join(home, invitation.account, keys, nowS + 2)),
    /agent gone was revoked; ask/,
  );
  assert.match(messageOf(await join(home, invitation.account, newUserKeys("agent"), nowS + 2)), /taken back/);
  const unused = await invited(home, "agent", "never");
  assert.equal(valueOf(await revokeUser(home, "never", nowS)).publicKey, null);
  assert.match(
    messageOf(await join(home, unused.invitation.account, newUserKeys("agent"), nowS)),
    /taken back/,
  );
});

test("INV-10: a person has one name on every machine, a coordinator gets a key vouched for, and what ended long ago is forgotten", async () => {
  const home = origin("j");
  const person = await invited(home, "requester", "ada", { uses: 2 });
  const [laptop, desktop] = [newUserKeys("requester"), newUserKeys("requester")];
  for (const keys of [laptop, desktop])
    assert.equal(valueOf(await join(home, person.invitation.account, keys, nowS)).name, "ada");
  const ada = valueOf(listUsers(home)).find(({ name }) => name === "ada");
  assert.deepEqual(
    [ada?.publicKey, ...(ada?.others ?? [])],
    [laptop, desktop].map(({ user }) => user.getPublicKey()),
  );
  const standby = await issueCredential(home, "coordinator", "two", nowS);
  assert.notEqual(valueOf(standby).signingKey, null);
  valueOf(forgetOldInvitations(home, nowS + 30 * dayS));
  assert.equal(valueOf(listInvitations(home)).length, 2);
  valueOf(forgetOldInvitations(home, nowS + 32 * dayS));
  assert.deepEqual(valueOf(listInvitations(home)), []);
});

test("REV-6: a name shared by two roles needs the role; a mistyped one gets the nearest; twice is told", async () => {
  const home = origin("f");
  const agent = valueOf(await issueCredential(home, "agent", "bob", nowS));
  const requester = valueOf(await issueCredential(home, "requester", "bob", nowS));
  assert.match(messageOf(await revokeUser(home, "bob", nowS)), /agent bob, requester bob/);
  assert.match(messageOf(await revokeUser(home, "bpb", nowS)), /did you mean agent bob or requester bob/);
  const revoked = valueOf(await revokeUser(home, "bob", nowS + 5, "agent"));
  assert.equal(revoked.applied.when, "at-next-start");
  assert.match(messageOf(await revokeUser(home, "bob", nowS, "agent")), /already revoked/);
  const takenBack = () => Object.keys(revocationsOf(valueOf(listUsers(home))));
  assert.deepEqual(takenBack(), [agent.publicKey]);
  valueOf(await revokeUser(home, "bob", nowS + 9));
  assert.deepEqual(takenBack(), [agent.publicKey, requester.publicKey]);
});
