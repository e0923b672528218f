/**
 * What people and programs see: read-only answers to queries, computed by the leader from its state.
 * Amounts are milli-tokens, times are ms since the Unix epoch, null means unknown or not yet.
 */
import * as z from "zod";
import { answerList, answerRecord, answerText } from "./bound.ts";
import { datasetsView, datasetView } from "./dataset-view.ts";
import { deploymentsView, deploymentView } from "./deployment-view.ts";
import { estimateView } from "./estimate-view.ts";
import { garbageView } from "./garbage-view.ts";
import { labels, removed } from "./label-view.ts";
import { holdersView } from "./holders-view.ts";
import { insightView } from "./insight-view.ts";
import { sweepStateSchema, trialStateSchema } from "./life.ts";
import { removalView } from "./removal-view.ts";
import { setAsideView } from "./set-aside-view.ts";
import { sweepWhyView, whyView } from "./why-view.ts";
import { backendReportSchema, hostSchema, policySchema, rateSchema } from "./capability.ts";
import { heartbeatSchema } from "./report.ts";
import { valueSchema } from "./value.ts";
import { exampleSchema, measuredSchema } from "./version-fact.ts";
import { sandboxViewSchema } from "./sandbox-rung.ts";
import { spaceSchema } from "./space.ts";
import { stoppingSchema } from "./stopping.ts";
import { datasetRefSchema } from "./dataset.ts";
import { keepSchema, objectiveSchema, searchSchema } from "./sweep.ts";

const count = z.int().nonnegative();
const metrics = answerRecord(z.number());

export const runningView = z.object({
  fence: count,
  trial: answerText,
  sweep: answerText,
  requester: answerText,
  model: answerText,
  backend: answerText,
  resource: count,
  target: count,
  usedMs: z.number(),
  /** It stands still for the machine's owner, for no tokens. */
  suspended: z.boolean(),
});

export const agentView = z.object({
  agent: answerText,
  state: z.enum(["present", "silent", "closed", "draining", "cordoned"]),
  closed: answerText.nullable(),
  /** Why the coordinator quarantined it; null where it did not. */
  cordonReason: answerText.nullable().default(null),
  /** What the owner's policy makes of the moment; null from an agent that does not say. */
  owner: heartbeatSchema.shape.owner.unwrap(),
  slots: count,
  running: answerList(runningView),
  cpuLoad: z.number().nullable(),
  memFreeGiB: z.number().nullable(),
  host: hostSchema,
  backends: answerList(backendReportSchema),
  rates: answerList(rateSchema),
  /** Version of the Python that programs get there; null where there is none. */
  python: answerText.nullable().default(null),
  /** How many distributions that Python has installed; null where nobody knows. The query `agent` names them. */
  packages: count.nullable().default(null),
  /** What secrets are sealed to for this agent; null where it takes none. */
  sealKey: answerText.nullable().default(null),
  /** What confines programs there; null where nothing does, or nobody knows. */
  sandbox: sandboxViewSchema.nullable().default(null),
  /** What attempts have shown to be missing there, and of which sweep. */
  lacks: answerList(z.object({ what: answerText, sweep: answerText })).default([]),
  /** Where real trials showed another speed than the probe: the rate they are priced at, tokens per second. */
  measured: answerList(
    z.object({ kind: answerText, claimed: z.number(), trusted: z.number(), attempts: count }),
  ),
  policy: policySchema,
  lastSeenAt: z.number().nullable(),
});
export type AgentView = z.infer<typeof agentView>;

/** One agent with what is too long to be told of each. */
export const agentDetailView = z.object({
  agent: agentView,
  /** What its Python has installed, with versions; null where nobody knows. */
  packages: answerRecord(answerText).nullable(),
});
export type AgentDetailView = z.infer<typeof agentDetailView>;

export const meshView = z.object({
  mesh: answerText,
  epoch: count,
  leader: answerText,
  at: z.number(),
  sequence: count,
  agents: answerList(agentView),
  slots: count,
  running: count,
  queued: count,
  /** Sum over running attempts of the rate they are priced at, tokens per second. */
  tokensPerSecond: z.number(),
});
export type MeshView = z.infer<typeof meshView>;

