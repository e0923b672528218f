/**
 * TLS between a mesh's real server and whoever comes: who is believed, what is said of each certificate that is not, and that nothing is dropped
 * when it is renewed. Certificates of other times are made with the times given in; the clocks are the machine's own.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createServer, type Server } from "node:tls";
import { authorityOf, issueForUser } from "../../mesh/certificate/authority.ts";
import { newTlsKey } from "../../mesh/certificate/own-key.ts";
import { connectAs } from "../../mesh/connect.ts";
import type { Credential } from "../../mesh/credential.ts";
import { openHome, saveHome, type Home } from "../../mesh/home.ts";
import { ensureIdentity } from "../../mesh/identity.ts";
import { acceptInvite } from "../../mesh/join.ts";
import { makeInvite } from "../../mesh/invite.ts";
import { keepServerCertificate } from "../../mesh/part/keep-server-certificate.ts";
import { serveExchange } from "../../mesh/part/serve-exchange.ts";
import { writeServerCertificate, type ServerTls } from "../../mesh/server-certificate.ts";
import { shownCertificates } from "../../mesh/server-fault.ts";
import { serverLife, type CertificateLife } from "../../protocol/certificate/certificate-life.ts";
import { lifeOf } from "../../protocol/certificate/check-certificate.ts";
import { until } from "../support/until.ts";
import { issueCredential } from "../support/joined-user.ts";
import {
  messageOf,
  nowS,
  openOwnMesh,
  temporaryFolder,
  valueOf,
  withoutServer,
  type OwnMesh,
} from "./own-mesh.ts";

const live = { skip: withoutServer };
const dayMs = 86_400_000;

/** As of `ageMs` ago. */
function certifiedAt(ageMs: number, life: CertificateLife = serverLife) {
  return (home: Home): ServerTls =>
    valueOf(
      writeServerCertificate(home, valueOf(ensureIdentity(home)), {
        listen: "127.0.0.1",
        nowMs: Date.now() - ageMs,
        life,
      }),
    );
}

async function sentenceOf(home: Home, credential: Credential): Promise<string> {
  const connected = await connectAs(home, credential);
  if (connected.ok) await connected.value.close();
  return messageOf(connected);
}

