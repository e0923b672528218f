/** When a coordinator that stands by tries to lead: not while another is heard to lead, soon once none is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toBytes } from "../../protocol/json-bytes.ts";
import { coordinatorPatterns, subjectsOf } from "../../protocol/subjects.ts";
import { CandidatePlace, placeMesh } from "../support/candidate-place.ts";
import { MemoryDisk } from "../support/memory-store.ts";

const minuteMs = 60_000;
const beaconMs = 1_000;
/** Far more than a leader that hangs is given. */
const soonMs = 15_000;
/** A question and its answer go four ways: more than a standby waits for one answer. */
const slowWayMs = 400;

test("LEAD-2: where answers are slow, coordinators do not depose each other", async () => {
  const place = new CandidatePlace();
  const one = place.start("one");
  await place.clock.advance(minuteMs);
  assert.equal(one.role(), "leader");
  place.hub.faults = { ...place.hub.faults, delayMs: [slowWayMs, slowWayMs] };
  const two = place.start("two", false, { projection: new MemoryDisk(), copy: new MemoryDisk() });
  await place.clock.advance(10 * minuteMs);
  assert.deepEqual([one.role(), two.role(), place.state?.meta.epoch], ["leader", "standby", 1]);
  // Nobody is there to answer: that is known at once, however slow the network is.
  await place.clock.settle(one.stop());
  place.hub.revoke("one");
  await place.clock.advance(soonMs);
  assert.equal(two.role(), "leader");
});

/** A leader of term 2 that answers nothing, and a coordinator that stands by. */
async function beside() {
  const place = new CandidatePlace();
  await place.streams();
  await place.write(1, { kind: "LeaderElected", epoch: 1, leader: "other" });
  await place.write(2, { kind: "LeaderElected", epoch: 2, leader: "other" });
  const other = place.hub.connect("other");
  other.subscribe(coordinatorPatterns(placeMesh).queries, () => {});
  const { epoch: subject } = subjectsOf(placeMesh);
  const standby = place.start("one");
  /** Its beacons for so long, each made by `body` of how many came before. */
  const beacons = async (
    ms: number,
    body: (sent: number) => { epoch: number; at: number; leader?: string },
  ) => {
    for (let sent = 0; sent * beaconMs < ms; sent++) {
      const beacon = { leader: "other", ...body(sent) };
      other.publish(subject, place.keys.signer.sign(subject, toBytes(beacon)));
      await place.clock.advance(beaconMs);
    }
    return standby.role();
  };
  return { place, standby, beacons };
}

test("LEAD-2: a leader that answers nothing leads as long as its beacons come, and a little longer", async () => {
  const { beacons, place, standby } = await beside();
  assert.equal(await beacons(minuteMs, (sent) => ({ epoch: 2, at: sent })), "standby");
  await place.clock.advance(2_000);
  assert.equal(standby.role(), "standby");
  await place.clock.advance(soonMs);
  assert.equal(standby.role(), "leader");
});

for (const [what, body] of [
  ["one that is sent again and again", () => ({ epoch: 2, at: 7 })],
  ["one of an earlier term", (sent: number) => ({ epoch: 1, at: sent })],
  ["its own", (sent: number) => ({ epoch: 2, at: sent, leader: "one" })],
] as const)
  test(`LEAD-2: no beacon keeps a coordinator from leading that is ${what}`, async () => {
    const { beacons } = await beside();
    assert.equal(await beacons(2 * soonMs, body), "leader");
  });
