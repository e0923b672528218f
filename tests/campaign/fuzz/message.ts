/** Valid messages of everybody who is none of the coordinator's: what is mutated. Made anew as the mesh's state goes on. */
import { openPolicy } from "../../../protocol/capability.ts";
import type { commandSchemas, querySchemas } from "../../../protocol/command.ts";
import type { Subjects } from "../../../protocol/subjects.ts";
import { capability, digestA, sweepSpec } from "../../support/fold.ts";

export interface Told {
  readonly subject: string;
  readonly body: unknown;
  /** It goes to the durable inbox. */
  readonly durable?: true;
}

export interface Known {
  readonly epoch: number;
  /** Fences under way, of whatever agent. */
  readonly fences: readonly number[];
  readonly number: number;
}

/** What an agent says: it registers, beats, reports. */
export function agentMessages(
  at: Subjects,
  agent: string,
  { epoch, fences, number }: Known,
): readonly Told[] {
  const incarnation = `${agent}-1`;
  const fence = fences[number % Math.max(1, fences.length)] ?? 1;
  const kept = { fence, resource: 1, digest: digestA, bytes: 10, metrics: { accuracy: 0.5 }, usedMs: 5 };
  const check = { failed: 0, warned: 0, sentences: ["fine"] };
  const rows = { train: 1, validation: 1, test: 1 };
  const built = { dataset: "stolen", kind: "text", rows, labels: ["a"], badRows: 0, check };
  const reports = [
    { kind: "accepted", fence },
    { kind: "refused", fence, reason: "no room" },
    { kind: "checkpoint", ...kept },
    { kind: "finished", ...kept },
    { kind: "finished", ...kept, built },
    { kind: "stopped", ...kept, digest: null, why: "drain" },
    { kind: "failed", fence, reason: "it broke", retryable: true, usedMs: 3 },
  ];
  const heartbeat = {
    incarnation,
    epoch,
    closed: null,
    cpuLoad: 0.1,
    memFreeGiB: 4,
    running: [{ fence, resource: 0, usedMs: 10, suspended: false }],
    owner: { stance: "open", reason: null, idleSource: null, idleMs: null },
  };
  const register = { incarnation, capability: capability({ alpha: 1 }), policy: openPolicy(2) };
  return [
    { subject: at.register(agent), body: register },
    { subject: at.heartbeat(agent), body: heartbeat },
    ...reports.map((report, index) => ({
      subject: at.inbox(agent),
      body: { incarnation, reports: [{ id: `${agent}.${number}.${index}`, report }] },
      durable: true as const,
    })),
    { subject: at.metric(agent, "s1", "s1-1"), body: { fence, resource: 1, metrics: { accuracy: 1 } } },
    { subject: at.log(agent, "s1", "s1-1"), body: { fence, stream: "out", line: "hello" } },
  ];
}

const spec = sweepSpec({ name: "fuzzed", search: { method: "random", trials: 2, seed: 1 } });