describe("TLS on the server's port", () => {
  let own: OwnMesh;
  let anna: Credential;
  const folder = temporaryFolder();
  before(async () => {
    if (withoutServer !== false) return;
    own = await openOwnMesh("house", certifiedAt(0));
    anna = valueOf(await issueCredential(own.home, "requester", "anna", nowS()));
  });
  after(async () => {
    folder.remove();
    if (withoutServer === false) await own.close();
  });

  test("TLS-4: whoever has the authority connects, and the home keeps it", live, async () => {
    const bus = valueOf(await connectAs(valueOf(openHome(own.home.path)), anna));
    assert.equal(bus.status(), "connected");
    await bus.close();
    for (const file of ["server.key", "server.pem", "authority.pem"])
      assert.equal(statSync(join(own.home.path, "tls", file)).mode & 0o777, 0o600, file);
  });

  test("TLS-4: a plain client is refused, and so is one that believes other authorities", live, async () => {
    const servers = own.home.url;
    const creds = { servers, reconnect: false, timeout: 5_000 };
    const refused = async (options: object) => {
      let connection: NatsConnection | null = null;
      await assert.rejects(async () => (connection = await connect({ ...creds, ...options })));
      assert.equal(connection, null);
    };
    await refused({});
    await refused({ tls: { handshakeFirst: true } });
    const said = await plainTalk(own.home.url, 'CONNECT {"verbose":true}\r\nPING\r\n');
    assert.doesNotMatch(said, /\+OK|PONG/);
    assert.doesNotMatch(said, /house|anna/, "what is said before TLS names nobody");
  });

  test("TLS-4: TLS 1.2 is refused", live, async () => {
    const authority = readFileSync(join(own.home.path, "tls", "authority.pem"), "utf8");
    await assert.rejects(
      connect({
        servers: own.home.url,
        reconnect: false,
        tls: { handshakeFirst: true, ca: authority, ...{ maxVersion: "TLSv1.2" } },
      }),
    );
  });

  test(
    "TLS-2: another mesh's authority, an agent's certificate and a server without TLS are told apart",
    live,
    async () => {
      const other = await openOwnMesh("house", certifiedAt(0));
      const plain = await openOwnMesh("house");
      try {
        const foreign = { ...own.home, url: other.home.url };
        assert.match(await sentenceOf(foreign, anna), /is not mesh house, .* has another authority/);
        assert.match(await sentenceOf({ ...own.home, url: plain.home.url }, anna), /speaks without TLS/);
      } finally {
        await other.close();
        await plain.close();
      }
      const fake = await agentAsServer(own.home);
      try {
        const address = fake.address();
        assert.ok(address !== null && typeof address === "object");
        const home = { ...own.home, url: `nats://127.0.0.1:${address.port}` };
        assert.match(await sentenceOf(home, anna), /is not mesh house/);
      } finally {
        fake.close();
      }
    },
  );

  test("TLS-3: a certificate of another time is told as a clock that is wrong", live, async () => {
    const cases = [
      [-3 * dayMs, /^this machine's clock is 3 days behind the mesh's: it says/],
      [-36 * 3_600_000, /^this machine's clock is 36 hours behind the mesh's/],
      [
        serverLife.lifeMs + 4 * dayMs,
        /^this machine's clock is 17 days ahead of the mesh's: .* or, where it is right/,
      ],
    ] as const;
    for (const [ageMs, sentence] of cases) {
      const late = await openOwnMesh("late", certifiedAt(ageMs));
      try {
        const stored = valueOf(await saved(late.home));
        assert.match(await sentenceOf(stored.home, stored.credential), sentence);
      } finally {
        await late.close();
      }
    }
  });

  test(
    "TLS-5: a line carries the pin; another mesh, an old line and a plain server are refused each with its sentence",
    live,
    async () => {
      const exchange = valueOf(await serveExchange(own.home, Date.now, () => {}));
      const plain = await openOwnMesh("house");
      const other = await openOwnMesh("barn", certifiedAt(0));
      try {
        const line = async (home: Home, name: string) =>
          valueOf(await makeInvite(home, { role: "agent", name, nowS: nowS() })).code;
        const good = await line(own.home, "tower");
        assert.match(good, /^tm4\./);
        assert.ok(good.length <= 90, good);
        const options = { machine: "here", role: null };
        const comes = (to: string, text: string) => acceptInvite(join(folder.path, to), text, options);
        const at = (code: string, home: Home) => `${code.split("@")[0]}@${home.url.slice("nats://".length)}`;
        assert.match(
          messageOf(await comes("a", at(good, other.home))),
          /^this is not the mesh that the line names/,
        );
        assert.match(
          messageOf(await comes("a", at(good, plain.home))),
          /something else answers at .* with TLS|no mesh answers/,
        );
        const old = await line(plain.home, "tower");
        assert.match(old, /^tm3\./);
        assert.match(
          messageOf(await comes("b", at(old, own.home))),
          /does not say how it is known; ask its owner/,
        );
        assert.ok(!existsSync(join(folder.path, "a", "mesh.json")), "nothing is kept of it");
        const joined = valueOf(await comes("a", good));
        assert.equal(joined.credential.name, "tower");
        const home = valueOf(openHome(joined.home.path));
        assert.equal(home.tls?.kind, "mesh");
        await valueOf(await connectAs(home, joined.credential)).close();
      } finally {
        await exchange.stop();
        await plain.close();
        await other.close();
      }
    },
  );

  test(
    "TLS-6: who joined before there was TLS learns the authority by the operator's key, and no other",
    live,
    async () => {
      const before = valueOf(saveHome(join(folder.path, "before"), "house", own.home.url));
      await valueOf(await connectAs(before, anna)).close();
      assert.equal(valueOf(openHome(before.path)).tls?.kind, "mesh", "and keeps it");
      const other = await openOwnMesh("house", certifiedAt(0));
      try {
        const led = valueOf(saveHome(join(folder.path, "led"), "house", other.home.url));
        assert.match(await sentenceOf(led, anna), /does not show that it is that of mesh house/);
        assert.equal(valueOf(openHome(led.path)).tls, null);
      } finally {
        await other.close();
      }
    },
  );
});

