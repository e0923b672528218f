/** A credential of before each user had an account of its own renews itself, and the old one ends; nobody else's is renewed. */
import { encodeUser, fmtCreds } from "@nats-io/jwt";
import { createAccount, createUser } from "@nats-io/nkeys";
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { issueHere } from "../../mesh/admission.ts";
import {
  loadCredential,
  newUserKeys,
  readCredential,
  storeCredential,
  type Credential,
} from "../../mesh/credential.ts";
import { currentCredential } from "../../mesh/current-credential.ts";
import { openHome, saveHome, type Home } from "../../mesh/home.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import { serveRenewals, type Renewals } from "../../mesh/part/serve-renewal.ts";
import { pushAccounts } from "../../mesh/push-account.ts";
import { meshAccount } from "../../mesh/trust.ts";
import { listUsers, readUser, saveUser, sharedUsers } from "../../mesh/user.ts";
import { answerSchema } from "../../protocol/command.ts";
import { renewalSubject } from "../../protocol/renewal.ts";
import { inboxPrefixOf, subjectsOf, type Role } from "../../protocol/subjects.ts";
import { joiningOf } from "../support/joined-user.ts";
import { until } from "../support/until.ts";
import {
  connectAs,
  messageOf,
  nowS,
  openOwnMesh,
  temporaryFolder,
  valueOf,
  withoutServer,
  type OwnMesh,
} from "./own-mesh.ts";

const mesh = "renewed";
/** Long enough for a busy machine to ask twice. */
const bothCountMs = 10_000;
const subjects = subjectsOf(mesh);

describe(
  "VERSION-5: credentials of an earlier version renew themselves",
  { skip: withoutServer, timeout: 120_000 },
  () => {
    let own: OwnMesh;
    let renewals: Renewals | null = null;
    const signer = createAccount();
    const folder = temporaryFolder();
    const said: string[] = [];
    before(async () => {
      own = await openOwnMesh(mesh);
    });
    after(async () => {
      await renewals?.stop();
      await own.close();
      folder.remove();
    });
    const serve = async () => {
      renewals = valueOf(await serveRenewals(own.home, Date.now, (line) => said.push(line), bothCountMs));
    };

    /** A home elsewhere with a credential as the version before made it, which its record says. */
    async function oldUser(role: Role, name: string): Promise<{ home: Home; old: Credential }> {
      const identity = valueOf(ensureIdentity(own.home));
      const pair = createUser();
      const inbox = `${inboxPrefixOf(role, name)}.>`;
      const pub = [
        subjects.register(name),
        subjects.query(role, name, role === "coordinator" ? "ping" : "*"),
      ];
      const token = await encodeUser(
        `${role}/${name}`,
        pair,
        identity.meshAccount,
        { pub: { allow: pub }, sub: { allow: [inbox, subjects.epoch] } },
        { signer },
      );
      const text = new TextDecoder().decode(fmtCreds(token, pair));
      const old = valueOf(await readCredential(text, "an old credential"));
      assert.equal(old.meshKey, null);
      const publicKey = pair.getPublicKey();
      const sharedSigner = signer.getPublicKey();
      valueOf(
        saveUser(own.home, {
          version: 1,
          role,
          name,
          publicKey,
          others: [],
          issuedAt: nowS(),
          sharedSigner,
          revoked: [],
        }),
      );
      const account = await meshAccount(identity, mesh, valueOf(listUsers(own.home)));
      valueOf(await pushAccounts(own.home, identity, [account], nowS()));
      const home = valueOf(saveHome(join(folder.path, `${role}-${name}`), mesh, own.home.url));
      valueOf(storeCredential(home, old));
      return { home, old };
    }

    for (const [role, name] of [
      ["agent", "tower"],
      ["requester", "ada"],
      ["coordinator", "two"],
    ] as const)
      test(`${role} ${name}: once, in its role, with keys it made; the old one is cut off a little later`, async () => {
        const { home, old } = await oldUser(role, name);
        if (renewals === null) await serve();
        const connection = await connectAs(own.home, old);
        const renewed = valueOf(await currentCredential(home, role, name, "attic"));
        assert.deepEqual([renewed.role, renewed.name], [role, name]);
        assert.notEqual(renewed.publicKey, old.publicKey);
        assert.notEqual(renewed.meshKey, null);
        assert.equal(renewed.signingKey === null, role !== "coordinator");
        assert.equal(valueOf(openHome(home.path)).outdated, false);
        assert.equal(valueOf(await currentCredential(home, role, name, "attic")).creds, renewed.creds);
        // Both count for a while: whoever did not get the answer asks again, with the same keys.
        valueOf(storeCredential(home, old));
        assert.equal(
          valueOf(await currentCredential(home, role, name, "attic")).publicKey,
          renewed.publicKey,
        );
        await (await connectAs(own.home, renewed)).close();
        await connection.closed();
        await assert.rejects(connectAs(own.home, old));
        await (await connectAs(own.home, renewed)).close();
        const record = valueOf(readUser(own.home, role, name));
        assert.deepEqual(
          [record?.publicKey, record?.others, record?.sharedSigner, record?.renewal],
          [renewed.publicKey, [], undefined, undefined],
        );
        assert.ok(record?.revoked.some(({ publicKey }) => publicKey === old.publicKey));
        await until("it to be said", () =>
          said.some((line) => line.includes(`${role} ${name} has an account of its own now`)) ? true : null,
        );
      });

    test("what was begun when `up` ended is finished by the next", async () => {
      const { home, old } = await oldUser("viewer", "vera");
      const renewed = valueOf(await currentCredential(home, "viewer", "vera", "attic"));
      await renewals?.stop();
      await own.restart();
      await (await connectAs(own.home, old)).close();
      await (await connectAs(own.home, renewed)).close();
      await serve();
      await assert.rejects(connectAs(own.home, old));
      await (await connectAs(own.home, valueOf(await loadCredential(home, "viewer", "vera")))).close();
      assert.deepEqual(sharedUsers(valueOf(listUsers(own.home))), []);
    });

    test("who has an account of its own is not renewed, and where nobody answers it is told what to do", async () => {
      await oldUser("viewer", "late");
      await renewals?.stop();
      await serve();
      const bob = valueOf(await issueHere(own.home, "requester", "bob", nowS()));
      const connection = await connectAs(own.home, bob);
      const asked = await connection.request(
        renewalSubject(mesh, "requester", "bob"),
        JSON.stringify({ renew: joiningOf(newUserKeys("requester")) }),
        { timeout: 10_000 },
      );
      const answer = answerSchema.parse(asked.json());
      assert.ok(!answer.ok && /is not one to renew/.test(answer.refusal.message));
      await connection.close();
      const { home } = await oldUser("agent", "lonely");
      await renewals?.stop();
      renewals = null;
      assert.match(
        messageOf(await currentCredential(home, "agent", "lonely", "attic")),
        /of an earlier version of trialmesh and was not renewed \(`trialmesh up` does not answer.*\); ask its owner for a new `trialmesh invite agent lonely`/,
      );
    });
  },
);
