/** RELAY-1: two machines that cannot reach each other, by way of a third that both reach and that reads nothing. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { answerCalls, reachThrough, Relay } from "../../artifact/peer/relay.ts";
import type { PeerLink } from "../../artifact/peer/peer-link.ts";
import { tokenBytes } from "../../artifact/peer/peer-message.ts";
import { PeerAuthority } from "../../bench/artifact/peer-certificate.ts";
import { valueOf } from "../../bench/shared/value-of.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { madeUp, PeerMachine } from "../support/peer-machine.ts";

const chunk = 2 ** 20;

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

  async function machine(name: string, serve?: (link: PeerLink) => void): Promise<PeerMachine> {
    const made = await PeerMachine.open(name, authority.identity(name), serve === undefined ? {} : { serve });
    machines.push(made);
    return made;
  }

  /** One that passes on, one that holds an artifact and is connected with it, and one that wants it. */
  async function three(pairs = 8) {
    const middle = await machine("middle", (link) => relay.serve(link));
    const relay: Relay = new Relay({
      ...{ door: middle.door, clock: systemClock, limits: { pairs } },
      newToken: () => randomBytes(tokenBytes).toString("hex"),
    });
    const [holder, taker] = [await machine("holder"), await machine("taker")];
    const link = valueOf(await holder.door.dial(middle.peer));
    answerCalls(link, holder.door, middle.peer);
    const nowhere = { ...holder.peer, host: "127.0.0.1", port: 1 };
    const reach = () => reachThrough(taker.door, middle.peer, nowhere, systemClock);
    return { relay, middle, holder, taker, nowhere, reach };
  }

  test("RELAY-1: an artifact comes through, and the one in the middle was shown none of it", async () => {
    const { holder, middle, nowhere, reach, relay, taker } = await three();
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
    // What the middle revokes is cut off there too.
    relay.revoke(new Set(["taker"]));
    assert.equal(relay.pairs, 0);
  });

  test("RELAY-1: who is not connected there cannot be reached, and for more pairs than allowed nothing is passed on", async () => {
    const { middle, reach, taker } = await three(1);
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
    valueOf(await reach());
    const second = await reach();
    assert.ok(
      !second.ok && /passes on for as many as it may/.test(second.refusal.message),
      JSON.stringify(second),
    );
  });

  test("RELAY-1: one in the middle that pretends to be the other is found out", async () => {
    // It answers the call itself, with its own certificate.
    const { holder, middle, taker } = await three();
    const liar = await machine("liar");
    const link = valueOf(await liar.door.dial(middle.peer));
    answerCalls(link, liar.door, middle.peer);
    const asHolder = { ...holder.peer, name: "liar" };
    const through = await reachThrough(taker.door, middle.peer, asHolder, systemClock);
    assert.equal(valueOf(through).peer, "liar");
    const wrong = await taker.door.dial({ ...liar.peer, name: "holder" });
    assert.ok(!wrong.ok && /it is "liar"/.test(wrong.refusal.message));
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
