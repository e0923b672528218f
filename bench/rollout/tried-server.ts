/** One trial over HTTP: a server with two made-up versions, asked by callers that keep their connections, until the canary is off or all was asked. */
import { Agent, request } from "node:http";
import * as z from "zod";
import { Lane } from "../../serving/batch/lane.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { describeModel } from "../../serving/protocol/described-model.ts";
import { ModelTable } from "../../serving/server/model-table.ts";
import { RolloutDesk } from "../../serving/server/rollout-desk.ts";
import { openServingDoor } from "../../serving/server/serving-door.ts";
import { triedLabels, triedModel, truthOf, type TriedBy } from "./tried-model.ts";

export interface TrialOrder {
  readonly by: TriedBy;
  /** Of the texts, what the incumbent has wrong, and how much more the canary; they share half of their luck. */
  readonly base: number;
  readonly worse: number;
  /** Null for a server without a trial. */
  readonly share: number | null;
  readonly seed: number;
  readonly requests: number;
}

export interface TrialResult {
  /** Null where it stayed. */
  readonly takenBackAfter: number | null;
  /** Answers that were not 200. */
  readonly failed: number;
  readonly dropped: number;
  /** Of this process, callers and all, for one request. */
  readonly cpuUs: number;
}

const callers = 4;
const answerSchema = z.looseObject({ answer: z.string() });

export async function runTrial(order: TrialOrder): Promise<TrialResult> {
  const { base, by, requests, seed, share, worse } = order;
  const laneOf = (model: ServedModel) =>
    new Lane(describeModel(model), { now: () => performance.now(), defer: (run) => void setImmediate(run) });
  const table = new ModelTable(Math.random);
  const incumbent = laneOf(triedModel({ by, version: 1, wrong: base, salts: [seed, seed + 1_000] }));
  await table.put("tried@champion", incumbent);
  let asked = 0;
  let ids = 0;
  let off: number | null = null;
  let desk: RolloutDesk | null = null;
  if (share !== null) {
    const canary = laneOf(triedModel({ by, version: 2, wrong: base + worse, salts: [seed, seed + 2_000] }));
    await table.put("tried@2", canary, 0);
    desk = new RolloutDesk({
      ...{ alpha: 0.01, agreement: 0.98, copyShare: 1, promoteAfter: null, shadow: null, incumbent },
      canary: { lane: canary, share },
      now: () => performance.now(),
      defer: (run) => void setImmediate(run),
      onPromote: () => undefined,
      onCanaryOff: () => void (off ??= asked),
    });
    table.try(desk);
  }
  const door = await openServingDoor({
    ...{ table, keys: null, tls: null, address: { host: "127.0.0.1", port: 0 } },
    now: () => performance.now(),
    newId: () => `${seed.toString(36)}0${(ids++).toString(36)}`,
  });
  if (!door.ok) throw new Error(door.refusal.message);
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  let failed = 0;
  const began = process.cpuUsage();
  const caller = async () => {
    while (asked < requests && off === null) {
      const text = `question ${seed} ${++asked}`;
      const { body, status } = await post(agent, `${door.value.url}/predict/tried`, { text });
      if (status !== 200) failed++;
      if (by !== "truth" || status !== 200 || share === null) continue;
      const { answer } = answerSchema.parse(JSON.parse(body));
      await post(agent, `${door.value.url}/feedback/tried`, { answer, truth: triedLabels[truthOf(text)] });
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const { system, user } = process.cpuUsage(began);
  agent.destroy();
  await door.value.drain(1_000);
  return {
    takenBackAfter: off,
    failed,
    dropped: desk?.copies.dropped ?? 0,
    cpuUs: (user + system) / Math.max(1, asked),
  };
}

function post(agent: Agent, url: string, body: object): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent, method: "POST" }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: text }));
    });
    asked.on("error", reject);
    asked.end(JSON.stringify(body));
  });
}
