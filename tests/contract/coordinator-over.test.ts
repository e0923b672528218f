/** What a leader tells an agent that goes on with a lease which is over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { cancelSchema } from "../../protocol/order.ts";
import { openPolicy } from "../../protocol/capability.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import { CandidatePlace, placeMesh } from "../support/candidate-place.ts";
import { capability, sweepSpec } from "../support/fold.ts";

const leadingMs = 20_000;
const soonMs = 500;

/** A leader, and an agent on a bus of its own that runs one trial under fence 1; `cancelled` is what it is told to end. */
async function leading() {
  const place = new CandidatePlace();
  place.start("one");
  await place.clock.advance(leadingMs);
  const bus = place.hub.connect("box");
  const subjects = subjectsOf(placeMesh);
  const cancelled: number[][] = [];
  bus.subscribe(subjects.order("box", "cancel"), ({ data }) => {
    cancelled.push(cancelSchema.parse(fromBytes(data)).fences);
  });
  const register = { incarnation: "box-1", capability: capability(), policy: openPolicy(2) };
  await place.clock.settle(bus.request(subjects.register("box"), toBytes(register), 1_000));
  const command = async (name: string, body: unknown) => {
    const data = toBytes({ key: `key-of-${name}`, body });
    await place.clock.settle(bus.request(subjects.command("owner", "ada", name), data, 1_000));
  };
  await command("account-open", { requester: "ada", grant: 1_000_000 });
  await command("sweep-run", { spec: sweepSpec({ search: { method: "random", trials: 1, seed: 1 } }) });
  assert.deepEqual([...(place.state?.active.keys() ?? [])], [1]);
  const beat = async (fences: readonly number[], incarnation = "box-1") => {
    const running = fences.map((fence) => ({ fence, resource: 0, usedMs: 0 }));
    const rest = { epoch: 1, closed: null, cpuLoad: null, memFreeGiB: null };
    bus.publish(subjects.heartbeat("box"), toBytes({ incarnation, ...rest, running }));
    await place.clock.advance(soonMs);
    return cancelled.splice(0);
  };
  return { beat };
}

test("LEASE-9: who says that it runs on a lease that is over is told to end it, and nothing else", async () => {
  const { beat } = await leading();
  assert.deepEqual(await beat([1]), [], "a lease that is not over");
  assert.deepEqual(await beat([1, 7]), [[7]]);
  assert.deepEqual(await beat([7], "box-0"), [[7]], "an earlier run of the agent, which goes on beside it");
  assert.deepEqual(await beat([]), []);
});
