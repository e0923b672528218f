// One suite for every Bus: core messages, requests, and what happens when the server goes and comes back.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { BusError, type Bus, type BusEvent } from "../../protocol/bus/bus.ts";
import { busWorlds, bytesOf, textOf, type BusMesh } from "../support/bus-mesh.ts";

const busError = (kind: BusError["kind"]) => (error: unknown) =>
  error instanceof BusError && error.kind === kind;

for (const world of busWorlds) {
  describe(`Bus (${world.name})`, { skip: world.skip }, () => {
    let mesh: BusMesh;
    let a: Bus;
    let b: Bus;
    before(async () => {
      mesh = await world.start();
      a = await mesh.connect("a");
      b = await mesh.connect("b");
    });
    after(() => mesh.stop());

    test("BUS-1: every subscriber under the subject gets a message, in the order of one sender", async () => {
      const got: string[] = [];
      const others: string[] = [];
      const s1 = b.subscribe("one.*.x", (m) => got.push(`${m.subject}=${textOf(m.data)}`));
      const s2 = a.subscribe("one.>", (m) => others.push(textOf(m.data)));
      const s3 = b.subscribe("one.x.other", () => assert.fail("not this subject"));
      await mesh.pass(50);
      for (let n = 0; n < 20; n++) a.publish("one.2.x", bytesOf(String(n)));
      await mesh.until("all arrived", () => got.length === 20 && others.length === 20);
      assert.deepEqual(
        got,
        Array.from({ length: 20 }, (_, n) => `one.2.x=${n}`),
      );
      assert.deepEqual(
        others,
        Array.from({ length: 20 }, (_, n) => `${n}`),
      );
      for (const s of [s1, s2, s3]) s.close();
      await mesh.pass(50);
      a.publish("one.2.x", bytesOf("late"));
      await mesh.pass(100);
      assert.equal(got.length, 20, "nothing after close");
    });

    test("BUS-2: of one queue group exactly one gets each message", async () => {
      let first = 0;
      let second = 0;
      const s1 = a.subscribe("two", () => first++, { queue: "q" });
      const s2 = b.subscribe("two", () => second++, { queue: "q" });
      await mesh.pass(50);
      for (let n = 0; n < 100; n++) a.publish("two", bytesOf("x"));
      await mesh.until("all arrived", () => first + second >= 100);
      await mesh.pass(50);
      assert.equal(first + second, 100);
      assert.ok(first > 0 && second > 0, `shared: ${first} and ${second}`);
      s1.close();
      s2.close();
    });

    test("BUS-3: a request gets its answer, many at once get each their own", async () => {
      const s = b.subscribe("three", (m) => m.respond(bytesOf(`re:${textOf(m.data)}`)));
      await mesh.pass(50);
      const asked = Array.from({ length: 50 }, (_, n) => a.request("three", bytesOf(String(n)), 5_000));
      const answers = await mesh.settle(Promise.all(asked));
      assert.deepEqual(
        answers.map(textOf),
        Array.from({ length: 50 }, (_, n) => `re:${n}`),
      );
      s.close();
    });

    test("BUS-4: a request to nobody fails at once as no-responders, an unanswered one as timeout", async () => {
      const nobody = a.request("four.nobody", bytesOf(""), 3_600_000);
      await assert.rejects(mesh.settle(nobody), busError("no-responders"));
      let heard = 0;
      const s = b.subscribe("four.silent", () => void heard++);
      // On a busy machine the server may hear of the subscription late.
      await mesh.until("the subscription", () => {
        a.publish("four.silent", bytesOf(""));
        return heard > 0;
      });
      await assert.rejects(mesh.settle(a.request("four.silent", bytesOf(""), 100)), busError("timeout"));
      s.close();
    });

    test("BUS-5: when the server dies, what waits fails as unavailable; when it is back, subscriptions work again", async () => {
      const events: BusEvent["kind"][] = [];
      const off = a.onStatus((event) => events.push(event.kind));
      const got: string[] = [];
      const s = a.subscribe("five", (m) => {
        got.push(textOf(m.data));
        m.respond(bytesOf("here"));
      });
      const silent = b.subscribe("five.silent", () => undefined);
      await mesh.pass(50);
      const waiting = a.request("five.silent", bytesOf(""), 3_600_000);
      const refusedWaiting = assert.rejects(waiting, busError("unavailable"));
      await mesh.pass(50);
      await mesh.kill9();
      await mesh.settle(refusedWaiting);
      await mesh.until("both know", () => a.status() === "disconnected" && b.status() === "disconnected");
      await assert.rejects(a.request("five", bytesOf(""), 1_000), busError("unavailable"));
      await assert.rejects(a.streamState("ANY"), busError("unavailable"));
      b.publish("five", bytesOf("lost"));

      await mesh.restart();
      await mesh.until("both are back", () => a.status() === "connected" && b.status() === "connected");
      await mesh.pass(50);
      assert.equal(textOf(await mesh.settle(b.request("five", bytesOf("again"), 5_000))), "here");
      assert.deepEqual(got, ["again"], "a message sent while disconnected is lost, not late");
      assert.deepEqual(events, ["disconnected", "connected"]);
      off();
      s.close();
      silent.close();
    });

    test("BUS-6: a closed bus says so and refuses everything", async () => {
      const c = await mesh.connect("c");
      const events: BusEvent[] = [];
      c.onStatus((event) => events.push(event));
      await mesh.settle(c.close());
      assert.equal(c.status(), "closed");
      assert.deepEqual(events, [{ kind: "closed", reason: "closed by its owner" }]);
      await assert.rejects(c.request("six", bytesOf(""), 100), busError("closed"));
      await assert.rejects(c.append("S", "six", bytesOf("")), busError("closed"));
      c.publish("six", bytesOf("no error"));
    });
  });
}
