// Agents say what they hold and ask who holds it, over every Bus; a leader that is new, or missed something, is told anew.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { findAgent, findPeers, findRelays } from "../../artifact/find-peers.ts";
import { tellHoldings, type HoldingsTeller } from "../../agent/tell-holdings.ts";
import { SenderQuota } from "../../coordinator/leader/sender-quota.ts";
import { serveTracker } from "../../coordinator/leader/serve-tracker.ts";
import { Tracker } from "../../coordinator/leader/tracker.ts";
import type { Bus, Subscription } from "../../protocol/bus/bus.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { coordinatorPatterns, subjectsOf } from "../../protocol/subjects.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { Held } from "../../protocol/tracking.ts";
import { busWorlds, type BusMesh } from "../support/bus-mesh.ts";
import { Fold } from "../support/fold.ts";
import { until } from "../support/until.ts";

const digestOf = (n: number) => n.toString(16).padStart(64, "0");
const door = { addresses: ["127.0.0.1:7000"] };
const place = { door, via: [], relays: true };

for (const world of busWorlds) {
  describe(`tracking (${world.name})`, { skip: world.skip }, () => {
    let mesh: BusMesh;
    let lead: Bus;
    let asking: Pick<Bus, "request">;
    let teller: HoldingsTeller;
    let served: Subscription[] = [];
    let tracker = new Tracker();
    const fold = new Fold();
    const held = new Map<string, Held>();
    const gone = new Map<string, number>();
    const heardGone: string[] = [];

    /** Where each user has an account of its own the asker stands in the subject; here it is put there. */
    const named = (who: string): Pick<Bus, "request"> => ({
      request: (subject, data, timeoutMs) => lead.request(`${subject}.agent.${who}`, data, timeoutMs),
    });

    function begin(epoch: number): void {
      for (const one of served) one.close();
      tracker = new Tracker();
      const state = { agents: fold.state.agents, gone, meta: { ...fold.state.meta, epoch } };
      served = [
        serveTracker(
          { bus: lead, mesh: "m", clock: systemClock, state, quota: new SenderQuota(() => undefined) },
          tracker,
          { ask: () => assert.fail(), declined: () => assert.fail(), heard: () => undefined },
        ),
      ];
    }
    const found = async (n: number, from = asking) =>
      (await mesh.settle(findPeers(from, "m", digestOf(n)))).peers.map(
        ({ agent, part }) => `${agent} ${part}`,
      );
    const settle = (n: number, right: readonly string[]) =>
      until(`${n} to be held by ${right.join() || "nobody"}`, async (note) => {
        await mesh.pass(20);
        const seen = await found(n);
        note(seen);
        return JSON.stringify(seen) === JSON.stringify(right) || null;
      });

    before(async () => {
      mesh = await world.start();
      lead = await mesh.connect("lead");
      fold.join("den", 1, { alpha: 1 });
      const incarnation = fold.state.agents.get("den")?.incarnation ?? "";
      asking = named("attic");
      begin(1);
      held.set(digestOf(1), { digest: digestOf(1) });
      teller = tellHoldings({
        bus: named("den"),
        mesh: "m",
        clock: systemClock,
        incarnation,
        place: () => place,
        // As a store lists it: what is still coming is not in it.
        all: () => [...held.values()].filter(({ part }) => part !== true),
        onGone: (digests) => heardGone.push(...digests),
      });
      teller.welcomed(1);
    });
    after(async () => {
      teller.close();
      await mesh.stop();
    });
    const change = (n: number, is: Held | null) => {
      if (is === null) held.delete(digestOf(n));
      else held.set(digestOf(n), is);
      if (is === null) teller.dropped(digestOf(n));
      else teller.added(is);
    };

    test("what is held, added, made whole and dropped is known to whoever asks", async () => {
      await settle(1, ["den false"]);
      change(2, { digest: digestOf(2), part: true });
      await settle(2, ["den true"]);
      change(2, { digest: digestOf(2) });
      change(1, null);
      await settle(2, ["den false"]);
      await settle(1, []);
    });

    test("TRACK-3: a new leader is told all of it, and one that missed a message too", async () => {
      for (let n = 10; n < 6_000; n++) held.set(digestOf(n), { digest: digestOf(n) });
      begin(2);
      teller.welcomed(2);
      await settle(5_999, ["den false"]);
      await settle(10, ["den false"]);
      change(4, { digest: digestOf(4), part: true });
      await settle(4, ["den true"]);
      // As a leader that lost its memory within its epoch.
      begin(2);
      change(3, { digest: digestOf(3) });
      await settle(3, ["den false"]);
      await settle(5_999, ["den false"]);
      await settle(4, ["den true"]);
    });

    test("TRACK-3: what is still coming is told again too, until it is whole or given up", async () => {
      begin(3);
      teller.welcomed(3);
      // Before the new leader has heard anything.
      change(5, { digest: digestOf(5), part: true });
      change(6, { digest: digestOf(6), part: true });
      await settle(4, ["den true"]);
      await settle(5, ["den true"]);
      change(4, null);
      change(5, { digest: digestOf(5) });
      await settle(5, ["den false"]);
      begin(4);
      teller.welcomed(4);
      await settle(6, ["den true"]);
      await settle(5, ["den false"]);
      await settle(4, []);
    });

    test("GC-8: whoever tells what it holds is told what of it was collected, however long ago", async () => {
      const kept = digestOf(20);
      for (const n of [11, 12, 9_001]) gone.set(digestOf(n), 1);
      begin(3);
      teller.welcomed(3);
      await settle(20, ["den false"]);
      assert.deepEqual(heardGone.toSorted(), [digestOf(11), digestOf(12)]);
      gone.delete(digestOf(11));
      gone.set(kept, 2);
      // As one that was spared is said again.
      for (const n of [11, 12, 20]) teller.added({ digest: digestOf(n) });
      await until("the answer", async () => {
        await mesh.pass(20);
        return heardGone.length === 4 || null;
      });
      assert.deepEqual(heardGone.slice(2).toSorted(), [digestOf(12), kept]);
    });

    test("of a machine that asks for itself, what nobody holds, and what cannot be read", async () => {
      assert.deepEqual(await found(3, named("den")), []);
      assert.deepEqual(await found(7_777), []);
      const subject = `${subjectsOf("m").track}.viewer.ada`;
      const ask = async (body: unknown) =>
        fromBytes(await mesh.settle(lead.request(subject, toBytes(body), 2_000)));
      assert.match(JSON.stringify(await ask({ kind: "find", digest: "x" })), /64 hexadecimal/);
      const hold = {
        kind: "hold",
        incarnation: "x",
        epoch: 3,
        number: 1,
        whole: true,
        door,
        added: [],
        dropped: [],
      };
      assert.match(JSON.stringify(await ask(hold)), /only an agent says what it holds/);
      assert.equal(coordinatorPatterns("m").tracks, "tm.v1.m.track.*.*");
    });

    test("TRACK-4: who passes on is told to whoever asks, but not to itself", async () => {
      assert.deepEqual(await mesh.settle(findRelays(asking, "m")), [{ agent: "den", door }]);
      assert.deepEqual(await mesh.settle(findRelays(named("den"), "m")), []);
    });

    test("TRACK-1: where an agent is reached is told to whoever asks for it, while it is there", async () => {
      assert.deepEqual(await mesh.settle(findAgent(asking, "m", "den")), {
        peers: [{ agent: "den", door, part: false }],
      });
      assert.deepEqual(await mesh.settle(findAgent(asking, "m", "nobody")), { peers: [] });
    });

    test("TRACK-1: an agent that is gone is nobody's peer", async () => {
      fold.do({ kind: "silent", agent: "den" });
      assert.equal(fold.state.agents.get("den")?.present, false);
      assert.deepEqual(await found(3), []);
      assert.deepEqual(await mesh.settle(findRelays(asking, "m")), []);
      assert.deepEqual(await mesh.settle(findAgent(asking, "m", "den")), { peers: [] });
    });
  });
}