describe("a certificate that is renewed", () => {
  const life: CertificateLife = { lifeMs: 3_000, backdatedMs: 1_000, renewMs: 1_000 };

  test(
    "TLS-7: connections outlive many certificates, and new ones are let in by the newest",
    live,
    async () => {
      const own = await openOwnMesh("short", certifiedAt(0, life));
      const said: string[] = [];
      const write = () =>
        writeServerCertificate(own.home, valueOf(ensureIdentity(own.home)), {
          listen: "127.0.0.1",
          nowMs: Date.now(),
          life,
        });
      const end = keepServerCertificate({
        life,
        write,
        reload: () => own.server().reload(),
        now: Date.now,
        log: (line) => said.push(line),
      });
      try {
        const anna = valueOf(await issueCredential(own.home, "requester", "anna", nowS()));
        const bus = valueOf(await connectAs(own.home, anna));
        const events: string[] = [];
        bus.onStatus(({ kind }) => events.push(kind));
        const first = await endOf(own.home);
        await until("three certificates later", async () => (await endOf(own.home)) > first + 3_000 || null);
        assert.equal(bus.status(), "connected");
        assert.deepEqual(events, []);
        await valueOf(await connectAs(own.home, anna)).close();
        await bus.close();
        end();
        const bert = valueOf(await issueCredential(own.home, "requester", "bert", nowS()));
        await until("the last one's end", async () => Date.now() > (await endOf(own.home)) || null);
        assert.match(await sentenceOf(own.home, bert), /clock is .* ahead of the mesh's/);
        assert.deepEqual(said, []);
      } finally {
        end();
        await own.close();
      }
    },
  );
});

async function endOf(home: Home): Promise<number> {
  const [shown] = (await shownCertificates(home.url)) ?? [];
  assert.ok(shown !== undefined);
  return lifeOf(shown).endedMs;
}

async function saved(home: Home) {
  const credential = await issueCredential(home, "requester", "anna", nowS());
  return credential.ok ? ({ ok: true, value: { home, credential: credential.value } } as const) : credential;
}

function plainTalk(url: string, words: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((done) => {
    let said = "";
    const socket = connectTcp({ host: hostname, port: Number(port) });
    socket.on("data", (bytes: Buffer) => {
      if (said === "") socket.write(words);
      said += bytes.toString("latin1");
    });
    socket.on("error", () => done(said));
    socket.on("close", () => done(said));
    socket.setTimeout(5_000, () => socket.destroy());
  });
}

/** Somebody of the mesh who plays its server. */
async function agentAsServer(home: Home): Promise<Server> {
  const authority = authorityOf(valueOf(ensureIdentity(home)).operator, home.mesh);
  const key = newTlsKey();
  const user = { role: "agent", name: "mallory", userKey: `U${"A".repeat(55)}` } as const;
  const terms = { publicKey: key.publicKey, nowMs: Date.now(), life: serverLife };
  const certificate = issueForUser(authority, user, terms);
  assert.ok(!new X509Certificate(certificate).ca);
  const server = createServer({ key: key.pem, cert: certificate + authority.certificate }, (socket) => {
    socket.on("error", () => {});
    socket.write(
      'INFO {"server_id":"x","version":"2.15.1","max_payload":1048576,"proto":1,"nonce":"abc"}\r\n',
    );
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}
