/** The facts of a running mesh, asked of its views as people and programs ask. What a journal adds up to is `state-fact.ts`. */
import type { MeshClient } from "../../protocol/client.ts";
import type { LedgerLineView, ModelView, SweepSummary, TrialView } from "../../protocol/view.ts";
import { valueOf } from "../support/live-mesh.ts";
import { factsSchema, type Facts } from "./fact.ts";

/** The most a query answers with: a golden home is small. */
const sweepsMax = 500;
const trialsMax = 1_000;
const linesMax = 5_000;

export async function factsOfMesh(client: MeshClient): Promise<Facts> {
  const { sweeps } = valueOf(await client.query("sweeps", { limit: sweepsMax }));
  const inOrder = sweeps.toSorted((a, b) => Number(a.sweep.slice(1)) - Number(b.sweep.slice(1)));
  const trials: TrialView[] = [];
  for (const { sweep } of inOrder) {
    trials.push(...valueOf(await client.query("sweep", { sweep, order: "number", limit: trialsMax })).trials);
  }
  const facts: Facts = {
    sweeps: inOrder.map(sweepFact),
    trials: trials.map(trialFact),
    accounts: await accountFacts(client),
    models: await modelFacts(client),
    datasets: await datasetFacts(client),
  };
  // As they would be read from a file: nothing undefined, nothing left over.
  return factsSchema.parse(JSON.parse(JSON.stringify(facts)));
}

function sweepFact(of: SweepSummary): Facts["sweeps"][number] {
  const { best, cap, counts, finishedAt, name, pending, priority, requester, spent, submittedAt } = of;
  const { savedByReuse, savedByStopping, sweep, task, weight } = of;
  return {
    ...{ sweep, name, requester, task, counts, best, spent, pending, savedByReuse, savedByStopping },
    ...{ cap, weight, priority, submittedAt, finishedAt },
    state: of.state === "done" || of.state === "stopped" ? of.state : "open",
  };
}

function trialFact(of: TrialView): Facts["trials"][number] {
  const { artifact, failure, metrics, model, params, parent, resource, reusedFrom, rungs, spent } = of;
  const { state, sweep, trial, value } = of;
  return {
    ...{ trial, sweep, model, params, state, value, metrics, resource, rungs, spent, failure },
    ...{ reusedFrom, parent, artifact },
    attempts: of.attempts.map(({ agent, ending, fence, fromResource, posted, reserved, state, target }) => ({
      ...{ fence, agent, state, fromResource, target, reserved, posted },
      // Its word, without the note that follows.
      ending: ending?.split(":")[0] ?? null,
    })),
  };
}

async function accountFacts(client: MeshClient): Promise<Facts["accounts"]> {
  const { accounts } = valueOf(await client.query("budget", { requester: null, lines: linesMax }));
  return accounts.map(({ granted, lines, pending, posted, refill, requester, sweepCap, weight }) => ({
    ...{ requester, weight, granted, posted, pending, sweepCap },
    refill: refill === null ? null : { amount: refill.amount, everyMs: refill.everyMs, upTo: refill.upTo },
    lines: lines.map(lineFact),
  }));
}

function lineFact(of: LedgerLineView): Facts["accounts"][number]["lines"][number] {
  return [of.kind, of.amount, of.trial, of.granted, of.posted, of.pending];
}

async function modelFacts(client: MeshClient): Promise<Facts["models"]> {
  const { models } = valueOf(await client.query("models", {}));
  const facts: Facts["models"] = [];
  for (const { model } of models) {
    const { aliases, ledger, versions } = valueOf(await client.query("model", { model }));
    const found: Facts["models"][number]["versions"] = [];
    for (const { version } of versions) {
      const lineage = valueOf(await client.query("lineage", { model, version }));
      const of = lineage.version;
      found.push({
        ...{ version, artifact: of.artifact, bytes: of.bytes, metrics: of.metrics, params: of.params },
        ...{ spent: of.spent, at: of.at, codeVersion: of.codeVersion, trial: lineage.trial.trial },
        origin: (lineage.origin ?? lineage.trial).trial,
        ...{ sweep: lineage.sweep.sweep, dataset: of.dataset?.digest ?? null },
        ...{ requester: of.requester, agent: of.agent },
      });
    }
    facts.push({
      model,
      aliases: Object.fromEntries(aliases.map(({ alias, version }) => [alias, version])),
      ledger: ledger.map(moveFact),
      versions: found,
    });
  }
  return facts;
}

function moveFact({
  alias,
  at,
  from,
  kind,
  to,
  who,
  why,
}: ModelView["ledger"][number]): Facts["models"][number]["ledger"][number] {
  return { alias, from, to, who, why, kind, at };
}

async function datasetFacts(client: MeshClient): Promise<Facts["datasets"]> {
  const { datasets } = valueOf(await client.query("datasets", {}));
  const facts: Facts["datasets"] = [];
  for (const { dataset } of datasets) {
    const { versions } = valueOf(await client.query("dataset", { dataset }));
    facts.push({
      dataset,
      versions: versions.map(
        ({ at, by, bytes, check, digest, kind, labels, recipe, rows, trial, version }) => ({
          ...{ version, kind, digest, bytes, rows, labels, recipe, trial, by, at, check },
        }),
      ),
    });
  }
  return facts;
}
