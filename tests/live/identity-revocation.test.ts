/**
 * A revoked credential is cut off at once and for good: while the server runs, after it restarts,
 * and also when it was down at the time.
 */
import { AuthorizationError, type NatsConnection } from "@nats-io/transport-node";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ensureCredential } from "../../mesh/admission.ts";
import { loadCredential } from "../../mesh/credential.ts";
import { makeInvite } from "../../mesh/invite.ts";
import { revokeUser } from "../../mesh/revoke.ts";
import { issueCredential } from "../support/joined-user.ts";
import { within } from "../support/until.ts";
import { connectAs, messageOf, nowS, openOwnMesh, valueOf, withoutServer, type OwnMesh } from "./own-mesh.ts";

const cutOffMs = 2_000;
let own: OwnMesh;

before(async () => {
  if (withoutServer === false) own = await openOwnMesh("revoked");
});
after(async () => {
  if (withoutServer === false) await own.close();
});

const live = { skip: withoutServer };

/** The server closes the connection, and no later than is promised. */
async function endsInTime(connection: NatsConnection): Promise<void> {
  await within(cutOffMs, "the end of the connection", connection.closed());
}

test("REV-1: a live connection is cut within 2 s and cannot come back; another stays", live, async () => {
  const lost = valueOf(await issueCredential(own.home, "agent", "lost", nowS()));
  const kept = valueOf(await issueCredential(own.home, "agent", "kept", nowS()));
  const lostConnection = await connectAs(own.home, lost);
  const keptConnection = await connectAs(own.home, kept);
  const revocation = valueOf(await revokeUser(own.home, "lost", nowS()));
  assert.deepEqual(revocation.applied, { when: "now" });
  assert.equal(revocation.publicKey, lost.publicKey);
  await endsInTime(lostConnection);
  await assert.rejects(connectAs(own.home, lost), AuthorizationError);
  await keptConnection.flush();
  assert.equal(keptConnection.isClosed(), false);
  await keptConnection.close();
});

test("REV-2: it stays out after the server restarts, and the others get in again", live, async () => {
  const lost = valueOf(await issueCredential(own.home, "requester", "gone", nowS()));
  const kept = valueOf(await issueCredential(own.home, "requester", "here", nowS()));
  valueOf(await revokeUser(own.home, "gone", nowS()));
  await own.restart();
  await assert.rejects(connectAs(own.home, lost), AuthorizationError);
  const connection = await connectAs(own.home, kept);
  await connection.close();
});

test("REV-3: revoking while the server is down says so, and holds from its next start", live, async () => {
  const lost = valueOf(await issueCredential(own.home, "agent", "offline", nowS()));
  await own.server().stop();
  const revocation = valueOf(await revokeUser(own.home, "offline", nowS()));
  assert.equal(revocation.applied.when, "at-next-start");
  await own.restart();
  await assert.rejects(connectAs(own.home, lost), AuthorizationError);
});

test(
  "REV-6: it is cut off and stays out where the clock of whoever revokes is hours back",
  live,
  async () => {
    const lost = valueOf(await issueCredential(own.home, "agent", "early", nowS()));
    const connection = await connectAs(own.home, lost);
    valueOf(await revokeUser(own.home, "early", nowS() - 3 * 3_600));
    await endsInTime(connection);
    await own.restart();
    await assert.rejects(connectAs(own.home, lost), AuthorizationError);
  },
);

test(
  "REV-4: an invitation works on the server, and the same name may be invited again after a revocation",
  live,
  async () => {
    const first = valueOf(await issueCredential(own.home, "agent", "again", nowS()));
    const connection = await connectAs(own.home, first);
    assert.match(
      messageOf(await makeInvite(own.home, { role: "agent", name: "again", nowS: nowS() })),
      /already has a credential; revoke it first/,
    );
    valueOf(await revokeUser(own.home, "again", nowS()));
    await endsInTime(connection);
    const second = valueOf(await issueCredential(own.home, "agent", "again", nowS()));
    const back = await connectAs(own.home, second);
    await back.close();
    await assert.rejects(connectAs(own.home, first), AuthorizationError);
  },
);

test(
  "REV-5: a local process's credential is made once, and not made anew after its revocation",
  live,
  async () => {
    const made = valueOf(await ensureCredential(own.home, "coordinator", "local", nowS()));
    const loaded = valueOf(await ensureCredential(own.home, "coordinator", "local", nowS()));
    assert.equal(loaded.creds, made.creds);
    const connection = await connectAs(
      own.home,
      valueOf(await loadCredential(own.home, "coordinator", "local")),
    );
    await connection.close();
    valueOf(await revokeUser(own.home, "local", nowS()));
    assert.match(messageOf(await ensureCredential(own.home, "coordinator", "local", nowS())), /was revoked/);
  },
);
