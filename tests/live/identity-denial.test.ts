/**
 * What each role's credential cannot do, shown on a real server. A refused publish shows as a
 * permission error on the connection and, for requests, as no answer from a listener that is there.
 */
import { connect, headers, PermissionViolationError, type NatsConnection } from "@nats-io/transport-node";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
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
  coordinator.subscribe(`tm.v1.${mesh}.>`, {
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

/** Publishes as a request and returns the refused subject, or null when it was let through. */
async function deniedPublish(connection: NatsConnection, subject: string): Promise<string | null> {
  const before = heard.length;
  const refused = nextViolation(connection, "publish");
  connection.publish(subject, "{}");
  await connection.flush();
  const violation = await Promise.race([refused.violation, settle(connection)]);
  refused.stop();
  await coordinator.flush();
  assert.ok(violation === null || heard.length === before, `${subject} was refused and yet delivered`);
  return violation;
}

async function deniedSubscribe(connection: NatsConnection, subject: string): Promise<boolean> {
  const refused = Promise.withResolvers<boolean>();
  const subscription = connection.subscribe(subject, {
    callback: (error) => {
      if (error instanceof PermissionViolationError) refused.resolve(true);
    },
  });
  await connection.flush();
  const denied = await Promise.race([refused.promise, settle(connection).then(() => false)]);
  subscription.unsubscribe();
  return denied;
}

function nextViolation(connection: NatsConnection, operation: string) {
  const found = Promise.withResolvers<string | null>();
  const statuses = connection.status();
  void (async () => {
    for await (const status of statuses) {
      if (
        status.type === "error" &&
        status.error instanceof PermissionViolationError &&
        status.error.operation === operation
      ) {
        found.resolve(status.error.subject);
      }
    }
  })();
  return { violation: found.promise, stop: () => found.resolve(null) };
}

/** The server writes a refusal before the answer to a later ping, so two round trips settle it. */
async function settle(connection: NatsConnection): Promise<null> {
  await connection.flush();
  await connection.flush();
  return null;
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
  agent.subscribe(subjects.order("alpha", "offer"), {
    callback: (_error, message) => void message.respond("taken"),
  });
  await agent.flush();
  const offer = await coordinator.request(subjects.order("alpha", "offer"), "{}", { timeout: 60_000 });
  assert.equal(offer.string(), "taken");
  for (const subject of [
    subjects.register("alpha"),
    subjects.heartbeat("alpha"),
    subjects.inbox("alpha"),
    subjects.metric("s1", "t1"),
    subjects.log("s1", "t1"),
  ]) {
    assert.equal(await deniedPublish(agent, subject), null, subject);
  }
  assert.ok(heard.includes(subjects.inbox("alpha")));
});

test("ID-3: an agent stores a chunk and reads it back directly", denial, async () => {
  const subject = subjects.blob("abc", 1);
  const stored = await jetstream(agent).publish(subject, new Uint8Array([1, 2, 3]));
  assert.equal(stored.stream, streams.blobs);
  const read = await agent.request(`$JS.API.DIRECT.GET.${streams.blobs}.${subject}`, "", { timeout: 60_000 });
  assert.deepEqual([...read.data], [1, 2, 3]);
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

/**
 * The server answers a direct read on whatever reply subject it is given, unasked whether the reader
 * may publish there: so a stored chunk can be made to arrive as an order or a command. Every such
 * answer carries the server's own headers, and no message between our processes carries any.
 */
test(
  "ID-11: what the server sends on a user's behalf is marked with headers that the user cannot take off",
  denial,
  async () => {
    const chunk = subjects.blob("forged", 1);
    const order = subjects.order("beta", "offer");
    const disguise = headers();
    disguise.set("Nats-Stream", "");
    await jetstream(agent).publish(chunk, "{}", { headers: disguise });
    await jetstream(agent).publish(subjects.blob("forged", 2), "{}");
    const arrived: (readonly string[] | null)[] = [];
    const watch = coordinator.subscribe(order, {
      callback: (_error, message) => void arrived.push(message.headers?.values("Nats-Stream") ?? null),
    });
    await coordinator.flush();
    for (const number of [1, 2]) {
      agent.publish(`$JS.API.DIRECT.GET.${streams.blobs}.${subjects.blob("forged", number)}`, "", {
        reply: order,
      });
    }
    await agent.request(`$JS.API.DIRECT.GET.${streams.blobs}.${chunk}`, "", { timeout: 60_000 });
    await coordinator.flush();
    watch.unsubscribe();
    assert.equal(arrived.length, 2);
    for (const marks of arrived) assert.ok(marks?.includes(streams.blobs), "the server's mark is there");
  },
);
