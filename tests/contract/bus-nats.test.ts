// What only the real bus can show: credentials refused and revoked, permissions, and the least an agent needs.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import {
  createAccount,
  createOperator,
  createUser,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
} from "@nats-io/jwt";

import { jetstreamManager, PersistMode } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

import { atLeast, parseServerVersion } from "../../mesh/server-version.ts";
import { getBlob, putBlob, type BlobPlace } from "../../artifact/blob.ts";
import { BusError, credentialsRevoked, type StreamSpec } from "../../protocol/bus/bus.ts";
import { connectBus } from "../../protocol/bus/nats-bus.ts";
import { droppedField } from "../../protocol/bus/nats-stream.ts";
import { streamSpecsOf, streamsOf } from "../../protocol/subjects.ts";
import { bytesOf, textOf } from "../support/bus-mesh.ts";
import { skipWithoutNats, TestNatsServer } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const busError = (kind: BusError["kind"]) => (error: unknown) =>
  error instanceof BusError && error.kind === kind;
const noLimit = -1;

/** An operator with one account; `config` is what a server needs to know of them. */
async function newAccount() {
  const [operator, account, system] = [createOperator(), createAccount(), createAccount()];
  const operatorJwt = await encodeOperator("op", operator, { system_account: system.getPublicKey() });
  const systemJwt = await encodeAccount("SYS", system, {}, { signer: operator });
  const limits = {
    subs: noLimit,
    data: noLimit,
    payload: noLimit,
    conn: noLimit,
    leaf: noLimit,
    imports: noLimit,
    exports: noLimit,
    wildcards: true,
    mem_storage: noLimit,
    disk_storage: noLimit,
    streams: noLimit,
    consumer: noLimit,
  };
  return {
    async config(revoked: readonly string[]): Promise<string> {
      const revocations = Object.fromEntries(
        revoked.map((user) => [user, Math.floor(Date.now() / 1_000) + 1]),
      );
      const jwt = await encodeAccount("mesh", account, { limits, revocations }, { signer: operator });
      return `
operator: ${operatorJwt}
system_account: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload: { ${system.getPublicKey()}: ${systemJwt}, ${account.getPublicKey()}: ${jwt} }
`;
    },
    async user(name: string, publish: readonly string[], subscribe: readonly string[]) {
      const user = createUser();
      const none = { subs: noLimit, data: noLimit, payload: noLimit };
      const jwt = await encodeUser(name, user, account, {
        ...none,
        pub: { allow: [...publish], deny: [] },
        sub: { allow: [...subscribe], deny: [] },
      });
      return { key: user.getPublicKey(), creds: textOf(fmtCreds(jwt, user)) };
    },
  };
}

