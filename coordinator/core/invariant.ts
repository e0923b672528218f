/**
 * What must hold at every event. Returns typed notes instead of throwing, so that tests, the simulation
 * and start-up can each say what they found. Recomputes from scratch: slow on purpose.
 */
import { eachNeeded } from "../collect/reference.ts";
import { retentionOf } from "../collect/default-retention.ts";
import { takesWork } from "../state/takes-work.ts";
import { isFinal } from "./apply-trial.ts";
import { activeAttempt, attemptByFence, mustGet, type State, type Sweep } from "../state/state.ts";

export interface BrokenInvariant {
  readonly rule: string;
  readonly where: string;
  readonly detail: string;
}

export function brokenInvariants(state: State): BrokenInvariant[] {
  const notes: BrokenInvariant[] = [];
  const expect = (holds: boolean, rule: string, where: string, detail: () => string) => {
    if (!holds) notes.push({ rule, where, detail: detail() });
  };
  budgets(state, expect);
  attempts(state, expect);
  sweeps(state, expect);
  deployments(state, expect);
  fleet(state, expect);
  registry(state, expect);
  collected(state, expect);
  packs(state, expect);
  archives(state, expect);
  return notes;
}

type Expect = (holds: boolean, rule: string, where: string, detail: () => string) => void;

function budgets(state: State, expect: Expect): void {
  const pending = new Map<string, number>();
  const posted = new Map<string, number>();
  for (const trial of state.trials.values()) {
    const { requester } = mustGet(state.sweeps, trial.sweep, "sweep");
    for (const attempt of trial.attempts) {
      const into = attempt.state === "ended" ? posted : pending;
      const amount = attempt.state === "ended" ? attempt.posted : attempt.reserved;
      into.set(requester, (into.get(requester) ?? 0) + amount);
      expect(attempt.posted <= attempt.reserved, "BUDGET-3", trial.trial, () => `fence ${attempt.fence}`);
    }
  }
  for (const account of state.accounts.values()) {
    const { requester } = account;
    const sum = account.posted + account.pending;
    expect(sum <= account.granted, "BUDGET-1", requester, () => `${sum} of ${account.granted}`);
    expect(
      account.pending === (pending.get(requester) ?? 0) && account.posted === (posted.get(requester) ?? 0),
      "BUDGET-2",
      requester,
      () =>
        `pending ${account.pending}/${pending.get(requester)}, posted ${account.posted}/${posted.get(requester)}`,
    );
  }
}

function attempts(state: State, expect: Expect): void {
  const fences = new Set<number>();
  let active = 0;
  for (const trial of state.trials.values()) {
    const live = trial.attempts.filter((attempt) => attempt.state !== "ended");
    expect(live.length <= 1, "LEASE-4 one attempt at a time", trial.trial, () => `${live.length} are live`);
    expect((live.length === 1) === (trial.state === "running"), "LEASE-5", trial.trial, () => trial.state);
    for (const attempt of trial.attempts) {
      expect(!fences.has(attempt.fence), "FENCE-2 unique", trial.trial, () => String(attempt.fence));
      expect(attempt.fence < state.meta.nextFence, "FENCE-3 only grows", trial.trial, () =>
        String(attempt.fence),
      );
      fences.add(attempt.fence);
    }
    const attempt = activeAttempt(trial);
    if (attempt === null) continue;
    active++;
    expect(
      state.active.get(attempt.fence) === trial.trial,
      "LEASE-6 indexed",
      trial.trial,
      () => "not active",
    );
    expect(
      state.held.get(attempt.agent)?.has(attempt.fence) === true,
      "LEASE-6 indexed",
      trial.trial,
      () => "not held",
    );
    expect(
      (state.going.get(trial.sweep)?.has(attempt.fence) === true) === (attempt.cancel === null),
      "LEASE-6 indexed",
      trial.trial,
      () => "not among those that go on, or among them though it was asked to end",
    );
  }
  expect(
    active === state.active.size,
    "LEASE-6 indexed",
    "active",
    () => `${state.active.size}, not ${active}`,
  );
}