export const sweepSummary = z.object({
  sweep: answerText,
  name: answerText,
  requester: answerText,
  task: answerText,
  /** `waiting`: nothing runs and nothing can start just now; `waiting` says for what, and of a paused one by whom. */
  state: sweepStateSchema,
  waiting: answerText.nullable(),
  /** Who has paused it, why and since when; `now`: what ran was asked to leave too. Absent where it is not paused. */
  paused: z.object({ by: answerText, why: answerText, at: z.number(), now: z.boolean() }).exactOptional(),
  metric: answerText,
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
  best: z.object({ trial: answerText, model: answerText, value: z.number(), resource: count }).nullable(),
  spent: count,
  pending: count,
  savedByReuse: count,
  /** What the trials stopped early would have cost at the rate they ran, had they gone to the end. */
  savedByStopping: count,
  cap: count.nullable(),
  weight: z.number(),
  priority: z.number(),
  experiment: answerText.nullable(),
  ...labels,
  removed: removed.exactOptional(),
  submittedAt: z.number(),
  finishedAt: z.number().nullable(),
  registered: z
    .object({
      model: answerText,
      version: count,
      alias: answerText.nullable(),
      /** The alias that the sweep was to move there and that stays where it is, and why. */
      kept: z.object({ alias: answerText, stays: count, why: answerText }).exactOptional(),
    })
    .nullable(),
});
export type SweepSummary = z.infer<typeof sweepSummary>;

export const attemptView = z.object({
  fence: count,
  agent: answerText,
  backend: answerText,
  rate: z.number(),
  fromResource: count,
  target: count,
  /** It went on from a checkpoint of another backend, which rounds otherwise. */
  approximate: z.boolean().default(false),
  startedAt: z.number(),
  endedAt: z.number().nullable(),
  state: z.enum(["offered", "running", "ended"]),
  ending: answerText.nullable(),
  reserved: count,
  posted: count,
});

export const trialView = z.object({
  trial: answerText,
  sweep: answerText,
  requester: answerText,
  number: count,
  model: answerText,
  params: answerRecord(valueSchema),
  state: trialStateSchema,
  resource: count,
  target: count,
  value: z.number().nullable(),
  /** Of its best epoch, where that was kept; else of its newest. So is `artifact`. */
  metrics,
  /** The epoch it counts by, and its value; absent where that is the newest. */
  best: z.object({ resource: count, value: z.number() }).exactOptional(),
  rungs: answerList(z.object({ resource: count, value: z.number() })),
  attempts: answerList(attemptView),
  reusedFrom: answerText.nullable(),
  /** The trial whose checkpoint it began from. */
  parent: answerText.nullable(),
  artifact: answerText.nullable(),
  /** Its bytes are no longer kept. */
  collected: z.literal(true).optional(),
  spent: count,
  failure: answerText.nullable(),
  ...labels,
});
export type TrialView = z.infer<typeof trialView>;

export const sweepView = z.object({
  summary: sweepSummary,
  search: searchSchema,
  stopping: stoppingSchema,
  dataset: datasetRefSchema.nullable(),
  models: answerList(answerText),
  /** Why trials failed, the commonest reasons first. */
  failures: answerList(z.object({ reason: answerText, count })),
  /** By model, where the search looks. */
  spaces: answerRecord(spaceSchema),
  /** Further objectives, whose values stand in each trial's metrics. */
  alsoObjectives: answerList(objectiveSchema),
  /** How the sampler says it finds its proposals; null before it said. */
  note: answerText.nullable(),
  /** What its own file says is kept of it. */
  keep: keepSchema.optional(),
  trials: answerList(trialView),
  /** Best value so far, one point per improvement: after how many finished trials and spent tokens. */
  bestSoFar: answerList(z.object({ trials: count, spent: count, at: z.number(), value: z.number() })),
});
export type SweepView = z.infer<typeof sweepView>;

export const curveView = z.object({
  points: answerList(z.object({ fence: count, resource: count, metrics })),
});
/** As they were said: nothing is merged, nothing left out. `at`: when the server stored it, ms since the Unix epoch. */
export const historyView = z.object({
  points: answerList(
    z.object({ trial: answerText, fence: count, resource: count, metrics, at: z.number().nullable() }),
  ),
  /** To ask on from; null where that was all. */
  next: z.object({ trial: answerText, fence: count, subject: count, sequence: count }).nullable(),
});
export type HistoryView = z.infer<typeof historyView>;
export const logsView = z.object({
  lines: answerList(
    z.object({
      fence: count,
      stream: z.enum(["out", "err"]),
      line: answerText,
      /** When the mesh had it, by its server's clock; absent from coordinators of before. */
      at: z.number().exactOptional(),
    }),
  ),
  /** What to give as `after` for the lines behind these; absent from coordinators of before. */
  position: count.exactOptional(),
  /** What it wrote is not kept any more. */
  gone: z.literal(true).exactOptional(),
});
export type LogLineView = z.infer<typeof logsView>["lines"][number];

