/**
 * What each role's credential cannot do, shown on a real server. A refused publish shows as a
 * permission error on the connection and, for requests, as no answer from a listener that is there.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { coordinatorPatterns, streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { deniedSubscribe, refusedPublish, settle } from "./denied.ts";
import { connectAs, minted, openOwnMesh, withoutServer, type OwnMesh } from "./own-mesh.ts";

const mesh = "denials";
const subjects = subjectsOf(mesh);
const streams = streamsOf(mesh);
let own: OwnMesh;
let coordinator: NatsConnection;
let agent: NatsConnection;
let requester: NatsConnection;
let viewer: NatsConnection;
const heard: string[] = [];

before(async () => {
  if (withoutServer !== false) return;
  own = await openOwnMesh(mesh);
  coordinator = await connectAs(own.home, await minted(own.home, "coordinator", "lead"));
  agent = await connectAs(own.home, await minted(own.home, "agent", "alpha"));
  requester = await connectAs(own.home, await minted(own.home, "requester", "nlp"));
  viewer = await connectAs(own.home, await minted(own.home, "viewer", "eyes"));
  for (const subject of Object.values(coordinatorPatterns(mesh)))
    coordinator.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) return;
        heard.push(message.subject);
        if (/\.(cmd|query)\./.test(message.subject)) message.respond("done");
      },
    });
  const manager = await jetstreamManager(coordinator);
  await manager.streams.add({
    name: streams.journal,
    subjects: [subjects.journal("secret")],
    allow_direct: true,
  });
  await manager.streams.add({
    name: streams.blobs,
    subjects: [subjects.blob("*", 0).replace(/0$/, "*")],
    allow_direct: true,
  });
  await coordinator.flush();
});

after(async () => {
  if (withoutServer !== false) return;
  for (const connection of [coordinator, agent, requester, viewer]) await connection.close();
  await own.close();
});

/** Returns the refused subject, or null when it was let through. */
async function deniedPublish(connection: NatsConnection, subject: string): Promise<string | null> {
  const before = heard.length;
  const violation = await refusedPublish(connection, subject);
  await coordinator.flush();
  assert.ok(violation === null || heard.length === before, `${subject} was refused and yet delivered`);
  return violation;
}

const denial = { skip: withoutServer };

test("ID-1: anonymous clients are refused", denial, async () => {
  await assert.rejects(
    connect({ servers: own.home.url, reconnect: false, timeout: 60_000 }),
    /Authorization Violation/i,
  );
});

test("ID-2: the paths each role needs are open", denial, async () => {
  const command = await requester.request(subjects.command("requester", "nlp", "sweep-run"), "{}", {
    timeout: 60_000,
  });
  assert.equal(command.string(), "done");
  const query = await viewer.request(subjects.query("viewer", "eyes", "agents"), "{}", { timeout: 60_000 });
  assert.equal(query.string(), "done");
  const offered = Promise.withResolvers<string>();
  agent.subscribe(subjects.order("alpha", "offer"), {
    callback: (_error, message) => offered.resolve(message.string()),
  });
  await agent.flush();
  coordinator.publish(subjects.order("alpha", "offer"), "an offer");
  assert.equal(await offered.promise, "an offer");
  for (const subject of [
    subjects.register("alpha"),
    subjects.heartbeat("alpha"),
    subjects.inbox("alpha"),
    subjects.metric("alpha", "s1", "t1"),
    subjects.log("alpha", "s1", "t1"),
  ]) {
    assert.equal(await deniedPublish(agent, subject), null, subject);
  }
  await settle(agent);
  await settle(coordinator);
  assert.ok(heard.includes(subjects.register("alpha")) && heard.includes(subjects.heartbeat("alpha")));
});

test("ID-3: an agent stores a chunk and reads it back, without the streams' interface", denial, async () => {
  const stored = await agent.request(subjects.blob("abc", 1), new Uint8Array([1, 2, 3]), {
    timeout: 60_000,
  });
  assert.deepEqual(stored.json(), { stream: streams.blobs, seq: 1 });
  for (const reader of [agent, requester, viewer]) {
    const read = await reader.request(subjects.stored("abc", 1), "", { timeout: 60_000 });
    assert.deepEqual([...read.data], [1, 2, 3]);
    const none = await reader.request(subjects.stored("abc", 2), "", { timeout: 60_000 });
    assert.equal(none.headers?.code, 404);
    for (const subject of [
      `$JS.API.DIRECT.GET.${streams.blobs}.${subjects.blob("abc", 1)}`,
      `$JS.API.DIRECT.GET.${streams.blobs}`,
      "$JS.API.INFO",
    ])
      assert.equal(await deniedPublish(reader, subject), subject);
  }
});

test("ID-4: an agent cannot send a command or a query, in its own name or another's", denial, async () => {
  for (const subject of [
    subjects.command("agent", "alpha", "sweep-run"),
    subjects.command("requester", "nlp", "sweep-run"),
    subjects.command("owner", "root", "budget-grant"),
    subjects.query("viewer", "eyes", "agents"),
  ]) {
    assert.equal(await deniedPublish(agent, subject), subject);
  }
});

