/** Views as a coordinator would answer them, filled in so that a test names only what it is about. */
import { openPolicy } from "../../protocol/capability.ts";
import type {
  AgentView,
  MeshView,
  ModelView,
  SweepSummary,
  TrialView,
  VersionView,
} from "../../protocol/view.ts";

/** 2026-01-01T12:00:00Z, in ms. */
export const fixtureNow = 1_767_268_800_000;

export function agentFixture(agent: string, rest: Partial<AgentView> = {}): AgentView {
  return {
    agent,
    state: "present",
    closed: null,
    cordonReason: null,
    owner: null,
    slots: 2,
    packages: null,
    running: [],
    cpuLoad: 0.42,
    memFreeGiB: 5.25,
    host: {
      os: "linux",
      arch: "x64",
      cpuModel: "Intel® Core™ i5-8250U",
      cores: 8,
      memGiB: 15.5,
      diskGiB: 120,
      gpus: [],
      cpuFeatures: ["avx2"],
    },
    backends: [
      { name: "wasm", works: true, reason: null, version: "4.22.0", dtypes: ["f32"] },
      { name: "tfjs-node", works: false, reason: "not installed", version: null, dtypes: ["f32"] },
    ],
    rates: [
      {
        kind: "text-classification/fasttext",
        backend: "sparse",
        examplesPerSecond: 52_000,
        tokensPerSecond: 1.25,
      },
      { kind: "text-classification/textcnn", backend: "wasm", examplesPerSecond: 900, tokensPerSecond: 0.8 },
    ],
    python: null,
    lacks: [],
    sandbox: null,
    sealKey: null,
    measured: [],
    policy: { ...openPolicy(2), leaveFreeMemGiB: 1 },
    lastSeenAt: fixtureNow - 1_000,
    ...rest,
  };
}

export function meshFixture(agents: readonly AgentView[], rest: Partial<MeshView> = {}): MeshView {
  return {
    mesh: "home",
    epoch: 3,
    leader: "desk",
    at: fixtureNow,
    sequence: 120,
    agents: [...agents],
    slots: agents.reduce((sum, each) => sum + each.slots, 0),
    running: agents.reduce((sum, each) => sum + each.running.length, 0),
    queued: 5,
    tokensPerSecond: 2.5,
    ...rest,
  };
}

export function sweepFixture(sweep: string, rest: Partial<SweepSummary> = {}): SweepSummary {
  return {
    sweep,
    name: "language-id",
    requester: "ada",
    task: "text-classification",
    state: "running",
    waiting: null,
    metric: "macroF1",
    goal: "maximize",
    total: 24,
    counts: {
      proposed: 12,
      queued: 3,
      running: 2,
      paused: 1,
      completed: 4,
      stopped: 2,
      failed: 0,
      cancelled: 0,
      reused: 1,
    },
    best: { trial: `${sweep}-3`, model: "fasttext", value: 0.9123, resource: 9 },
    spent: 123_400,
    pending: 8_000,
    savedByReuse: 12_000,
    savedByStopping: 31_000,
    cap: 500_000,
    weight: 1,
    priority: 0,
    experiment: null,
    submittedAt: fixtureNow - 90_000,
    finishedAt: null,
    registered: null,
    ...rest,
  };
}

export function trialFixture(sweep: string, number: number, rest: Partial<TrialView> = {}): TrialView {
  return {
    trial: `${sweep}-${number}`,
    sweep,
    requester: "ada",
    number,
    model: "fasttext",
    params: { learningRate: 0.25, wordNgrams: 2, dimension: 64 },
    state: "completed",
    resource: 9,
    target: 9,
    value: 0.9 - number / 100,
    metrics: { macroF1: 0.9 - number / 100, loss: 0.31 },
    rungs: [{ resource: 1, value: 0.7 }],
    attempts: [
      {
        fence: 100 + number,
        agent: "desk",
        backend: "sparse",
        rate: 1.25,
        fromResource: 0,
        target: 9,
        approximate: false,
        startedAt: fixtureNow - 60_000,
        endedAt: fixtureNow - 30_000,
        state: "ended",
        ending: "completed",
        reserved: 0,
        posted: 4_200,
      },
    ],
    reusedFrom: null,
    parent: null,
    artifact: null,
    spent: 4_200,
    failure: null,
    ...rest,
  };
}

export function versionFixture(version: number, rest: Partial<VersionView> = {}): VersionView {
  return {
    version,
    artifact: "a1".repeat(32),
    bytes: 1_250_000,
    metrics: { macroF1: 0.88 + version / 100, accuracy: 0.9 },
    params: { learningRate: 0.25 },
    model: "fasttext",
    task: "text-classification",
    sweep: "s1",
    trial: "s1-3",
    fence: 103,
    agent: "desk",
    backend: "sparse",
    dataset: {
      name: "cldr-phrases",
      digest: "d5".repeat(32),
      bytes: 900_000,
      rows: { train: 18_000, validation: 2_500, test: 2_500 },
    },
    codeVersion: "text-classification-1",
    spent: 4_200,
    at: fixtureNow - 3_600_000,
    requester: "ada",
    ...rest,
  };
}

export function modelFixture(model: string): ModelView {
  return {
    model,
    versions: [versionFixture(1), versionFixture(2)],
    aliases: [{ alias: "champion", version: 2 }],
    ledger: [
      {
        alias: "champion",
        from: null,
        to: 1,
        who: "ada",
        why: "",
        kind: "register",
        at: fixtureNow - 7_000_000,
      },
      {
        alias: "champion",
        from: 1,
        to: 2,
        who: "bo",
        why: "better",
        kind: "promote",
        at: fixtureNow - 3_000_000,
      },
    ],
  };
}
