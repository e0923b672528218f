/**
 * Where an answer goes is for its asker to say, and NATS does not check it. Here every role asks for every kind of answer
 * to be sent where it may not write, on a real server with the mesh's real streams: nothing may come of it. That the
 * answers are really given is shown by asking for each of them into the asker's own inbox.
 */
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Bus } from "../../protocol/bus/bus.ts";
import { connectBus } from "../../protocol/bus/nats-bus.ts";
import { coordinatorKeys } from "../../mesh/mesh-trust.ts";
import { Journal, startPosition, type Position } from "../../coordinator/journal/journal.ts";
import {
  coordinatorPatterns,
  outerRoles,
  streamSpecsOf,
  streamsOf,
  subjectsOf,
  type OuterRole,
} from "../../protocol/subjects.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { until } from "../support/until.ts";
import { connectAs, minted, openOwnMesh, valueOf, withoutServer, type OwnMesh } from "./own-mesh.ts";

const mesh = "replies";
const secret = "0123456789abcdef0123456789abcdef";
const subjects = subjectsOf(mesh);
const streams = streamsOf(mesh);
const streamNames: readonly string[] = streamSpecsOf(mesh, 1, secret).map(({ name }) => name);
const attacker = "eve";
const timeout = 120_000;

/** What makes somebody answer, and who does. `n` makes it another question each time. */
interface Source {
  readonly name: string;
  readonly ask: (role: OuterRole, n: number) => { readonly subject: string; readonly body: string };
  readonly roles: readonly OuterRole[];
}
const chosen = "chosen";
const writers: readonly OuterRole[] = ["owner", "requester", "agent"];
const sources: readonly Source[] = [
  {
    name: "a direct get",
    ask: () => ({ subject: subjects.stored(chosen, 1), body: "" }),
    roles: outerRoles,
  },
  { name: "a 404", ask: () => ({ subject: subjects.stored("none", 1), body: "" }), roles: outerRoles },
  {
    name: "a bad request",
    ask: () => ({ subject: subjects.stored(chosen, 1), body: '{"batch":5}' }),
    roles: outerRoles,
  },
  {
    name: "an acknowledgement",
    ask: (role, n) => ({ subject: subjects.blob(`fresh-${role}`, n), body: "x" }),
    roles: writers,
  },
  {
    name: "an error",
    ask: () => ({ subject: subjects.blob(chosen, 1), body: "x" }),
    roles: writers,
  },
  {
    name: "a service's answer",
    ask: (role) => ({
      subject: role === "agent" ? subjects.register(attacker) : subjects.query(role, attacker, "mesh"),
      body: "{}",
    }),
    roles: outerRoles,
  },
  {
    name: "the streams' interface",
    ask: () => ({
      subject: `$JS.API.DIRECT.GET.${streams.blobs}.${subjects.blob(chosen, 1)}`,
      body: "",
    }),
    roles: [],
  },
];

/** Where nobody but coordinators, or only their owner, may write. */
const targets: readonly string[] = [
  ...streamNames.map((stream) => `$JS.API.STREAM.DELETE.${stream}`),
  `$JS.API.STREAM.PURGE.${streams.journal}`,
  `$JS.API.CONSUMER.CREATE.${streams.journal}`,
  `$JS.API.CONSUMER.CREATE.${streams.journal}.spy`,
  subjects.order("beta", "offer"),
  subjects.journal(secret),
  subjects.epoch,
  subjects.inbox("beta"),
  subjects.command("owner", "owner", "budget-grant"),
  "_INBOX.agent.beta.x",
  "_INBOX.requester.other.x",
  "_INBOX.coordinator.lead.x",
];

let own: OwnMesh;
let bus: Bus;
let lead: NatsConnection;
let manager: JetStreamManager;
let journal: Journal;
let position: Position;
const open: NatsConnection[] = [];
const eves = new Map<OuterRole, NatsConnection>();
/** What reached somebody who was to be left alone. */
const reached: string[] = [];

async function connected(role: OuterRole | "coordinator", name: string): Promise<NatsConnection> {
  const connection = await connectAs(own.home, await minted(own.home, role, name));
  open.push(connection);
  return connection;
}

function watch(connection: NatsConnection, who: string, ...watched: readonly string[]): void {
  for (const subject of watched)
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) reached.push(`${who} got "${message.string()}" on ${message.subject}`);
      },
    });
}

const of = (role: OuterRole): NatsConnection => eves.get(role) ?? assert.fail(role);

