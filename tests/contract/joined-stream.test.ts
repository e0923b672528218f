/** SERVED-3, SERVED-5: who is joined to a replica over the door for peers, by which ways, and when that ends. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { ReachedReplicas } from "../../agent/serving/reached-replica.ts";
import { joinStream } from "../../artifact/peer/join-stream.ts";
import { JoinedStreams } from "../../artifact/peer/joined-stream.ts";
import type { FarPeer } from "../../artifact/peer/peer-door.ts";
import { tokenBytes } from "../../artifact/peer/peer-message.ts";
import { PeerReach } from "../../artifact/peer/peer-reach.ts";
import { answerCalls } from "../../artifact/peer/relayed-way.ts";
import { Relay } from "../../artifact/peer/relay.ts";
import { createOperator, createUser } from "@nats-io/nkeys";
import { meshIdentity } from "../../artifact/peer/mesh-identity.ts";
import { authorityOf, issueForUser } from "../../mesh/certificate/authority.ts";
import { newTlsKey } from "../../mesh/certificate/own-key.ts";
import { userLife } from "../../protocol/certificate/certificate-life.ts";
import { outerRoles } from "../../protocol/subjects.ts";
import { valueOf } from "../../bench/shared/value-of.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { openHttpDoor, type HttpDoor } from "../../serving/server/http-door.ts";
import { secretBytes } from "../../serving/server/knock.ts";
import { askOver } from "../support/asked-replica.ts";
import { PeerMachine } from "../support/peer-machine.ts";
import { until } from "../support/until.ts";

const fence = 7;

describe("joined", () => {
  const authority = authorityOf(createOperator(), "house");
  const revoked = new Set<string>();
  const userKeys = new Map<string, string>();
  let agent: PeerMachine;
  let replica: HttpDoor;
  const secret = randomBytes(secretBytes);
  const machines: PeerMachine[] = [];
  const reached = new ReachedReplicas();
  const streams = new JoinedStreams({
    clock: systemClock,
    placeOf: (peer, at) => reached.placeOf(peer, at),
  });
  /** What was asked and waits until `answer` is called. */
  const held: (() => void)[] = [];

  before(async () => {
    agent = await machine("one", (link) => streams.serve(link));
    reached.hearCuts((at) => streams.cut(at));
    replica = valueOf(
      await openHttpDoor({
        ...{ address: { host: "127.0.0.1", port: 0 }, tls: null, secret },
        listener: (request, response) => {
          const body: Buffer[] = [];
          request.on("data", (part: Buffer) => body.push(part));
          request.on("end", () => {
            if (request.url === "/held") held.push(() => response.end("late"));
            else response.end(Buffer.concat(body));
          });
        },
      }),
    );
    reached.answers(fence, "anna", { port: replica.port, secret: secret.toString("hex") });
  });
  after(async () => {
    streams.close();
    for (const one of machines) await one.close();
    await replica.close(0);
  });

  async function machine(
    name: string,
    serve: NonNullable<PeerServe> = () => undefined,
  ): Promise<PeerMachine> {
    const made = await PeerMachine.open(name, identityOf(name), { serve });
    machines.push(made);
    return made;
  }

  /** As the mesh signs them: `role:name`, or an agent's name alone. */
  function identityOf(called: string) {
    const [word = "", rest] = called.split(":");
    const role = rest === undefined ? "agent" : (outerRoles.find((one) => one === word) ?? "coordinator");
    const [key, userKey] = [newTlsKey(), createUser().getPublicKey()];
    userKeys.set(called, userKey);
    const terms = { publicKey: key.publicKey, nowMs: Date.now(), life: userLife };
    const certificate = issueForUser(authority, { role, name: rest ?? word, userKey }, terms);
    const isRevoked = (one: string) => revoked.has(one);
    const own = { key: key.pem, certificate, authority: authority.certificate };
    return meshIdentity({ ...own, mesh: "house", isRevoked });
  }

  async function joinedBy(name: string, at = fence, to: FarPeer = agent.peer) {
    const { door } = await machine(name);
    const link = valueOf(await new PeerReach(door, systemClock, name).reachBare(to));
    return joinStream(link, at, systemClock);
  }

  test("SERVED-3: owners and the one who pays are let in, and no other person, agent or part of the mesh", async () => {
    for (const name of ["owner:lisa", "requester:anna"]) {
      const joined = valueOf(await joinedBy(name));
      const text = "x".repeat(3_000_000);
      const { status, text: echo } = await askOver(joined, "/", text);
      assert.equal(status, 200);
      assert.equal(JSON.parse(echo), text);
    }
    for (const name of ["requester:bob", "viewer:anna", "coordinator:anna", "two", "anna", "owner"]) {
      const joined = await joinedBy(name);
      assert.ok(!joined.ok, name);
      assert.match(joined.refusal.message, /may not be asked by this user/);
    }
    const unknown = await joinedBy("owner:lisa", 8);
    assert.ok(!unknown.ok);
    assert.match(unknown.refusal.message, /does not run there/);
  });

  test("SERVED-5: where it stands still, whoever waits for an answer hears it at once, nobody is let in, and all are when it goes on", async () => {
    const joined = valueOf(await joinedBy("owner:lisa"));
    const asked = askOver(joined, "/held").then(
      () => "answered",
      () => "ended",
    );
    await until("it has heard", () => (held.length > 0 ? true : null));
    reached.standsStill(fence, true);
    assert.equal(await asked, "ended");
    assert.ok(!(await joinedBy("owner:lisa")).ok);
    reached.standsStill(fence, false);
    assert.equal((await askOver(valueOf(await joinedBy("owner:lisa")), "/", "back")).status, 200);
  });

  test("PEER-4: whoever is revoked is cut off from what was joined, and others are not", async () => {
    const [gone, stays] = [valueOf(await joinedBy("owner:gone")), valueOf(await joinedBy("owner:lisa"))];
    const ended = new Promise((resolve) => void gone.once("close", resolve));
    revoked.add(userKeys.get("owner:gone") ?? "");
    streams.recheck(identityOf("one").trusts);
    await ended;
    assert.equal((await askOver(stays, "/", "still")).status, 200);
  });

  test("RELAY: a replica behind a machine that passes on is asked through it", async () => {
    const middle = await machine("middle", (link) => relay.serve(link));
    const relay: Relay = new Relay({
      ...{ door: middle.door, clock: systemClock, share: middle.upload },
      newToken: () => randomBytes(tokenBytes).toString("hex"),
    });
    answerCalls(valueOf(await agent.door.dial(middle.peer)), agent.door, () => middle.peer);
    const joined = valueOf(await joinedBy("owner:far", fence, { name: "one", via: [middle.peer] }));
    assert.equal((await askOver(joined, "/", "through")).text, '"through"');
  });
});

type PeerServe = NonNullable<Parameters<typeof PeerMachine.open>[2]>["serve"];
