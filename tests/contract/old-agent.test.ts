// What an agent of the version before said, played to this version's coordinator: word for word, in its order.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { answerSchema } from "../../protocol/command.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";
import { agentRecord, recordedAgent, recordedSweeps } from "../golden/agent-record.ts";
import { CandidatePlace, placeMesh } from "../support/candidate-place.ts";
import { valueOf } from "../support/live-mesh.ts";

const inboxSchema = z.object({
  reports: z.array(z.object({ report: z.object({ kind: z.string(), fence: z.int() }) })),
});

const leadingMs = 20_000;
/** Longer than anything takes here, and all of them together shorter than an agent may be silent. */
const settleMs = 100;
const patienceMs = 1_000;

function specOf({ max, milliseconds, name, trials }: (typeof recordedSweeps)[number]) {
  return sweepSpecSchema.parse({
    name,
    task: "noop",
    dataset: null,
    objective: { metric: "loss", goal: "minimize" },
    search: { method: "random", trials, seed: 1 },
    stopping: { policy: "none", max },
    models: [
      {
        model: "noop",
        space: {
          x: { distribution: "uniform", min: 0, max: 1 },
          milliseconds: { distribution: "constant", value: milliseconds },
        },
      },
    ],
    needs: {},
    cap: null,
    trialSeed: 1,
    codeVersion: "recorded",
    reuse: false,
    register: null,
  });
}

test("VERSION-1: the coordinator takes every word of an agent of the version before, and what it did counts", async () => {
  const place = new CandidatePlace();
  const { clock, lines } = place;
  await place.streams();
  const candidate = place.start();
  await clock.advance(leadingMs);
  assert.equal(candidate.role(), "leader");
  const subjects = subjectsOf(placeMesh);
  const agent = place.hub.connect(recordedAgent);
  const orders = new Set<string>();
  for (const order of ["offer", "extend", "cancel", "receipt"] as const)
    agent.subscribe(subjects.order(recordedAgent, order), () => orders.add(order));
  const client = place.owner();
  const settled = async () => {
    await clock.advance(settleMs);
    return place.state ?? assert.fail("nobody leads");
  };
  const grant = { requester: "owner", weight: 1, grant: 1_000_000 };
  valueOf(await clock.settle(client.command("account-open", grant)));

  const [ends, stopped] = recordedSweeps;
  for (const { body, on } of agentRecord()) {
    if (on === "hello") {
      const answer = await clock.settle(
        agent.request(subjects.register(recordedAgent), toBytes(body), patienceMs),
      );
      assert.ok(answerSchema.parse(fromBytes(answer)).ok);
      valueOf(await clock.settle(client.command("sweep-run", { spec: specOf(ends) })));
    } else if (on === "presence") {
      agent.publish(subjects.heartbeat(recordedAgent), toBytes(body));
    } else {
      const { reports } = inboxSchema.parse(body);
      for (const { report } of reports) {
        const { sweeps } = await settled();
        if (report.fence === ends.trials + 1 && sweeps.size === 1)
          valueOf(await clock.settle(client.command("sweep-run", { spec: specOf(stopped) })));
        if (report.kind === "stopped")
          valueOf(await clock.settle(client.command("sweep-stop", { sweep: "s2", why: "recorded" })));
        const { active } = await settled();
        assert.ok(active.has(report.fence), `fence ${report.fence} was offered before ${report.kind}`);
      }
      const put = agent.append(streamsOf(placeMesh).inbox, subjects.inbox(recordedAgent), toBytes(body));
      await clock.settle(put);
    }
  }
  const state = await settled();
  const told = [...state.trials.values()].map(({ attempts, checkpoint, state, trial }) => [
    ...[trial, state, checkpoint !== null],
    ...attempts.map(({ agent, ending, posted }) => [agent, ending, posted > 0]),
  ]);
  const finished = [recordedAgent, "finished", true];
  assert.deepEqual(told, [
    ["s1-1", "completed", true, finished],
    ["s1-2", "completed", true, finished],
    ["s1-3", "completed", true, finished],
    ["s2-1", "cancelled", true, [recordedAgent, "stopped", true]],
  ]);
  assert.deepEqual([...orders].toSorted(), ["cancel", "offer", "receipt"]);
  assert.deepEqual([state.agents.get(recordedAgent)?.present, state.active.size], [true, 0]);
  const dropped = lines.filter((line) => !line.startsWith("leading"));
  assert.deepEqual([dropped, place.halts], [[], []], "no word of it was dropped");
  await clock.settle(client.close());
  await clock.settle(candidate.stop());
});
