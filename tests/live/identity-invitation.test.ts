/** Invitations over a real server: a machine with nothing but a line gets in, once, and a stranger gets nowhere. */
import { connect, credsAuthenticator, type NatsConnection } from "@nats-io/transport-node";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askedSubject, joiningCredential, joiningInbox } from "../../mesh/exchange-account.ts";
import { newUserKeys, type Credential } from "../../mesh/credential.ts";
import { openHome } from "../../mesh/home.ts";
import { accountOfCode, codeOf, codeSecretBytes } from "../../mesh/invitation-code.ts";
import { makeInvite, withdrawInvite, type InviteOptions } from "../../mesh/invite.ts";
import { idOf, readInvitation } from "../../mesh/invitation.ts";
import { readInviteLine } from "../../mesh/invite-line.ts";
import { acceptInvite } from "../../mesh/join.ts";
import { serveExchange, type Exchange } from "../../mesh/part/serve-exchange.ts";
import { answerSchema } from "../../protocol/command.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { allGone, processesOf } from "../support/home-process.ts";
import { joiningOf } from "../support/joined-user.ts";
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
import { deniedSubscribe, refusedPublish } from "./denied.ts";

const live = { skip: withoutServer, timeout: 60_000 };
let own: OwnMesh;
let exchange: Exchange;
let folder: { path: string; remove: () => void };
/** What the mesh's clock is ahead of this machine's, ms. */
let ahead = 0;
const said: string[] = [];

before(async () => {
  if (withoutServer !== false) return;
  own = await openOwnMesh("invited");
  folder = temporaryFolder();
  await serve();
});
after(async () => {
  if (withoutServer !== false) return;
  await exchange.stop();
  await own.close();
  folder.remove();
});

async function serve(): Promise<void> {
  exchange = valueOf(
    await serveExchange(
      own.home,
      () => Date.now() + ahead,
      (line) => said.push(line),
    ),
  );
}
const invited = async (options: Omit<InviteOptions, "nowS">) =>
  valueOf(await makeInvite(own.home, { ...options, nowS: nowS() }));
const homeOf = (name: string) => join(folder.path, name);
const joined = (name: string, code: string, machine = name) =>
  acceptInvite(homeOf(name), code, { machine, role: null });

async function works({ creds }: Credential, credential: Credential): Promise<void> {
  assert.ok(creds.length > 0);
  const connection = await connectAs(own.home, credential);
  await connection.flush();
  await connection.close();
}

/** A connection with nothing but a code. */
function withCode(code: string): Promise<NatsConnection> {
  return joiningCredential(accountOfCode(valueOf(readInviteLine(code)).code)).then((creds) =>
    connect({
      servers: own.home.url,
      authenticator: credsAuthenticator(new TextEncoder().encode(creds)),
      inboxPrefix: joiningInbox,
      reconnect: false,
    }),
  );
}

test(
  "INV-7: a machine with nothing but the line joins, the line again on it changes nothing, and another machine is told",
  live,
  async () => {
    const { code, invitation } = await invited({ role: "agent", name: "tower" });
    const { credential, home } = valueOf(await joined("attic", code));
    assert.deepEqual([home.mesh, credential.role, credential.name], ["invited", "agent", "tower"]);
    await works(credential, credential);
    assert.equal(valueOf(await joined("attic", code)).credential.creds, credential.creds);
    assert.match(
      messageOf(await joined("cellar", code)),
      /^this invitation was used by attic as tower at 20\S+ \S+ UTC; ask the mesh's owner for a new `trialmesh invite agent tower`$/,
    );
    assert.equal(openHome(homeOf("cellar")).ok, false, "nothing of a mesh is left there");
    const known = valueOf(readInvitation(own.home, invitation.account));
    assert.deepEqual(
      [known?.used, known?.turnedAway].map((list) => list?.map(({ machine }) => machine)),
      [["attic"], ["cellar"]],
    );
    assert.match(
      said.join("\n"),
      /attic joined as agent tower\n.*cellar was turned away as agent tower: this invitation was used by attic as tower at/,
    );
  },
);

test(
  "INV-7: whoever lost the answer asks again and gets in, and so after the exchange began anew",
  live,
  async () => {
    const { code } = await invited({ role: "coordinator", name: "shelf" });
    const { credential } = valueOf(await joined("lost", code));
    // As if it had died before it could keep the answer: its keys are all that is left.
    rmSync(join(homeOf("lost"), "creds"), { recursive: true, maxRetries: 5 });
    rmSync(join(homeOf("lost"), "mesh.json"));
    assert.equal(readdirSync(join(homeOf("lost"), "joining")).length, 1);
    await exchange.stop();
    await serve();
    const again = valueOf(await joined("lost", code)).credential;
    assert.equal(again.publicKey, credential.publicKey);
    assert.notEqual(again.signingKey, null);
    await works(again, again);
  },
);

test("INV-8: expired by the mesh's clock, taken back, and unknown to the server", live, async () => {
  const short = await invited({ role: "viewer", name: "short", lifeS: 3600 });
  ahead = 3_600_000;
  assert.match(messageOf(await joined("late", short.code)), /^this invitation expired at 20/);
  ahead = 0;
  const gone = await invited({ role: "viewer", name: "gone" });
  valueOf(await withdrawInvite(own.home, idOf(gone.invitation), nowS()));
  assert.match(messageOf(await joined("late", gone.code)), /was taken back at/);
  const address = own.home.url.replace("nats://", "");
  const guess = `${codeOf(crypto.getRandomValues(new Uint8Array(codeSecretBytes)))}@${address}`;
  assert.match(messageOf(await joined("late", guess)), /knows no such invitation: it is to another mesh/);
  assert.equal(existsSync(join(homeOf("late"), "mesh.json")), false);
});