describe("Bus (nats) with credentials", { skip: skipWithoutNats }, () => {
  let server: TestNatsServer;
  let account: Awaited<ReturnType<typeof newAccount>>;
  const place: BlobPlace = { stream: "BLOBS", subjectOf: (digest, n) => `blob.${digest}.${n}` };
  before(async () => {
    account = await newAccount();
    server = await TestNatsServer.start(await account.config([]));
  });
  after(() => server.stop());

  test("NATS-1: an agent's user needs its subjects, its inbox and direct get, and no more; the rest is denied soon", async () => {
    const lead = await account.user("lead", [">"], [">"]);
    const leadBus = await connectBus({
      servers: server.url,
      creds: lead.creds,
      name: "lead",
      inboxPrefix: "_INBOX_lead",
    });
    await leadBus.ensureStream({
      name: "BLOBS",
      subjects: ["blob.>"],
      retention: "limits",
      maxMessagesPerSubject: 1,
      discard: "new",
      discardNewPerSubject: true,
      allowDirect: true,
    });
    const agent = await account.user(
      "agent",
      ["blob.>", "$JS.API.DIRECT.GET.BLOBS.>"],
      ["_INBOX_agent.>", "mine"],
    );
    const bus = await connectBus({
      servers: server.url,
      creds: agent.creds,
      name: "agent",
      inboxPrefix: "_INBOX_agent",
    });
    const denied: string[] = [];
    bus.onStatus((event) => {
      if (event.kind === "denied") denied.push(event.reason);
    });

    const bytes = new Uint8Array(300_000).fill(7);
    const { digest } = await putBlob(bus, place, bytes);
    const read = await getBlob(bus, place, digest);
    assert.ok(read.kind === "read");
    assert.deepEqual(read.bytes, bytes);
    assert.deepEqual(denied, [], "none of it was denied");

    await assert.rejects(bus.request("cmd.other", bytesOf(""), 3_600_000), busError("denied"));
    await assert.rejects(bus.streamState("BLOBS"), busError("denied"));
    denied.length = 0;
    bus.publish("cmd.other", bytesOf(""));
    bus.subscribe("not.mine", () => assert.fail("not allowed"));
    await until("both refusals told", () => denied.length === 2 || null);
    assert.equal(bus.status(), "connected");
    await bus.close();
    await leadBus.close();
  });

  test("NATS-2: credentials of somebody else are refused at the first connect, even when told to wait", async () => {
    const stranger = await (await newAccount()).user("stranger", [">"], [">"]);
    for (const waitOnFirstConnect of [false, true]) {
      await assert.rejects(
        connectBus({
          servers: server.url,
          creds: stranger.creds,
          name: "stranger",
          inboxPrefix: "_INBOX_x",
          waitOnFirstConnect,
        }),
        busError("denied"),
      );
    }
  });

  test("NATS-2b: credentials that are no .creds file are refused in a sentence, not waited over", async () => {
    const asked = connectBus({
      servers: server.url,
      creds: "x",
      name: "x",
      inboxPrefix: "_INBOX_x",
      waitOnFirstConnect: true,
    });
    await assert.rejects(asked, busError("denied"));
  });

  test("NATS-3: without a server the connect fails as unavailable, or waits where told to", async () => {
    const none = await TestNatsServer.start();
    await none.kill9();
    await assert.rejects(
      connectBus({ servers: none.url, name: "a", inboxPrefix: "_INBOX_a" }),
      busError("unavailable"),
    );
    const waiting = connectBus({
      servers: none.url,
      name: "a",
      inboxPrefix: "_INBOX_a",
      waitOnFirstConnect: true,
    });
    await sleep(300);
    await none.restart();
    const bus = await waiting;
    assert.equal(bus.status(), "connected");
    await bus.close();
    await none.stop();
  });

  test("NATS-4: a live client whose user is revoked ends as closed, and does not try for ever", async () => {
    const user = await account.user("gone", [">"], [">"]);
    const bus = await connectBus({
      servers: server.url,
      creds: user.creds,
      name: "gone",
      inboxPrefix: "_INBOX_gone",
    });
    const other = await account.user("other", [">"], [">"]);
    const otherBus = await connectBus({
      servers: server.url,
      creds: other.creds,
      name: "o",
      inboxPrefix: "_INBOX_o",
    });
    const closed: string[] = [];
    bus.onStatus((event) => {
      if (event.kind === "closed") closed.push(event.reason);
    });
    server.reload(await account.config([user.key]));
    await until("the client is closed", () => bus.status() === "closed" || null);
    assert.deepEqual(closed, [credentialsRevoked]);
    await assert.rejects(bus.request("x", bytesOf(""), 100), busError("denied"));
    await sleep(1_000);
    assert.equal(otherBus.status(), "connected");
    await otherBus.close();
  });
});

test(
  "NATS-6: a stream that may be flushed later is, and keeps what it was made with; the others are flushed each",
  { skip: skipWithoutNats },
  async () => {
    const server = await TestNatsServer.start();
    const bus = await connectBus({ servers: server.url, name: "a", inboxPrefix: "_INBOX_a" });
    const nc = await connect({ servers: server.url });
    const { streams } = await jetstreamManager(nc);
    const modeOf = async (stream: string) =>
      (await streams.info(stream)).config.persist_mode ?? PersistMode.Default;
    const knows = atLeast(parseServerVersion(nc.info?.version ?? "") ?? [0, 0, 0], [2, 12, 0]);
    const soon = knows ? PersistMode.Async : PersistMode.Default;
    const spec = (name: string): StreamSpec => ({ name, subjects: [`${name}.*`], retention: "limits" });
    try {
      await bus.ensureStream({ ...spec("LATER"), flush: "soon" });
      await bus.ensureStream(spec("EACH"));
      assert.equal(await modeOf("LATER"), soon);
      assert.equal(await modeOf("EACH"), PersistMode.Default);
      // Made by an older version, then asked for anew: the server changes no stream's mode.
      await bus.ensureStream({ ...spec("EACH"), flush: "soon", maxMessagesPerSubject: 9 });
      await bus.ensureStream({ ...spec("LATER"), flush: "soon", maxMessagesPerSubject: 9 });
      assert.equal(await modeOf("EACH"), PersistMode.Default);
      assert.equal(await modeOf("LATER"), soon);
      assert.deepEqual(
        streamSpecsOf("m", 1, "secret").flatMap(({ flush, name }) => (flush === "soon" ? [name] : [])),
        [streamsOf("m").metrics, streamsOf("m").logs],
      );
    } finally {
      await nc.close();
      await bus.close();
      await server.stop();
    }
  },
);

test("NATS-5: a setting that the server dropped is named", () => {
  const wanted = { name: "S", discard_new_per_subject: true, max_bytes: -1, allow_direct: false };
  const config = { ...wanted };
  assert.equal(droppedField(wanted, config), undefined);
  assert.equal(droppedField(wanted, { name: "S" }), "discard_new_per_subject");
});
