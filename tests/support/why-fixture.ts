/** Answers about waiting, money and cost as a coordinator would give them, for tests that show them. */
import type { BudgetView } from "../../protocol/view.ts";
import type { EstimateView } from "../../protocol/estimate-view.ts";
import type { SweepWhyView, WhyView } from "../../protocol/why-view.ts";
import { fixtureNow } from "./view-fixture.ts";

const agents: WhyView["agents"] = [
  { agent: "attic", fits: true, reasons: ["all 2 slots busy"] },
  { agent: "laptop", fits: false, reasons: ["owner's hours are 22:00-07:00"] },
];

export function whyFixture(trial: string, rest: Partial<WhyView> = {}): WhyView {
  return {
    trial,
    state: "queued",
    sentence: "It waits for a free slot: both agents that can run it are busy.",
    agents,
    budget: { available: 300_000, needed: 5_000, short: 0, limit: "account" },
    ahead: [{ requester: "bo", startTag: 12.5, queued: 3 }],
    sweepsAhead: [{ sweep: "s9", priority: 5, queued: 2 }],
    aheadInSweep: 4,
    start: { at: fixtureNow + 240_000, because: "9 trials are served before it, on 2 slots that fit" },
    ...rest,
  };
}

export function sweepWhyFixture(sweep: string, rest: Partial<SweepWhyView> = {}): SweepWhyView {
  return {
    sweep,
    state: "running",
    sentence: "2 of its trials run; the next, linear: Every agent that fits is busy, next in line.",
    models: [
      {
        model: "linear",
        queued: 4,
        running: 2,
        sentence: "Every agent that fits is busy, next in line.",
        agents,
      },
      {
        model: "textcnn",
        queued: 3,
        running: 0,
        sentence: "No agent fits; the nearest is attic: no gpu.",
        agents: [{ agent: "attic", fits: false, reasons: ["no gpu"] }],
      },
    ],
    budget: { available: 300_000, needed: 5_000, short: 0, limit: "account" },
    ahead: [{ requester: "bo", startTag: 12.5, queued: 3 }],
    sweepsAhead: [],
    start: { at: fixtureNow + 240_000, because: "3 trials are served before it, on 2 slots that fit" },
    ...rest,
  };
}

export function estimateFixture(rest: Partial<EstimateView> = {}): EstimateView {
  return {
    trials: 24,
    low: 20_000,
    expected: 60_000,
    high: 180_000,
    onRecord: 0,
    models: [
      { model: "linear", attempts: 40, range: { low: 5_000, expected: 10_000, high: 20_000 } },
      { model: "fasttext", attempts: 0, range: { low: 15_000, expected: 50_000, high: 160_000 } },
      { model: "textcnn", attempts: 0, range: null },
    ],
    available: 300_000,
    fits: true,
    sentence:
      "24 trials will cost about 60.0 tokens (20.0 to 180.0, from 40 past attempts); there are 300.0 to spend",
    ...rest,
  };
}

type AccountView = BudgetView["accounts"][number];

export function accountFixture(requester: string, rest: Partial<AccountView> = {}): AccountView {
  return {
    requester,
    weight: 1,
    granted: 500_000,
    posted: 123_400,
    pending: 8_000,
    available: 368_600,
    queued: 5,
    startTag: 12.5,
    refill: null,
    sweepCap: null,
    lines: [
      {
        at: fixtureNow - 9_000,
        kind: "grant",
        amount: 500_000,
        trial: null,
        fence: null,
        agent: null,
        note: "first grant",
        granted: 500_000,
        posted: 0,
        pending: 0,
      },
      {
        at: fixtureNow - 5_000,
        kind: "reserve",
        amount: 8_000,
        trial: "s1-3",
        fence: 103,
        agent: "desk",
        note: "lease",
        granted: 500_000,
        posted: 123_400,
        pending: 8_000,
      },
    ],
    ...rest,
  };
}
