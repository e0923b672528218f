/**
 * What the fake mesh's client tells of: sweeps that `advance` moves on, models, accounts, agents. Plain data with the few
 * rules that make it look alive.
 */
import { emptyState, type State } from "../../coordinator/state/state.ts";
import type { AgentView, ModelView, SweepSummary, TrialView } from "../../protocol/view.ts";
import { fixtureNow, modelFixture, sweepFixture, trialFixture } from "./view-fixture.ts";
import { accountFixture } from "./why-fixture.ts";

export interface FakeSweep {
  summary: SweepSummary;
  trials: TrialView[];
}

export const trialEpochs = 9;
const slots = 3;

export class FakeWorld {
  now = fixtureNow;
  sequence = 100;
  readonly sweeps: FakeSweep[] = [];
  readonly models: ModelView[] = [modelFixture("language-id"), writtenModel("question-type")];
  readonly accounts = [
    accountFixture("ada", {
      refill: { amount: 50_000, everyMs: 86_400_000, upTo: 600_000, nextAt: fixtureNow + 3_600_000 },
      sweepCap: 200_000,
    }),
    accountFixture("bo", { weight: 3, startTag: 9.5, queued: 2, lines: [] }),
  ];
  /** What an agent says of itself in place of what its fixture says. */
  readonly changes = new Map<string, Partial<AgentView>>();

  startSweep(name: string, total: number): string {
    const sweep = `s${this.sweeps.length + 1}`;
    this.sweeps.push({
      summary: sweepFixture(sweep, {
        name,
        total,
        counts: {
          proposed: 0,
          queued: total,
          running: 0,
          paused: 0,
          completed: 0,
          stopped: 0,
          failed: 0,
          cancelled: 0,
          reused: 0,
        },
        best: null,
        spent: 0,
        savedByReuse: 0,
        savedByStopping: 0,
        submittedAt: this.now,
      }),
      trials: Array.from({ length: total }, (_, index) =>
        trialFixture(sweep, index + 1, {
          state: "queued",
          model: index % 3 === 0 ? "linear" : index % 3 === 1 ? "fasttext" : "textcnn",
          params: { learningRate: 0.05 * (index + 1), wordNgrams: 1 + (index % 3) },
          resource: 0,
          target: trialEpochs,
          value: null,
          metrics: {},
          attempts: [],
          spent: 0,
        }),
      ),
    });
    return sweep;
  }

  /** Lets the running sweeps finish one more trial each, and time go on by a second. */
  advance(): void {
    this.now += 1_000;
    this.sequence += 1;
    for (const each of this.sweeps) if (each.summary.finishedAt === null) advanceSweep(each, this.now);
  }

  sweepOf(id: unknown): FakeSweep | undefined {
    return this.sweeps.find((each) => each.summary.sweep === id);
  }

  trials(): TrialView[] {
    return this.sweeps.flatMap((each) => each.trials);
  }

  /** The models alone, for the coordinator's own answer to which version is meant. */
  registry(): State {
    const state = emptyState();
    for (const { aliases, ledger, model, versions } of this.models) {
      const pointed = Object.fromEntries(aliases.map(({ alias, version }) => [alias, version]));
      state.models.set(model, { model, versions, aliases: pointed, ledger });
    }
    return state;
  }
}

/** Tagged and described, and its first version removed. */
function writtenModel(name: string): ModelView {
  const model = modelFixture(name);
  const removed = { by: "ada", why: "learnt the test rows", at: fixtureNow };
  const versions = model.versions.map((each, at) =>
    at === 0 ? { ...each, removed } : { ...each, tags: ["audited"] },
  );
  return { ...model, versions, tags: ["production"], notes: "asked in English" };
}

/** A metric that grows with the epoch and differs by trial, the same each time. */
export function valueOf(trial: TrialView, epoch: number): number {
  return 0.55 + 0.35 * (1 - Math.exp(-epoch / 3)) + 0.05 * Math.sin(trial.number * 2.3);
}

function advanceSweep(of: FakeSweep, now: number): void {
  of.trials = of.trials.map((trial) => (trial.state === "running" ? trained(trial) : trial));
  let free = slots - of.trials.filter((each) => each.state === "running").length;
  of.trials = of.trials.map((trial) => {
    if (trial.state !== "queued" || free <= 0) return trial;
    free -= 1;
    return started(trial, now);
  });
  of.summary = summaryOf(of, now);
}

function trained(trial: TrialView): TrialView {
  const resource = Math.min(trial.target, trial.resource + 3);
  const value = valueOf(trial, resource);
  const state = resource >= trial.target ? "completed" : trial.number % 4 === 0 ? "stopped" : "running";
  return {
    ...trial,
    state,
    resource,
    value,
    metrics: { macroF1: value, loss: 1 - value },
    spent: resource * 500,
  };
}

function started(trial: TrialView, now: number): TrialView {
  const attempts = trialFixture(trial.sweep, trial.number).attempts.map((each) => ({
    ...each,
    agent: trial.number % 2 === 0 ? "desk" : "attic",
    state: "running" as const,
    ending: null,
    startedAt: now,
    endedAt: null,
    posted: 0,
  }));
  return { ...trial, state: "running", attempts };
}

function summaryOf(of: FakeSweep, now: number): SweepSummary {
  const { summary } = of;
  const count = (state: TrialView["state"]) => of.trials.filter((each) => each.state === state).length;
  const best = of.trials
    .filter((each) => each.value !== null)
    .toSorted((a, b) => (b.value ?? 0) - (a.value ?? 0))[0];
  const ended = count("completed") + count("stopped") === of.trials.length;
  return {
    ...summary,
    state: ended ? "done" : "running",
    counts: {
      ...summary.counts,
      proposed: of.trials.length - count("queued"),
      queued: count("queued"),
      running: count("running"),
      completed: count("completed"),
      stopped: count("stopped"),
    },
    best:
      best === undefined
        ? null
        : { trial: best.trial, model: best.model, value: best.value ?? 0, resource: best.resource },
    spent: of.trials.reduce((sum, each) => sum + each.spent, 0),
    savedByStopping: count("stopped") * 2_500,
    finishedAt: ended ? now : null,
  };
}

export function bestSoFar(of: FakeSweep, now: number) {
  const points: { trials: number; spent: number; at: number; value: number }[] = [];
  let best = -Infinity;
  let done = 0;
  for (const each of of.trials) {
    if (each.state !== "completed" && each.state !== "stopped") continue;
    done += 1;
    if (each.value === null || each.value <= best) continue;
    best = each.value;
    points.push({ trials: done, spent: done * 4_000, at: now, value: best });
  }
  return points;
}