test(
  "ID-5: an agent cannot read another agent's orders, everyone's, or another's replies",
  denial,
  async () => {
    for (const subject of [
      subjects.order("beta", "offer"),
      `tm.v1.${mesh}.agent.*.offer`,
      `tm.v1.${mesh}.>`,
      ">",
      "_INBOX.agent.beta.>",
      "_INBOX.requester.nlp.>",
      "_INBOX.>",
      "$SYS.>",
    ]) {
      assert.equal(await deniedSubscribe(agent, subject), true, subject);
    }
    assert.equal(await deniedSubscribe(agent, subjects.order("alpha", "cancel")), false);
  },
);

test("ID-6: an agent cannot speak as another agent, give orders or announce a leader", denial, async () => {
  for (const subject of [
    subjects.inbox("beta"),
    subjects.heartbeat("beta"),
    subjects.register("beta"),
    subjects.order("beta", "cancel"),
    subjects.order("alpha", "offer"),
    subjects.epoch,
  ]) {
    assert.equal(await deniedPublish(agent, subject), subject);
  }
});

test(
  "ID-7: an agent can neither write nor read the journal, nor touch a stream or consumer",
  denial,
  async () => {
    for (const subject of [
      subjects.journal("secret"),
      `$JS.API.DIRECT.GET.${streams.journal}`,
      `$JS.API.DIRECT.GET.${streams.journal}.${subjects.journal("secret")}`,
      `$JS.API.STREAM.MSG.GET.${streams.journal}`,
      `$JS.API.STREAM.INFO.${streams.journal}`,
      `$JS.API.STREAM.DELETE.${streams.journal}`,
      `$JS.API.STREAM.PURGE.${streams.blobs}`,
      "$JS.API.STREAM.NAMES",
      `$JS.API.CONSUMER.CREATE.${streams.journal}`,
      `$JS.API.CONSUMER.MSG.NEXT.${streams.inbox}.lead`,
      "$JS.API.INFO",
      `$JS.ACK.${streams.inbox}.lead.1.1.1.1.1`,
    ]) {
      assert.equal(await deniedPublish(agent, subject), subject);
    }
    assert.equal(await deniedSubscribe(agent, subjects.journal("secret")), true);
    const manager = await jetstreamManager(coordinator);
    assert.equal((await manager.streams.info(streams.journal)).state.messages, 0);
  },
);

test("ID-8: a viewer cannot send a command, store a chunk or write the journal", denial, async () => {
  for (const subject of [
    subjects.command("viewer", "eyes", "sweep-run"),
    subjects.command("requester", "eyes", "sweep-run"),
    subjects.query("requester", "nlp", "agents"),
    subjects.blob("abc", 2),
    subjects.journal("secret"),
    `$JS.API.STREAM.DELETE.${streams.journal}`,
  ]) {
    assert.equal(await deniedPublish(viewer, subject), subject);
  }
});

test(
  "ID-9: a requester commands only in its own name and role, and cannot reach the journal or an agent",
  denial,
  async () => {
    for (const subject of [
      subjects.command("requester", "other", "sweep-run"),
      subjects.command("owner", "nlp", "budget-grant"),
      subjects.inbox("alpha"),
      subjects.order("alpha", "cancel"),
      subjects.journal("secret"),
      `$JS.API.DIRECT.GET.${streams.journal}`,
    ]) {
      assert.equal(await deniedPublish(requester, subject), subject);
    }
    assert.equal(await deniedSubscribe(requester, subjects.journal("secret")), true);
    assert.equal(await deniedSubscribe(requester, `tm.v1.${mesh}.agent.>`), true);
  },
);

test("ID-10: no role but the server's own reaches the system account", denial, async () => {
  for (const connection of [agent, requester, viewer]) {
    assert.equal(await deniedPublish(connection, "$SYS.REQ.CLAIMS.UPDATE"), "$SYS.REQ.CLAIMS.UPDATE");
  }
  assert.equal(await deniedPublish(coordinator, "$SYS.REQ.CLAIMS.UPDATE"), "$SYS.REQ.CLAIMS.UPDATE");
});

test(
  "ID-12: a coordinator makes and reads the mesh's streams, and deletes none and empties none but that of blobs",
  denial,
  async () => {
    for (const subject of [
      `$JS.API.STREAM.DELETE.${streams.blobs}`,
      `$JS.API.STREAM.PURGE.${streams.journal}`,
      `$JS.API.STREAM.MSG.DELETE.${streams.journal}`,
      "$JS.API.STREAM.CREATE.OTHER",
      `$JS.API.CONSUMER.CREATE.${streams.journal}.x`,
      "$JS.API.STREAM.NAMES",
      subjects.command("owner", "root", "budget-grant"),
      subjects.query("coordinator", "other", "ping"),
      subjects.inbox("alpha"),
      subjects.register("alpha"),
      "_INBOX.agent.alpha.x",
    ]) {
      assert.equal(await deniedPublish(coordinator, subject), subject);
    }
    assert.equal(await deniedSubscribe(coordinator, ">"), true);
    assert.equal(await deniedSubscribe(coordinator, subjects.journal("*")), true);
  },
);
