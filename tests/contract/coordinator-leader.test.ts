// The leader's loop over a journal that takes its time: what is decided ahead, and what leaves when.
import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyState } from "../../coordinator/state/state.ts";
import { settingsFor } from "../../coordinator/state/setting.ts";
import { apply } from "../../coordinator/core/apply.ts";
import { Journal, startPosition } from "../../coordinator/journal/journal.ts";
import { FaultBook } from "../../coordinator/leader/fault-book.ts";
import { Leader } from "../../coordinator/leader/leader.ts";
import { nothingKnown } from "../../coordinator/placement/move-cost.ts";
import { ProjectionStore } from "../../coordinator/projection/projection-store.ts";
import { openPolicy } from "../../protocol/capability.ts";
import { MemoryHub } from "../support/bus/memory-hub.ts";
import { streamSpecsOf } from "../../protocol/subjects.ts";
import { keysOf } from "../support/order-key.ts";
import { MemoryDisk } from "../support/memory-store.ts";
import { capability } from "../support/fold.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const keys = keysOf("m");
/** Each way to the server and back takes this long, ms. */
const wayMs = 100;
/** More than enough to be decided before the append under way is known to be there. */
const crowd = 60;

async function newLeader() {
  const clock = new VirtualClock();
  const hub = new MemoryHub({ clock, seed: 1 });
  const bus = hub.connect("leader");
  for (const spec of streamSpecsOf("m", 1, "secret")) await clock.settle(bus.ensureStream(spec));
  const journal = new Journal(bus, "m", clock, keys);
  const state = emptyState();
  const elected = { kind: "LeaderElected", epoch: 1, leader: "leader" } as const;
  const entry = await clock.settle(journal.append(startPosition, 1, clock.now(), [elected], () => false));
  assert.ok(entry !== null);
  apply(state, elected, clock.now());
  const [opening, copy] = [new MemoryDisk().open("1"), new MemoryDisk().open("1")];
  assert.ok(opening.kind === "opened" && copy.kind === "opened");
  const lines: string[] = [];
  const onError = (error: unknown) => lines.push(`error ${String(error)}`);
  const leader = new Leader({
    state,
    position: entry.position,
    journal,
    store: new ProjectionStore(opening.store, copy.store, onError, (line) => lines.push(line)),
    clock,
    holdings: nothingKnown,
    settings: settingsFor(15_000),
    send: () => {},
    onBatch: (events, { sequence }) => lines.push(`durable ${sequence}: ${events.length} events`),
    onSettled: () => lines.push(`settled with ${state.agents.size} agents`),
    onDeposed: () => lines.push("deposed"),
    faults: new FaultBook(),
    onFault: (_, sentence) => lines.push(sentence),
    onSpoilt: () => lines.push("spoilt"),
    onError,
  });
  hub.faults = { ...hub.faults, delayMs: [wayMs, wayMs] };
  const join = (agent: string) =>
    leader.submit({
      input: {
        kind: "register",
        agent,
        register: { incarnation: `${agent}-1`, capability: capability(), policy: openPolicy(2) },
      },
      done: () => {
        if (!agent.startsWith("crowd")) lines.push(`answered ${agent}`);
      },
    });
  return { clock, hub, bus, journal, state, leader, lines, join };
}

test("LEAD-1: a batch decided while another is on its way leaves, and is asked about, only once it is durable", async () => {
  const { clock, bus, journal, state, leader, lines, join } = await newLeader();
  join("first");
  await clock.advance(wayMs / 2);
  for (let number = 1; number < crowd; number++) join(`crowd${number}`);
  join("last");
  await clock.advance(1);
  // Decided, and not a word of it.
  assert.equal(state.agents.size, crowd + 1);
  assert.equal(lines.length, 0);
  leader.ask(() => lines.push("asked"));
  await clock.advance(10 * wayMs);
  assert.deepEqual(
    lines.filter((line) => !line.startsWith("durable")),
    ["answered first", `settled with ${crowd + 1} agents`, "answered last", "asked"],
  );
  const entries = await clock.settle(new Journal(bus, "m", clock, keys).readAfter(startPosition));
  assert.equal(entries.length, 3);
  assert.deepEqual(entries.at(-1)?.position, leader.position);
  assert.equal(await clock.settle(journal.verify(leader.position)), undefined);
});

test("LEAD-1: where the append before it is refused, the batch decided ahead is never written nor heard of", async () => {
  const { clock, hub, journal, leader, lines, join } = await newLeader();
  const rival = new Journal(hub.connect("rival"), "m", clock, keys);
  const { position } = leader;
  hub.faults = { ...hub.faults, delayMs: [0, 0] };
  const usurped = await clock.settle(
    rival.append(
      position,
      2,
      clock.now(),
      [{ kind: "LeaderElected", epoch: 2, leader: "rival" }],
      () => true,
    ),
  );
  assert.ok(usurped !== null);
  hub.faults = { ...hub.faults, delayMs: [wayMs, wayMs] };
  join("first");
  await clock.advance(wayMs / 2);
  for (let number = 1; number < crowd; number++) join(`crowd${number}`);
  join("last");
  leader.ask(() => lines.push("asked"));
  await clock.advance(20 * wayMs);
  assert.deepEqual(lines, ["deposed"]);
  const entries = await clock.settle(journal.readAfter(position));
  assert.deepEqual(
    entries.map((entry) => entry.batch.events[0]?.kind),
    ["LeaderElected"],
  );
});