export const versionView = z.object({
  version: count,
  artifact: answerText,
  bytes: count,
  metrics,
  params: answerRecord(valueSchema),
  model: answerText,
  task: answerText,
  sweep: answerText,
  trial: answerText,
  /** The epoch it is of; absent where that is the trial's last. */
  epoch: count.exactOptional(),
  /** What it was judged by, and its figure; absent where it has none. */
  objective: objectiveSchema.exactOptional(),
  value: z.number().exactOptional(),
  fence: count,
  agent: answerText,
  backend: answerText,
  dataset: datasetRefSchema.nullable(),
  codeVersion: answerText,
  spent: count,
  at: z.number(),
  requester: answerText,
  ...labels,
  removed: removed.exactOptional(),
  /** A row with the answer that it gave; absent where none was recorded. */
  example: exampleSchema.exactOptional(),
  /** What it took a machine, and when; absent where nobody has measured it. */
  measured: measuredSchema.extend({ at: z.number() }).exactOptional(),
});
export type VersionView = z.infer<typeof versionView>;

export const aliasMoveView = z.object({
  alias: answerText,
  from: count.nullable(),
  to: count,
  who: answerText,
  why: answerText,
  kind: z.enum(["register", "promote", "rollback"]),
  at: z.number(),
});

export const modelView = z.object({
  model: answerText,
  versions: answerList(versionView),
  aliases: answerList(z.object({ alias: answerText, version: count })),
  ledger: answerList(aliasMoveView),
  ...labels,
});
export type ModelView = z.infer<typeof modelView>;

export const modelsView = z.object({
  models: answerList(
    z.object({
      model: answerText,
      versions: count,
      /** Of those that are removed too where it has no other. */
      latest: versionView,
      aliases: answerList(z.object({ alias: answerText, version: count })),
      ...labels,
    }),
  ),
});
export type ModelsView = z.infer<typeof modelsView>;

export const lineageView = z.object({
  model: answerText,
  version: versionView,
  aliases: answerList(answerText),
  trial: trialView,
  sweep: sweepSummary,
  /** The trial that did the work, when this one was answered from the record. */
  origin: trialView.nullable(),
  /** How its program answers with it; absent where it declares no such command. */
  serving: z
    .object({
      command: answerList(answerText),
      /** Artifact of the program's files. */
      bundle: answerText,
      /** Folder within the program's own for the version's files. */
      output: answerText,
      program: answerText.nullable(),
      environment: answerRecord(answerText),
    })
    .exactOptional(),
});
export type LineageView = z.infer<typeof lineageView>;

/** The version that a name or a change of an alias stands for, and why that one. */
export const resolutionView = z.object({
  model: answerText,
  version: z.int().positive(),
  /** Digest of its bytes. */
  artifact: answerText,
  /** Where the alias in question points now; null where there is none yet, or none was asked about. */
  from: z.int().positive().nullable(),
  why: answerText,
});
export type ResolutionView = z.infer<typeof resolutionView>;

export const ledgerLineView = z.object({
  at: z.number(),
  kind: z.enum(["grant", "refill", "reserve", "extend", "post", "release"]),
  amount: count,
  trial: answerText.nullable(),
  fence: count.nullable(),
  agent: answerText.nullable(),
  note: answerText,
  /** The account after this line. */
  granted: count,
  posted: count,
  pending: count,
});
export type LedgerLineView = z.infer<typeof ledgerLineView>;

export const budgetView = z.object({
  accounts: answerList(
    z.object({
      requester: answerText,
      weight: z.number(),
      granted: count,
      posted: count,
      pending: count,
      available: count,
      queued: count,
      startTag: z.number(),
      refill: z.object({ amount: count, everyMs: z.number(), upTo: count, nextAt: z.number() }).nullable(),
      sweepCap: count.nullable(),
      lines: answerList(ledgerLineView),
    }),
  ),
});
export type BudgetView = z.infer<typeof budgetView>;

export const eventsView = z.object({
  events: answerList(z.object({ sequence: count, at: z.number(), kind: answerText, text: answerText })),
});
export type EventsView = z.infer<typeof eventsView>;

/** The schema of each query's answer. */
export const queryValues = {
  mesh: meshView,
  agent: agentDetailView,
  sweeps: z.object({ sweeps: answerList(sweepSummary) }),
  sweep: sweepView,
  trial: trialView,
  curve: curveView,
  history: historyView,
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
  deployments: deploymentsView,
  deployment: deploymentView,
  budget: budgetView,
  garbage: garbageView,
  holders: holdersView,
  removal: removalView,
  "set-aside": setAsideView,
  events: eventsView,
} as const;
