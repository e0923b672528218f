/** A mesh in which nothing goes wrong but clocks: the time of day of a machine is set by hours, in either direction, or a machine sleeps. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Journal } from "../../coordinator/journal/journal.ts";
import { auditJournal } from "../support/journal-audit.ts";
import { clockedSweep, harmOf, type Seen } from "./clock-harm.ts";
import { mesh, World } from "./world.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const agents = ["box", "attic"];

/** Runs a sweep of long trials, and `trouble` half a minute into it; what the journal says until the sweep has ended. */
async function eventsOf(trouble: (world: World) => void, runMs = 10 * minuteMs): Promise<readonly Seen[]> {
  const world = new World(1);
  world.hub.faults = { ...world.hub.faults, delayMs: [1, 20] };
  world.startCandidate("one");
  for (const name of agents) world.startAgent({ name, slots: 2, rates: { alpha: 0.5 }, idleOnly: false });
  const owner = world.client("owner", "owner");
  const spec = clockedSweep(8, 9);
  await world.clock.advance(5_000);
  await world.clock.settle(owner.command("account-open", { requester: "ada", grant: 1_000_000_000 }));
  const run = await world.clock.settle(world.client("requester", "ada").command("sweep-run", { spec }));
  assert.ok(run.ok, run.ok ? "" : run.refusal.message);
  await world.clock.advance(minuteMs / 2);
  trouble(world);
  await world.clock.advance(runMs);
  assert.deepEqual(world.violations, []);
  const seen: Seen[] = [];
  const journal = new Journal(world.hub.connect("auditor"), mesh, world.clock, world.keys);
  const audit = await world.clock.settle(auditJournal(journal, (event, _, at) => seen.push({ event, at })));
  assert.deepEqual(audit.violations, []);
  for (const sweep of audit.state.sweeps.values()) assert.equal(sweep.state, "done");
  return seen;
}

const isWasted = (ending: string) => ending === "lost" || ending === "refused";

for (const who of ["one", ...agents]) {
  for (const hours of [-24 * 365, -1, 3]) {
    test(`CLOCK-2: nobody's work suffers where the clock of ${who} is set by ${hours} hours`, async () => {
      const seen = await eventsOf((world) => world.stepClock(who, hours * hourMs));
      assert.deepEqual(harmOf(seen), []);
    });
  }
}

test("CLOCK-1: a term that begins on a machine whose clock is an hour back goes on from the journal's time", async () => {
  const seen = await eventsOf((world) => {
    world.startCandidate("two");
    world.stepClock("two", -hourMs);
    world.killCandidate("one");
  });
  assert.ok(seen.some(({ event }) => event.kind === "LeaderElected" && event.leader === "two"));
  assert.deepEqual(harmOf(seen), []);
});

test("CLOCK-3: a leader whose machine slept gives out work as soon as it is awake", async () => {
  const seen = await eventsOf((world) => world.freeze("one", 10 * minuteMs, "sleep"), 20 * minuteMs);
  const wasted = seen.filter(({ event }) => event.kind === "AttemptEnded" && isWasted(event.ending));
  assert.deepEqual(wasted, []);
});

test("CLOCK-3: an agent whose machine slept goes on with what it is offered then", async () => {
  const seen = await eventsOf((world) => world.freeze("box", 10 * minuteMs, "sleep"), 20 * minuteMs);
  const wasted = seen.filter(({ event }) => event.kind === "AttemptEnded" && isWasted(event.ending));
  assert.equal(wasted.length, 2, "what it held, and no more");
});
