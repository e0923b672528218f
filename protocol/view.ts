/**
 * What people and programs see: read-only answers to queries, computed by the leader from its state.
 * Amounts are milli-tokens, times are ms since the Unix epoch, null means unknown or not yet.
 */
import * as z from "zod";
import { datasetsView, datasetView } from "./dataset-view.ts";
import { estimateView } from "./estimate-view.ts";
import { insightView } from "./insight-view.ts";
import { sweepStateSchema, trialStateSchema } from "./life.ts";
import { sweepWhyView, whyView } from "./why-view.ts";
import { backendReportSchema, hostSchema, policySchema, rateSchema } from "./capability.ts";
import { heartbeatSchema } from "./report.ts";
import { valueSchema } from "./value.ts";
import { spaceSchema } from "./space.ts";
import { stoppingSchema } from "./stopping.ts";
import { datasetRefSchema } from "./dataset.ts";
import { objectiveSchema, searchSchema } from "./sweep.ts";

const count = z.int().nonnegative();
const metrics = z.record(z.string(), z.number());

export const runningView = z.object({
  fence: count,
  trial: z.string(),
  sweep: z.string(),
  requester: z.string(),
  model: z.string(),
  backend: z.string(),
  resource: count,
  target: count,
  usedMs: z.number(),
  /** It stands still for the machine's owner, for no tokens. */
  suspended: z.boolean(),
});

export const agentView = z.object({
  agent: z.string(),
  state: z.enum(["present", "silent", "closed", "draining", "cordoned"]),
  closed: z.string().nullable(),
  /** Why the coordinator quarantined it; null where it did not. */
  cordonReason: z.string().nullable().default(null),
  /** What the owner's policy makes of the moment; null from an agent that does not say. */
  owner: heartbeatSchema.shape.owner.unwrap(),
  slots: count,
  running: z.array(runningView),
  cpuLoad: z.number().nullable(),
  memFreeGiB: z.number().nullable(),
  host: hostSchema,
  backends: z.array(backendReportSchema),
  rates: z.array(rateSchema),
  /** Version of the Python that programs get there; null where there is none. */
  python: z.string().nullable().default(null),
  /** Where real trials showed another speed than the probe: the rate they are priced at, tokens per second. */
  measured: z.array(
    z.object({ kind: z.string(), claimed: z.number(), trusted: z.number(), attempts: count }),
  ),
  policy: policySchema,
  lastSeenAt: z.number().nullable(),
});
export type AgentView = z.infer<typeof agentView>;

export const meshView = z.object({
  mesh: z.string(),
  epoch: count,
  leader: z.string(),
  at: z.number(),
  sequence: count,
  agents: z.array(agentView),
  slots: count,
  running: count,
  queued: count,
  /** Sum over running attempts of the rate they are priced at, tokens per second. */
  tokensPerSecond: z.number(),
});
export type MeshView = z.infer<typeof meshView>;

export const sweepSummary = z.object({
  sweep: z.string(),
  name: z.string(),
  requester: z.string(),
  task: z.string(),
  /** `waiting`: nothing runs and nothing can start just now; `waiting` says for what. */
  state: sweepStateSchema,
  waiting: z.string().nullable(),
  metric: z.string(),
  goal: z.enum(["maximize", "minimize"]),
  /** Trials the sweep may propose at most. */
  total: count,
  counts: z.object({
    proposed: count,
    queued: count,
    running: count,
    paused: count,
    completed: count,
    stopped: count,
    failed: count,
    cancelled: count,
    reused: count,
  }),
  best: z.object({ trial: z.string(), model: z.string(), value: z.number(), resource: count }).nullable(),
  spent: count,
  pending: count,
  savedByReuse: count,
  /** What the trials stopped early would have cost at the rate they ran, had they gone to the end. */
  savedByStopping: count,
  cap: count.nullable(),
  weight: z.number(),
  priority: z.number(),
  experiment: z.string().nullable(),
  submittedAt: z.number(),
  finishedAt: z.number().nullable(),
  registered: z.object({ model: z.string(), version: count, alias: z.string().nullable() }).nullable(),
});
export type SweepSummary = z.infer<typeof sweepSummary>;

export const attemptView = z.object({
  fence: count,
  agent: z.string(),
  backend: z.string(),
  rate: z.number(),
  fromResource: count,
  target: count,
  /** It went on from a checkpoint of another backend, which rounds otherwise. */
  approximate: z.boolean().default(false),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  state: z.enum(["offered", "running", "ended"]),
  ending: z.string().nullable(),
  reserved: count,
  posted: count,
});

export const trialView = z.object({
  trial: z.string(),
  sweep: z.string(),
  requester: z.string(),
  number: count,
  model: z.string(),
  params: z.record(z.string(), valueSchema),
  state: trialStateSchema,
  resource: count,
  target: count,
  value: z.number().nullable(),
  metrics,
  rungs: z.array(z.object({ resource: count, value: z.number() })),
  attempts: z.array(attemptView),
  reusedFrom: z.string().nullable(),
  /** The trial whose checkpoint it began from. */
  parent: z.string().nullable(),
  artifact: z.string().nullable(),
  spent: count,
  failure: z.string().nullable(),
});
export type TrialView = z.infer<typeof trialView>;

