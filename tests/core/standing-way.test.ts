/** RELAY-3 beside a model of who passes on, is reached and goes away, on a clock of its own. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Peer } from "../../artifact/peer/peer-door.ts";
import { peerFault, type PeerFault } from "../../artifact/peer/peer-fault.ts";
import { StandingWays } from "../../artifact/peer/standing-way.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const machines = ["attic", "cellar", "den", "garage"];
/** Within this all that has changed is known, and one that came back is tried again, ms. */
const settledMs = 100_000;

const step = fc.record({
  offered: fc.subarray(machines),
  reached: fc.subarray(machines),
  /** Whose connections end. */
  ended: fc.subarray(machines),
});

function peerOf(name: string): Peer {
  return { name, host: "10.0.0.1", port: 7_000 };
}

test("RELAY-3: two ways are kept where two can be, another takes the place of one that ended, and each change is told", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const clock = new VirtualClock();
      const open = new Map<string, { fault: PeerFault | null; pings: number[] }>();
      let now = { offered: new Array<string>(), reached: new Array<string>() };
      let told: readonly string[] = [];
      const ways = new StandingWays({
        clock,
        relays: () => Promise.resolve(now.offered.map(peerOf)),
        dial: ({ name }) => {
          assert.notEqual(open.get(name)?.fault, null, `${name} is connected already`);
          if (!now.reached.includes(name)) return Promise.resolve(refuse("unavailable", "it is away"));
          const link = { fault: null, pings: new Array<number>() };
          open.set(name, link);
          const send = () => void link.pings.push(clock.monotonic());
          return Promise.resolve(
            accept({
              get fault() {
                return link.fault;
              },
              nextId: () => 1,
              send,
            }),
          );
        },
        onChange: (names) => (told = names),
      });
      ways.start();
      for (const { ended, offered, reached } of steps) {
        now = { offered, reached };
        for (const name of ended) {
          const link = open.get(name);
          if (link !== undefined) link.fault = peerFault("closed", "it went away");
        }
        const before = told.filter((name) => open.get(name)?.fault === null);
        await clock.advance(settledMs);
        const possible = new Set([...before, ...offered.filter((name) => reached.includes(name))]);
        assert.equal(told.length, Math.min(2, possible.size), `${told.join()} of ${[...possible].join()}`);
        for (const name of told) {
          assert.ok(possible.has(name));
          assert.equal(ways.placeOf(name)?.name, name);
        }
        for (const name of before) assert.ok(told.includes(name), `${name} is kept`);
      }
      // None is forgotten by a router on the way: 60 s at most between two words.
      const kept = told;
      const since = clock.monotonic();
      await clock.advance(5 * 60_000);
      for (const name of kept) {
        const said = (open.get(name)?.pings ?? []).filter((at) => at > since);
        assert.ok(said.length >= 5, `${said.length} words in 5 minutes`);
      }
      ways.stop();
    }),
    { numRuns: 60 },
  );
});