before(async () => {
  if (withoutServer !== false) return;
  own = await openOwnMesh(mesh);
  const credential = await minted(own.home, "coordinator", "lead");
  bus = await connectBus({ ...credential, servers: own.home.url, name: "lead" });
  for (const spec of streamSpecsOf(mesh, 1, secret)) await bus.ensureStream(spec);
  journal = new Journal(bus, mesh, systemClock, valueOf(coordinatorKeys(mesh, credential)));
  const elected = { kind: "LeaderElected", epoch: 1, leader: "lead" } as const;
  const entry = await journal.append(startPosition, 1, 1, [elected], () => true);
  position = entry?.position ?? assert.fail("the journal takes a first message");
  lead = await connectAs(own.home, credential);
  open.push(lead);
  manager = await jetstreamManager(lead);
  const { commands, queries, registers } = coordinatorPatterns(mesh);
  for (const subject of [queries, registers])
    lead.subscribe(subject, { callback: (_error, message) => void message.respond('{"ok":true}') });
  watch(lead, "the coordinator", commands, subjects.epoch, "_INBOX.coordinator.lead.x");
  const beta = await connected("agent", "beta");
  watch(beta, "agent beta", subjects.order("beta", "offer"), "_INBOX.agent.beta.>");
  watch(await connected("requester", "other"), "requester other", "_INBOX.requester.other.>");
  for (const role of outerRoles) eves.set(role, await connected(role, attacker));
  const body = JSON.stringify({
    stream_name: streams.journal,
    config: {
      deliver_subject: `_INBOX.requester.${attacker}.spy`,
      deliver_policy: "all",
      ack_policy: "none",
    },
  });
  await of("requester").request(subjects.blob(chosen, 1), body, { timeout });
  for (const connection of open) await connection.flush();
  // Each watcher hears what it is to hear: else its silence would tell nothing.
  lead.publish(subjects.order("beta", "offer"), "control");
  await until("an order to arrive", async () => (reached.length === 1 ? true : null));
  reached.length = 0;
});

after(async () => {
  if (withoutServer !== false) return;
  for (const connection of open) await connection.close();
  await bus.close();
  await own.close();
});

/** Two round trips of everybody: whatever was to arrive has. */
async function settle(): Promise<void> {
  for (const connection of [...open, ...open]) await connection.flush();
}

async function nothingHappened(): Promise<void> {
  await settle();
  assert.deepEqual(reached, []);
  for (const stream of streamNames) {
    const { state } = await manager.streams.info(stream);
    assert.equal(state.consumer_count, 0, stream);
    if (stream === streams.journal || stream === streams.inbox)
      assert.equal(state.last_seq, stream === streams.journal ? 1 : 0, stream);
  }
  await journal.verify(position);
  assert.equal((await journal.readAfter(startPosition)).length, 1);
}

describe("ID-11: an answer goes to nobody but its asker", { skip: withoutServer, timeout }, () => {
  for (const role of outerRoles)
    test(`${role}: no kind of answer reaches what it may not write to`, async () => {
      const eve = of(role);
      let n = 0;
      for (const source of sources) {
        if (source.roles.includes(role)) {
          const { body, subject } = source.ask(role, ++n);
          const answer = await eve.request(subject, body, { timeout });
          assert.ok(answer.data.length > 0 || answer.headers !== undefined, `${source.name} is given`);
        }
        for (const reply of targets) {
          const { body, subject } = source.ask(role, ++n);
          const disguise = headers();
          disguise.set("Nats-Stream", "");
          eve.publish(subject, body, { reply });
          eve.publish(subject, body, { reply, headers: disguise });
        }
      }
      await nothingHappened();
    });
});

describe("ID-13: attacks that once worked", { skip: withoutServer, timeout }, () => {
  const store = (role: OuterRole, digest: string, body: string | Uint8Array) =>
    of(role).request(subjects.blob(digest, 1), body, { timeout });

  test("a viewer deletes streams by reading something into their interface", async () => {
    for (const stream of streamNames) {
      const reply = `$JS.API.STREAM.DELETE.${stream}`;
      of("viewer").publish(subjects.stored(chosen, 1), "", { reply });
      of("viewer").publish(`$JS.API.DIRECT.GET.${streams.blobs}.none`, "", { reply });
    }
    await nothingHappened();
  });

  for (const role of ["requester", "agent"] as const) {
    test(`${role}: reads the journal through a consumer whose description it stored`, async () => {
      const spy: string[] = [];
      const inbox = `_INBOX.${role}.${attacker}.spy`;
      of(role).subscribe(inbox, { callback: (_error, message) => void spy.push(message.subject) });
      const config = { deliver_subject: inbox, deliver_policy: "all", ack_policy: "none" };
      await store(role, `consumer-${role}`, JSON.stringify({ stream_name: streams.journal, config }));
      for (const name of ["", ".spy"])
        of(role).publish(subjects.stored(`consumer-${role}`, 1), "", {
          reply: `$JS.API.CONSUMER.CREATE.${streams.journal}${name}`,
        });
      await nothingHappened();
      assert.deepEqual(spy, []);
    });

    test(`${role}: gives an agent an order that it stored`, async () => {
      await store(role, `order-${role}`, JSON.stringify({ epoch: 1, leases: [{ fence: 1 }] }));
      of(role).publish(subjects.stored(`order-${role}`, 1), "", { reply: subjects.order("beta", "offer") });
      await nothingHappened();
    });

    test(`${role}: has a stored batch with the right hash written to the journal`, async () => {
      const batch = {
        v: 1,
        epoch: 1,
        prev: position.hash,
        at: 2,
        events: [{ kind: "AgentSeen", agent: "x" }],
      };
      await store(role, `batch-${role}`, JSON.stringify(batch));
      of(role).publish(subjects.stored(`batch-${role}`, 1), "", { reply: subjects.journal(secret) });
      await nothingHappened();
    });
  }
});