function sweeps(state: State, expect: Expect): void {
  const counts = new Map<string, Sweep["counts"]>();
  for (const trial of state.trials.values()) {
    const of = counts.get(trial.sweep) ?? emptyCounts();
    of[trial.state]++;
    counts.set(trial.sweep, of);
    const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
    const resources = trial.rungs.map(({ resource }) => resource);
    expect(new Set(resources).size === resources.length, "RUNG-1 each once", trial.trial, () =>
      resources.join(),
    );
    if (trial.state === "completed") {
      expect(resources.at(-1) === sweep.spec.stopping.max, "RUNG-2 full length", trial.trial, () =>
        resources.join(),
      );
    }
  }
  for (const sweep of state.sweeps.values()) {
    const of = counts.get(sweep.sweep) ?? emptyCounts();
    expect(JSON.stringify(of) === JSON.stringify(sweep.counts), "SWEEP-1 counts", sweep.sweep, () =>
      JSON.stringify(of),
    );
    queue(state, sweep, of.queued, expect);
    expect(sweep.proposed <= sweep.total, "SWEEP-2 total", sweep.sweep, () => `${sweep.proposed}`);
    // The account's cap for each sweep can be set below what one has spent: it then gets no more.
    const cap = sweep.spec.cap;
    expect(
      cap === null || sweep.spent + sweep.pending <= cap,
      "BUDGET-4",
      sweep.sweep,
      () => `${sweep.spent} of ${cap}`,
    );
    if (sweep.state === "done" || sweep.state === "stopped") {
      expect(of.queued + of.running + of.paused === 0, "SWEEP-3 all have outcomes", sweep.sweep, () =>
        JSON.stringify(of),
      );
    }
  }
  for (const [key, id] of state.records) {
    const trial = mustGet(state.trials, id, "trial");
    expect(
      trial.key === key && trial.record && isFinal(trial.state),
      "REUSE-2 records",
      id,
      () => trial.state,
    );
  }
}

function deployments(state: State, expect: Expect): void {
  for (const { deployment, replicas, revision, stopped, sweep: id, versions } of state.deployments.values()) {
    const sweep = mustGet(state.sweeps, id, "sweep");
    const going = state.going.get(id)?.size ?? 0;
    expect(sweep.deployment === deployment, "DEPLOY-5", deployment, () => `${id} is not its own`);
    expect(versions.length > 0 && revision > 0, "DEPLOY-6", deployment, () => `revision ${revision}`);
    expect(
      (stopped === undefined) === (sweep.state === "running"),
      "DEPLOY-1",
      deployment,
      () => sweep.state,
    );
    if (stopped !== undefined) continue;
    expect(going <= replicas + 1, "DEPLOY-1", deployment, () => `${going} run of ${replicas}`);
    for (const fence of state.going.get(id) ?? []) {
      const said = attemptByFence(state, fence)?.attempt.replica?.revision ?? 0;
      expect(
        said <= revision,
        "DEPLOY-3",
        deployment,
        () => `fence ${fence} says revision ${said} of ${revision}`,
      );
    }
  }
}

function queue(state: State, sweep: Sweep, queued: number, expect: Expect): void {
  const standing = [...(state.queues.get(sweep.sweep)?.values() ?? [])].flatMap((one) => [...one.waiting()]);
  expect(
    standing.length === queued && new Set(standing).size === queued,
    "QUEUE-1",
    sweep.sweep,
    () => `${standing.join()} stand in the queue, ${queued} are queued`,
  );
}

function fleet(state: State, expect: Expect): void {
  for (const agent of state.agents.values()) {
    const free = takesWork(agent) && (state.held.get(agent.agent)?.size ?? 0) < agent.policy.slots;
    expect(state.fleet.isFree(agent.agent) === free, "PLACE-1", agent.agent, () => `free: ${free}`);
  }
}

