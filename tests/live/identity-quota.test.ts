/** What one identity may hold of the server, on a real one: connections, subscriptions, sizes. */
import type { NatsConnection } from "@nats-io/transport-node";
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { identityLimits, payloadMaxBytes } from "../../mesh/account.ts";
import { issueHere, ensureCredential } from "../../mesh/admission.ts";
import {
  credentialText,
  loadCredential,
  newUserKeys,
  storeCredential,
  readCredential,
  type Credential,
} from "../../mesh/credential.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import { encodeUser } from "@nats-io/jwt";
import { connectAs, minted, nowS, openOwnMesh, valueOf, withoutServer, type OwnMesh } from "./own-mesh.ts";

describe("QUOTA-5: what one identity holds of the server", { skip: withoutServer, timeout: 120_000 }, () => {
  let own: OwnMesh;
  const opened: NatsConnection[] = [];
  before(async () => {
    own = await openOwnMesh("quota");
  });
  after(async () => {
    for (const connection of opened) await connection.close();
    await own.close();
  });
  const open = async (credential: Credential) => {
    const connection = await connectAs(own.home, credential);
    opened.push(connection);
    return connection;
  };

  for (const role of ["agent", "requester"] as const)
    test(`one ${role} has so many connections and not one more, and another's are another's`, async () => {
      const [greedy, other] = [await minted(own.home, role, "greedy"), await minted(own.home, role, "other")];
      for (let n = 0; n < identityLimits[role].conn; n++) await open(greedy);
      for (let more = 0; more < 3; more++) await assert.rejects(open(greedy));
      await (await open(other)).flush();
      for (const connection of opened.splice(0)) await connection.close();
    });

  test("an agent's subscriptions end at their limit, and another agent's go on", async () => {
    const greedy = await open(await minted(own.home, "agent", "hoarder"));
    const other = await open(await minted(own.home, "agent", "modest"));
    const refused: string[] = [];
    const watched = (async () => {
      for await (const status of greedy.status())
        if (status.type === "error") refused.push(status.error.message);
    })();
    for (let n = 0; n < identityLimits.agent.subs + 50; n++) greedy.subscribe(`_INBOX.agent.hoarder.${n}`);
    await greedy.flush().catch(() => undefined);
    await greedy.close();
    await watched;
    assert.match(refused.join("\n"), /maximum subscriptions exceeded/i);
    other.subscribe("_INBOX.agent.modest.x");
    await other.flush();
    assert.equal(other.isClosed(), false);
  });

  test("a message above the limit ends its sender's connection, and nobody else's", async () => {
    const greedy = await open(await minted(own.home, "agent", "huge"));
    const other = await open(await minted(own.home, "agent", "small"));
    assert.throws(
      () => greedy.publish(subjectsOf("quota").heartbeat("huge"), new Uint8Array(payloadMaxBytes + 1)),
      /max.?payload/i,
    );
    await other.flush();
  });

  test("ID-15: a credential in the home is signed anew, for the same keys, where what its role may has changed", async () => {
    const made = valueOf(await issueHere(own.home, "coordinator", "old", nowS()));
    const identity = valueOf(ensureIdentity(own.home));
    const keys = newUserKeys("coordinator");
    // As an earlier version would have made it: it may less.
    const token = await encodeUser(
      "coordinator/old",
      keys.user,
      identity.meshAccount,
      { pub: { allow: ["x"] } },
      { signer: identity.signing },
    );
    const earlier = valueOf(
      await readCredential(credentialText(keys, token, made.signingKey?.certificate ?? null), "test"),
    );
    valueOf(storeCredential(own.home, earlier));
    const now = valueOf(await ensureCredential(own.home, "coordinator", "old", nowS()));
    assert.equal(now.publicKey, earlier.publicKey);
    assert.deepEqual(now.signingKey, earlier.signingKey);
    assert.notEqual(now.creds, earlier.creds);
    assert.equal(valueOf(await loadCredential(own.home, "coordinator", "old")).creds, now.creds);
    assert.equal(
      valueOf(await ensureCredential(own.home, "coordinator", "old", nowS())).creds,
      now.creds,
      "once",
    );
    await (await open(now)).flush();
  });
});