/** One of each command there is. */
function commandsOf(who: string, victim: string) {
  const dataset = {
    dataset: "data",
    kind: "text",
    digest: digestA,
    bytes: 3,
    rows: { train: 1, validation: 1, test: 1 },
    labels: ["a"],
    badRows: 0,
    recipe: digestA,
    trial: null,
    check: { failed: 0, warned: 0, sentences: [] },
  };
  const model = { of: "model", name: "model", version: 1 };
  const alias = { model: "model", alias: "champion" };
  return {
    "sweep-run": { spec },
    "sweep-stop": { sweep: "s1", why: "" },
    "sweep-pause": { sweep: "s1", now: true, why: "" },
    "sweep-resume": { sweep: "s1" },
    "sweep-extend": { sweep: "s1", trials: 3, tokens: 0 },
    "sweep-remove": { sweep: "s1", force: true, why: "" },
    "sweep-restore": { sweep: "s1" },
    "budget-grant": { requester: who, amount: 1_000 },
    "account-open": { requester: `${who}-2`, grant: 1_000 },
    "account-set": { requester: victim, weight: 2, refill: { amount: 1, everyMs: 60_000, upTo: 5 } },
    "sweep-tune": { sweep: "s1", weight: 2, priority: 1 },
    "trial-propose": { sweep: "s1", model: "alpha", params: { lr: 0.5 } },
    "trial-stop": { trial: "s1-1", why: "" },
    "sweep-tag": { sweep: "s1", add: ["good"], remove: [] },
    "trial-tag": { trial: "s1-1", add: [], remove: ["good"] },
    "sweep-note": { sweep: "s1", note: "hm" },
    "trial-note": { trial: "s1-1", note: "" },
    "sweep-seal": { sweep: "s1" },
    "dataset-add": dataset,
    "model-promote": { ...alias, version: 1, why: "" },
    "model-rollback": { ...alias, to: null, why: "" },
    "registry-tag": { ...model, add: ["good"], remove: [] },
    "registry-note": { ...model, version: null, note: "hm" },
    "model-fact": { model: "model", version: 1, example: { row: {}, answer: [{ at: 0, value: 1 }] } },
    "registry-remove": { ...model, force: true, why: "" },
    "registry-restore": { of: "dataset", name: "data", version: null },
    "deploy-set": { deployment: "answers", model: "model", version: 1, replicas: 2, needs: { cores: 1 } },
    "deploy-stop": { deployment: "answers", why: "" },
    "artifact-pin": { digest: "d".repeat(64), why: "", forMs: 1_000 },
    "artifact-unpin": { digest: "d".repeat(64) },
    "gc-run": { graceMs: 0 },
    "retention-set": { checkpoints: 0 },
    "agent-drain": { agent: `${victim}-box`, drain: true },
    "agent-cordon": { agent: `${victim}-box`, cordon: true },
    "agent-revoked": { agent: `${victim}-box` },
  } satisfies Record<keyof typeof commandSchemas, unknown>;
}

/** One of each question there is. */
function queriesOf(victim: string) {
  const trial = { trial: "s1-1" };
  return {
    mesh: {},
    agent: { agent: `${victim}-box` },
    sweeps: { limit: 5 },
    sweep: { sweep: "s1", offset: 0, limit: 5, order: "best" },
    trial,
    curve: trial,
    history: { trials: ["s1-1"], after: { trial: "s1-1", fence: 1, subject: 0, sequence: 1 } },
    logs: { ...trial, limit: 5 },
    why: trial,
    "sweep-why": { sweep: "s1" },
    insight: { sweep: "s1" },
    estimate: { requester: victim, spec },
    datasets: {},
    dataset: { dataset: "data" },
    models: {},
    model: { model: "model" },
    lineage: { model: "model", version: "best" },
    removal: { of: "model", name: "model", version: 1 },
    resolve: { of: "version", model: "model", version: 1 },
    deployments: { stopped: true },
    deployment: { deployment: "answers" },
    budget: { requester: victim, lines: 5 },
    events: { limit: 5 },
    garbage: { limit: 5 },
    holders: { digests: ["0".repeat(64)] },
    "set-aside": {},
  } satisfies Record<keyof typeof querySchemas, unknown>;
}

/** What somebody asks for or wants to know. `victim`: a requester whose things are none of theirs. */
export function personMessages(
  at: Subjects,
  role: "requester" | "viewer",
  who: string,
  victim: string,
  { number }: Known,
): readonly Told[] {
  const key = `key-${number}-of-${who}`;
  return [
    ...Object.entries(commandsOf(who, victim)).map(([name, body]) => ({
      subject: at.command(role, who, name),
      body: { key, body },
    })),
    ...Object.entries(queriesOf(victim)).map(([name, body]) => ({
      subject: at.query(role, who, name),
      body,
    })),
  ];
}