function registry(state: State, expect: Expect): void {
  for (const { dataset, versions } of state.datasets.values()) {
    const live = versions.filter(({ removed }) => removed === undefined);
    const digests = new Set(live.map(({ digest }) => digest));
    expect(digests.size === live.length, "DSET-1", dataset, () => "one digest has two versions");
  }
  for (const model of state.models.values()) {
    const where = new Map<string, number>();
    for (const move of model.ledger) {
      expect(
        (where.get(move.alias) ?? null) === move.from,
        "REG-2 unbroken ledger",
        model.model,
        () => move.alias,
      );
      where.set(move.alias, move.to);
    }
    for (const [alias, version] of Object.entries(model.aliases)) {
      expect(
        model.versions[version - 1]?.version === version,
        "REG-1",
        `${model.model}@${alias}`,
        () => `${version}`,
      );
      expect(
        where.get(alias) === version,
        "REG-2 unbroken ledger",
        `${model.model}@${alias}`,
        () => `${version}`,
      );
    }
  }
}

/** What is derived of marks, and that nothing which could be handed out needs what is gone. */
function collected(state: State, expect: Expect): void {
  const moment = { state, at: state.meta.at, retention: retentionOf(state) };
  if (state.gone.size > 0)
    for (const { digest, kind, of } of eachNeeded(moment))
      expect(!state.gone.has(digest), "GC-2", of, () => `${kind}: ${digest} is gone`);
  const [marked, gone] = [new Set<string>(), new Set<string>()];
  for (const { artifacts, mark, state: of } of state.marks.values()) {
    expect(artifacts.length > 0 && mark < (state.meta.nextMark ?? 1), "GC-4 marks", `mark ${mark}`, () => of);
    expect(state.openMarks.has(mark) === (of !== "removed"), "GC-4 marks", `mark ${mark}`, () => of);
    for (const { digest } of artifacts) {
      const here = of === "marked" ? state.marked : state.gone;
      expect(here.get(digest) === mark, "GC-4 marks", digest, () => `${of} in mark ${mark}`);
      expect(!marked.has(digest) && !gone.has(digest), "GC-4 marks", digest, () => "has two marks");
      (of === "marked" ? marked : gone).add(digest);
    }
  }
  expect(
    marked.size === state.marked.size && gone.size === state.gone.size,
    "GC-4 marks",
    "index",
    () => `${state.marked.size} and ${state.gone.size}, not ${marked.size} and ${gone.size}`,
  );
}

function packs(state: State, expect: Expect): void {
  let digests = 0;
  for (const { digests: held, pack } of state.packs.values()) {
    digests += held.length;
    for (const digest of held)
      expect(state.packed.get(digest) === pack, "PACK-2", digest, () => `it is not found in pack ${pack}`);
  }
  expect(digests === state.packed.size, "PACK-2", "packed", () => `${state.packed.size}, not ${digests}`);
}

/** ARCHIVE-1: every trial that has ended and was ever handed out is in exactly one archive, or waits for one. */
function archives(state: State, expect: Expect): void {
  const places = new Map<string, string>();
  const put = (trial: string, where: string) => {
    expect(!places.has(trial), "ARCHIVE-1", trial, () => `is in ${places.get(trial)} and in ${where}`);
    places.set(trial, where);
  };
  for (const { archive, sweep, trials } of state.archives.values()) {
    expect(state.archivesOf.get(sweep)?.includes(archive) === true, "ARCHIVE-1", sweep, () => `${archive}`);
    for (const trial of trials) put(trial, `archive ${archive}`);
  }
  for (const waiting of state.unarchived.values()) for (const trial of waiting) put(trial, "none");
  let ended = 0;
  for (const trial of state.trials.values()) {
    if (!isFinal(trial.state) || trial.attempts.length === 0) continue;
    ended++;
    expect(places.has(trial.trial), "ARCHIVE-1", trial.trial, () => "has ended and does not wait");
  }
  expect(ended === places.size, "ARCHIVE-1", "archives", () => `${places.size} of ${ended} ended trials`);
}

function emptyCounts(): Sweep["counts"] {
  return { queued: 0, running: 0, paused: 0, completed: 0, stopped: 0, failed: 0, cancelled: 0 };
}
