/** The facts of a coordinator's state, as a journal adds up to it. What a running mesh answers is read in `mesh-fact.ts`. */
import { originOf } from "../../coordinator/registry/origin.ts";
import { mustGet, type State, type Sweep, type Trial } from "../../coordinator/state/state.ts";
import type { Facts } from "./fact.ts";

export function factsOfState(state: State): Facts {
  return {
    sweeps: [...state.sweeps.values()].map(sweepFact),
    trials: [...state.sweeps.values()].flatMap(({ sweep }) =>
      [...state.trials.values()]
        .filter((trial) => trial.sweep === sweep)
        .toSorted((a, b) => a.number - b.number)
        .map(trialFact),
    ),
    accounts: accountFacts(state),
    models: modelFacts(state),
    datasets: [...state.datasets.values()].map(({ dataset, versions }) => ({
      dataset,
      versions: versions.map(
        ({ at, by, bytes, check, digest, kind, labels, recipe, rows, trial, version }) => ({
          ...{ version, kind, digest, bytes, rows, labels, recipe, trial, by, at, check },
        }),
      ),
    })),
  };
}

function sweepFact(of: Sweep): Facts["sweeps"][number] {
  const { best, finishedAt, pending, priority, requester, savedByReuse, savedByStopping } = of;
  const { cap, name, task } = of.spec;
  return {
    ...{
      sweep: of.sweep,
      name,
      requester,
      task,
      best,
      spent: of.spent,
      pending,
      savedByReuse,
      savedByStopping,
    },
    ...{ cap, weight: of.weight, priority, submittedAt: of.submittedAt, finishedAt },
    state: of.state === "done" || of.state === "stopped" ? of.state : "open",
    counts: { proposed: of.proposed, ...of.counts, reused: of.reused },
  };
}

function trialFact(of: Trial): Facts["trials"][number] {
  const { checkpoint, failure, metrics, model, params, reusedFrom, spent, state, sweep, trial, value } = of;
  return {
    ...{ trial, sweep, model, params: { ...params }, state, value, metrics, spent, failure, reusedFrom },
    resource: checkpoint?.resource ?? 0,
    rungs: of.rungs.map(({ resource, value }) => ({ resource, value })),
    parent: of.parent ?? of.resumes,
    artifact: checkpoint?.digest ?? null,
    attempts: of.attempts.map(({ agent, ending, fence, from, posted, reserved, state, target }) => ({
      ...{ fence, agent, state, ending, target, reserved, posted },
      fromResource: from?.resource ?? 0,
    })),
  };
}

function accountFacts({ accounts, ledgers }: State): Facts["accounts"] {
  return [...accounts.values()]
    .toSorted((a, b) => (a.requester < b.requester ? -1 : 1))
    .map(({ granted, pending, posted, refill, requester, sweepCap, weight }) => ({
      ...{ requester, weight, granted, posted, pending, refill, sweepCap },
      lines: mustGet(ledgers, requester, "ledger").map((line) => [
        ...([line.kind, line.amount, line.trial, line.granted, line.posted, line.pending] as const),
      ]),
    }));
}

function modelFacts(state: State): Facts["models"] {
  return [...state.models.values()].map(({ aliases, ledger, model, versions }) => ({
    model,
    aliases: { ...aliases },
    ledger,
    versions: versions.map((of) => ({
      ...{ version: of.version, artifact: of.artifact, bytes: of.bytes, metrics: of.metrics },
      ...{
        params: { ...of.params },
        spent: of.spent,
        at: of.at,
        codeVersion: of.codeVersion,
        trial: of.trial,
      },
      origin: originOf(state, mustGet(state.trials, of.trial, "trial")).trial,
      ...{ sweep: of.sweep, dataset: of.dataset?.digest ?? null, requester: of.requester, agent: of.agent },
    })),
  }));
}
