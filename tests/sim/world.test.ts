/** The simulation's own machinery: what befalls a process together must be what can befall a machine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.ts";

const plan = { name: "box", slots: 1, rates: { alpha: 1 }, idleOnly: false };

test("a machine that sleeps hears nothing, also where its line is cut and comes back meanwhile", async () => {
  const world = new World(1);
  world.startAgent(plan);
  const box = world.agents.get("box");
  assert.ok(box !== undefined);
  const isThere = () => [box.clock.standsStill, box.bus.status() === "connected"];
  world.freeze("box", 20_000, "sleep");
  world.cutOff("box", 1_000);
  await world.clock.advance(5_000);
  assert.deepEqual(isThere(), [true, false]);
  world.cutOff("box", 20_000);
  await world.clock.advance(16_000);
  assert.deepEqual(isThere(), [false, false], "awake, and cut off still");
  await world.clock.advance(5_000);
  assert.deepEqual(isThere(), [false, true]);
});

test("a machine that sleeps is not woken by the end of another standstill", async () => {
  const world = new World(1);
  world.startAgent(plan);
  const box = world.agents.get("box");
  world.freeze("box", 20_000, "sleep");
  world.freeze("box", 1_000, "pause");
  await world.clock.advance(5_000);
  assert.equal(box?.clock.standsStill, true);
});

test("LEASE-7: what excuses an agent that slept goes by the term it was registered in, not by one it had not heard of", async () => {
  const world = new World(1);
  world.startCandidate("one");
  world.startAgent(plan);
  await world.clock.advance(20_000);
  const box = world.agents.get("box");
  assert.equal(box?.registeredIn, 1);
  world.cutOff("box", 60_000);
  world.killCandidate("one");
  world.startCandidate("one");
  await world.clock.advance(20_000);
  assert.equal(world.candidates.get("one")?.state?.meta.epoch, 2);
  world.freeze("box", 1_000, "sleep");
  await world.clock.advance(1_500);
  assert.equal(box.excuse?.epoch, 1);
});