export const sweepView = z.object({
  summary: sweepSummary,
  search: searchSchema,
  stopping: stoppingSchema,
  dataset: datasetRefSchema.nullable(),
  models: z.array(z.string()),
  /** Why trials failed, the commonest reasons first. */
  failures: z.array(z.object({ reason: z.string(), count })),
  /** By model, where the search looks. */
  spaces: z.record(z.string(), spaceSchema),
  /** Further objectives, whose values stand in each trial's metrics. */
  alsoObjectives: z.array(objectiveSchema),
  /** How the sampler says it finds its proposals; null before it said. */
  note: z.string().nullable(),
  trials: z.array(trialView),
  /** Best value so far, one point per improvement: after how many finished trials and spent tokens. */
  bestSoFar: z.array(z.object({ trials: count, spent: count, at: z.number(), value: z.number() })),
});
export type SweepView = z.infer<typeof sweepView>;

export const curveView = z.object({
  points: z.array(z.object({ fence: count, resource: count, metrics })),
});
export const logsView = z.object({
  lines: z.array(z.object({ fence: count, stream: z.enum(["out", "err"]), line: z.string() })),
});

export const versionView = z.object({
  version: count,
  artifact: z.string(),
  bytes: count,
  metrics,
  params: z.record(z.string(), valueSchema),
  model: z.string(),
  task: z.string(),
  sweep: z.string(),
  trial: z.string(),
  fence: count,
  agent: z.string(),
  backend: z.string(),
  dataset: datasetRefSchema.nullable(),
  codeVersion: z.string(),
  spent: count,
  at: z.number(),
  requester: z.string(),
});
export type VersionView = z.infer<typeof versionView>;

export const aliasMoveView = z.object({
  alias: z.string(),
  from: count.nullable(),
  to: count,
  who: z.string(),
  why: z.string(),
  kind: z.enum(["register", "promote", "rollback"]),
  at: z.number(),
});

export const modelView = z.object({
  model: z.string(),
  versions: z.array(versionView),
  aliases: z.array(z.object({ alias: z.string(), version: count })),
  ledger: z.array(aliasMoveView),
});
export type ModelView = z.infer<typeof modelView>;

export const modelsView = z.object({
  models: z.array(
    z.object({
      model: z.string(),
      versions: count,
      latest: versionView,
      aliases: z.array(z.object({ alias: z.string(), version: count })),
    }),
  ),
});
export type ModelsView = z.infer<typeof modelsView>;

export const lineageView = z.object({
  model: z.string(),
  version: versionView,
  aliases: z.array(z.string()),
  trial: trialView,
  sweep: sweepSummary,
  /** The trial that did the work, when this one was answered from the record. */
  origin: trialView.nullable(),
});
export type LineageView = z.infer<typeof lineageView>;

/** The version that a name or a change of an alias stands for, and why that one. */
export const resolutionView = z.object({
  model: z.string(),
  version: z.int().positive(),
  /** Digest of its bytes. */
  artifact: z.string(),
  /** Where the alias in question points now; null where there is none yet, or none was asked about. */
  from: z.int().positive().nullable(),
  why: z.string(),
});
export type ResolutionView = z.infer<typeof resolutionView>;

export const ledgerLineView = z.object({
  at: z.number(),
  kind: z.enum(["grant", "refill", "reserve", "extend", "post", "release"]),
  amount: count,
  trial: z.string().nullable(),
  fence: count.nullable(),
  agent: z.string().nullable(),
  note: z.string(),
  /** The account after this line. */
  granted: count,
  posted: count,
  pending: count,
});
export type LedgerLineView = z.infer<typeof ledgerLineView>;

export const budgetView = z.object({
  accounts: z.array(
    z.object({
      requester: z.string(),
      weight: z.number(),
      granted: count,
      posted: count,
      pending: count,
      available: count,
      queued: count,
      startTag: z.number(),
      refill: z.object({ amount: count, everyMs: z.number(), upTo: count, nextAt: z.number() }).nullable(),
      sweepCap: count.nullable(),
      lines: z.array(ledgerLineView),
    }),
  ),
});
export type BudgetView = z.infer<typeof budgetView>;

export const eventsView = z.object({
  events: z.array(z.object({ sequence: count, at: z.number(), kind: z.string(), text: z.string() })),
});
export type EventsView = z.infer<typeof eventsView>;

/** The schema of each query's answer. */
export const queryValues = {
  mesh: meshView,
  sweeps: z.object({ sweeps: z.array(sweepSummary) }),
  sweep: sweepView,
  trial: trialView,
  curve: curveView,
  logs: logsView,
  why: whyView,
  "sweep-why": sweepWhyView,
  insight: insightView,
  estimate: estimateView,
  datasets: datasetsView,
  dataset: datasetView,
  models: modelsView,
  model: modelView,
  lineage: lineageView,
  resolve: resolutionView,
  budget: budgetView,
  events: eventsView,
} as const;