test(
  "INV-8: invited while the server was down, it counts from its next start; without `up` it is told",
  live,
  async () => {
    await exchange.stop();
    await own.server().stop();
    const { code } = await invited({ role: "requester", name: "patient" });
    assert.match(messageOf(await joined("patient", code)), /^no mesh answers at nats:/);
    await own.restart();
    assert.match(
      messageOf(await joined("patient", code)),
      /but the machine that made it does not answer just now/,
    );
    await serve();
    const { credential } = valueOf(await joined("patient", code));
    await works(credential, credential);
  },
);

test(
  "INV-2: with a code one can ask the exchange a little, and neither hear nor say anything else",
  live,
  async () => {
    const { code } = await invited({ role: "agent", name: "narrow" });
    const connection = await withCode(code);
    try {
      const subjects = subjectsOf("invited");
      for (const subject of [
        subjects.register("narrow"),
        subjects.blob("abc", 1),
        "$JS.API.INFO",
        "$SYS.REQ.CLAIMS.UPDATE",
      ])
        assert.equal(await refusedPublish(connection, subject), subject);
      for (const subject of [">", subjects.epoch, "_INBOX.>", "_INBOX.agent.tower.>"])
        assert.notEqual(await deniedSubscribe(connection, subject), null, subject);
      const ask = async (body: string) =>
        answerSchema.parse((await connection.request(askedSubject, body, { timeout: 10_000 })).json());
      const garbage = await ask("{}");
      assert.ok(!garbage.ok && garbage.refusal.code === "invalid");
      const forged = await ask(JSON.stringify({ ...joiningOf(newUserKeys("agent")), publicKey: "UX" }));
      assert.ok(!forged.ok && /publicKey: a user's public key/.test(forged.refusal.message));
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask("{}")));
      const turned = answers.filter(
        (answer) => !answer.ok && /too many ask at once/.test(answer.refusal.message),
      );
      assert.ok(turned.length >= 15, `${turned.length} of 20 were turned away`);
    } finally {
      await connection.close();
    }
    // One invitation's flood is not another's.
    const other = await invited({ role: "agent", name: "other" });
    valueOf(await joined("other", other.code));
  },
);

test(
  "INV-2: who signs a user of that account with any permission still meets nobody in it",
  live,
  async () => {
    const { code } = await invited({ role: "agent", name: "greedy" });
    const { encodeUser, fmtCreds } = await import("@nats-io/jwt");
    const { createUser } = await import("@nats-io/nkeys");
    const account = accountOfCode(valueOf(readInviteLine(code)).code);
    const pair = createUser();
    const creds = fmtCreds(await encodeUser("all", pair, account, {}), pair);
    const open = () =>
      connect({
        servers: own.home.url,
        authenticator: credsAuthenticator(creds),
        reconnect: false,
        timeout: 5_000,
      });
    const connections = await Promise.allSettled(Array.from({ length: 8 }, open));
    const let8 = connections.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    try {
      assert.ok(let8.length <= 4, `${let8.length} connections`);
      const [connection] = let8;
      assert.ok(connection !== undefined);
      let heard = 0;
      connection.subscribe(">", { callback: () => void heard++ });
      await connection.flush();
      const agent = await connectAs(
        own.home,
        valueOf(await joined("attic2", (await invited({ role: "agent", name: "attic2" })).code)).credential,
      );
      agent.publish(subjectsOf("invited").heartbeat("attic2"), "{}");
      await agent.flush();
      await connection.flush();
      assert.equal(heard, 0);
      const streams = await connection.request("$JS.API.INFO", "", { timeout: 5_000 });
      assert.match(streams.string(), /JetStream not enabled for account/);
      await agent.close();
    } finally {
      for (const connection of let8) await connection.close();
    }
  },
);

test(
  "INV-11: no process of the command shows the code in its command line, however it was given",
  { ...live, skip: process.platform === "linux" ? withoutServer : "only Linux shows them in /proc" },
  async () => {
    // Takes connections and says nothing, so that whoever joins waits.
    const silent = createServer();
    await new Promise<void>((listening) => silent.listen(0, "127.0.0.1", listening));
    const address = silent.address();
    assert.ok(address !== null && typeof address === "object");
    const plain = `${codeOf(new Uint8Array(codeSecretBytes).fill(7))}@127.0.0.1:${address.port}`;
    for (const words of [["--join", plain], ["--join", plain.toUpperCase()], [`--join=${plain}`]]) {
      const home = homeOf(`shown-${words.join("").length}-${words[1]?.slice(0, 3)}`);
      const connected = new Promise((resolve) => silent.once("connection", resolve));
      spawn(process.execPath, [join(projectFolder, "bin", "trialmesh.mjs"), "agent", ...words], {
        env: { ...process.env, CI: "1", TRIALMESH_HOME: home },
        stdio: "ignore",
      });
      await connected;
      const running = processesOf(home);
      assert.ok(running.length >= 2, "the command and the one that it hands over to");
      for (const pid of running)
        assert.doesNotMatch(readFileSync(`/proc/${pid}/cmdline`, "latin1"), /tm3\./i, words.join(" "));
      for (const pid of running) process.kill(pid, "SIGKILL");
      await allGone(home);
    }
    silent.close();
  },
);
