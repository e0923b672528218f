/** RELAY-1: two machines that cannot reach each other, by way of a third that both reach and that reads nothing. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Relay } from "../../artifact/peer/relay.ts";
import type { FarPeer } from "../../artifact/peer/peer-door.ts";
import { peerFault } from "../../artifact/peer/peer-fault.ts";
import { PeerReach } from "../../artifact/peer/peer-reach.ts";
import { answerCalls, reachThrough } from "../../artifact/peer/relayed-way.ts";
import type { PeerLink } from "../../artifact/peer/peer-link.ts";
import { tokenBytes } from "../../artifact/peer/peer-message.ts";
import { PeerAuthority } from "../../bench/artifact/peer-certificate.ts";
import { valueOf } from "../../bench/shared/value-of.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { UploadLimits } from "../../artifact/peer/upload.ts";
import { madeUp, PeerMachine } from "../support/peer-machine.ts";

const chunk = 2 ** 20;
/** Of one relay. */
const pairsMax = 8;

describe("relay", () => {
  let authority: PeerAuthority;
  const machines: PeerMachine[] = [];
  before(() => {
    authority = new PeerAuthority();
  });
  after(async () => {
    for (const machine of machines) await machine.close();
    authority.close();
  });

  async function machine(
    name: string,
    serve?: (link: PeerLink) => void,
    limits?: UploadLimits,
  ): Promise<PeerMachine> {
    const made = await PeerMachine.open(name, authority.identity(name), {
      ...(serve === undefined ? {} : { serve }),
      ...(limits === undefined ? {} : { limits }),
    });
    machines.push(made);
    return made;
  }

  /** One that passes on, one that holds an artifact and is connected with it, and one that wants it. */
  async function three(limits?: UploadLimits, mayRelay = true) {
    const middle = await machine("middle", (link) => relay.serve(link), limits);
    const moved: number[] = [];
    const relay: Relay = new Relay({
      ...{ door: middle.door, clock: systemClock, share: mayRelay ? middle.upload : null },
      newToken: () => randomBytes(tokenBytes).toString("hex"),
      onEnd: (pair) => moved.push(pair.moved),
    });
    const [holder, taker] = [await machine("holder"), await machine("taker")];
    const link = valueOf(await holder.door.dial(middle.peer));
    answerCalls(link, holder.door, () => middle.peer);
    const nowhere = { ...holder.peer, host: "127.0.0.1", port: 1 };
    const reach = () => reachThrough(taker.door, middle.peer, nowhere, systemClock);
    return { relay, middle, holder, taker, nowhere, reach, moved };
  }

  test("RELAY-1: an artifact comes through, and the one in the middle was shown none of it", async () => {
    const { holder, middle, moved, nowhere, reach, relay, taker } = await three();
    const digest = await holder.shelf.add(madeUp(9 * chunk + 5));
    const direct = await taker.door.dial(nowhere);
    assert.ok(!direct.ok && /nothing listens there/.test(direct.refusal.message));
    const received = valueOf(
      await taker.receive(digest, [], { reach, peersOf: () => Promise.resolve([nowhere]) }),
    );
    assert.deepEqual([...received.from.keys()], ["holder"]);
    assert.deepEqual(readFileSync(join(taker.folder, digest)), readFileSync(join(holder.folder, digest)));
    assert.equal(relay.pairs, 1);
    assert.equal(middle.upload.sentBytes, 0);
    // Whom the middle trusts no more is cut off there too, and nobody else.
    const { trusts } = authority.identity("middle", new Set());
    relay.recheck(trusts);
    assert.equal(relay.pairs, 1);
    relay.recheck((certificate) => (trusts(certificate) === "taker" ? null : trusts(certificate)));
    assert.equal(relay.pairs, 0);
    assert.ok((moved[0] ?? 0) > 9 * chunk, String(moved));
  });

  test("RELAY-4: a direct way that appears is taken with the next question, at most a minute later, and stays", async () => {
    const { holder, middle, nowhere, taker } = await three();
    let passedMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + passedMs };
    const reach = new PeerReach(taker.door, clock, "taker");
    const asked = async (peer: FarPeer) => valueOf(await reach.reach({ ...peer, via: [middle.peer] }));
    const carried = await asked(nowhere);
    assert.equal(carried.peer, "holder");
    assert.equal(await asked(holder.peer), carried, "it was not reached a moment ago");
    passedMs = 60_000;
    assert.equal(await asked(nowhere), carried, "it goes on where there is no other way");
    passedMs = 120_000;
    const direct = await asked(holder.peer);
    assert.notEqual(direct, carried);
    assert.equal(carried.fault, null, "what goes over it is not cut off");
    assert.equal(await asked(nowhere), direct);
    carried.close(peerFault("done", "it is over"));
    assert.equal(await asked(holder.peer), direct);
  });

  test("RELAY-1: who is not connected there cannot be reached, and for more pairs than allowed nothing is passed on", async () => {
    const { middle, reach, relay, taker } = await three();
    const nobody = await reachThrough(
      taker.door,
      middle.peer,
      { name: "nobody", host: "", port: 1 },
      systemClock,
    );
    assert.ok(
      !nobody.ok &&
        /"nobody" cannot be reached through "middle": it is not connected/.test(nobody.refusal.message),
    );
    for (let pair = 1; pair <= pairsMax; pair++) {
      valueOf(await reach());
      assert.equal(relay.pairs, pair);
    }
    const more = await reach();
    assert.ok(!more.ok && /passes on for as many as it may/.test(more.refusal.message), JSON.stringify(more));
  });

  test("RELAY-1: one in the middle that pretends to be the other is found out", async () => {
    // It answers the call itself, with its own certificate.
    const { holder, middle, taker } = await three();
    const liar = await machine("liar");
    const link = valueOf(await liar.door.dial(middle.peer));
    answerCalls(link, liar.door, () => middle.peer);
    const asHolder = { ...holder.peer, name: "liar" };
    const through = await reachThrough(taker.door, middle.peer, asHolder, systemClock);
    assert.equal(valueOf(through).peer, "liar");
    const wrong = await taker.door.dial({ ...liar.peer, name: "holder" });
    assert.ok(!wrong.ok && /it is "liar"/.test(wrong.refusal.message));
  });

  test("RELAY-1: where its owner does not want it, nothing is passed on, and that is said", async () => {
    const { reach, relay } = await three(undefined, false);
    const none = await reach();
    assert.ok(
      !none.ok && /through "middle": its owner lets it pass nothing on/.test(none.refusal.message),
      JSON.stringify(none),
    );
    assert.equal(relay.pairs, 0);
  });

  test("RELAY-2: what is passed on takes of the rate that the owner gives, and of the slots", async () => {
    const rate = 8 * chunk;
    const { holder, middle, moved, nowhere, reach, relay, taker } = await three({
      slots: 1,
      bytesPerSecond: rate,
    });
    const digest = await holder.shelf.add(madeUp(12 * chunk));
    const begun = performance.now();
    // Somebody else has the only slot for its first second.
    assert.ok(middle.upload.slots.take("other", systemClock.monotonic()));
    setTimeout(() => middle.upload.slots.release("other"), 1_000);
    valueOf(
      await taker.receive(digest, [], { reach, peersOf: () => Promise.resolve([nowhere]), giveUpMs: 9_000 }),
    );
    const ms = performance.now() - begun;
    relay.recheck(() => null);
    const least = ((moved[0] ?? 0) / rate) * 1_000;
    assert.ok((moved[0] ?? 0) > 12 * chunk);
    assert.ok(ms > least * 0.9 + 800, `${moved[0]} bytes in ${ms} ms`);
  });

  test("RELAY-1: an answer with a token that was not given ends the connection", async () => {
    const { middle } = await three();
    const guesser = await machine("guesser");
    const link = valueOf(await guesser.door.dial(middle.peer));
    await link.settled();
    link.send({ kind: "answer", token: "00".repeat(tokenBytes) });
    await new Promise((resolve) =>
      link.attach({ message: () => null, place: () => "", bulk: () => {}, closed: resolve }),
    );
    assert.match(link.fault?.message ?? "", /an answer to nobody/);
  });
});
