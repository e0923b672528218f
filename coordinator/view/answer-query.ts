/** Answers one query from the leader's durable state. Views are plain values; nothing here changes anything. */
import { errorSentence } from "../../protocol/error-sentence.ts";
import { querySchemas, type QueryBody, type QueryName } from "../../protocol/command.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import { members } from "../state/member.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";
import { removalOf } from "../registry/remove-entry.ts";
import { resolve } from "../registry/resolve-version.ts";
import { estimateSweep } from "../placement/estimate-sweep.ts";
import { deploymentNamed } from "../core/decide-deployment.ts";
import { deploymentsViewOf, deploymentViewOf } from "./deployment-answer.ts";
import { budgetViewOf } from "./budget-answer.ts";
import { datasetsViewOf, datasetViewOf } from "./dataset-answer.ts";
import { eventText } from "./event-text.ts";
import { garbageViewOf } from "./garbage-answer.ts";
import { holdersViewOf } from "./holders-answer.ts";
import { insightViewOf } from "./insight-answer.ts";
import { agentDetailOf, meshViewOf } from "./mesh-answer.ts";
import { lineageViewOf, modelsViewOf, modelViewOf } from "./model-answer.ts";
import { readHistory } from "./point-history.ts";
import { readCurve, readLogs } from "./point-stream.ts";
import type { QuerySource } from "./query-source.ts";
import { sweepWhyViewOf } from "./sweep-why-answer.ts";
import { summaryOf, sweepViewOf } from "./sweep-answer.ts";
import { trialViewOf } from "./trial-answer.ts";
import { whyViewOf } from "./why-answer.ts";

type Answers = {
  readonly [N in QueryName]: (
    source: QuerySource,
    body: QueryBody<N>,
  ) => Outcome<unknown> | Promise<Outcome<unknown>>;
};

const answers: Answers = {
  mesh: (source) => accept(meshViewOf(source)),
  agent: (source, body) => {
    const known = members(source.state);
    const agent = known.find((one) => one.agent === body.agent);
    return agent === undefined
      ? unknown(
          "agent",
          body.agent,
          known.map((one) => one.agent),
        )
      : accept(agentDetailOf(source, agent));
  },
  sweeps: ({ state, settings }, { limit, offset, removed, tags }) => {
    const has = (sweep: Sweep) =>
      sweep.deployment === undefined &&
      (removed || sweep.removed === undefined) &&
      tags.every((tag) => sweep.tags?.includes(tag) === true);
    const newest = [...state.sweeps.values()]
      .filter(has)
      .toReversed()
      .slice(offset, offset + limit);
    return accept({ sweeps: newest.map((sweep) => summaryOf(state, sweep, settings)) });
  },
  sweep: ({ state, settings }, body) => {
    const sweep = state.sweeps.get(body.sweep);
    if (sweep === undefined) return unknown("sweep", body.sweep, state.sweeps.keys());
    return accept(sweepViewOf(state, sweep, body, settings));
  },
  trial: ({ state }, body) => withTrial(state, body.trial, (trial) => accept(trialViewOf(state, trial))),
  curve: (source, body) =>
    withTrial(source.state, body.trial, async (trial) => accept(await readCurve(source, trial))),
  history: async (source, { after, trials }) => {
    const missing = trials.find((trial) => !source.state.trials.has(trial));
    if (missing !== undefined) return refuse("unknown", `there is no trial ${missing}`, ["trials"]);
    const asked = trials.map((trial) => mustGet(source.state.trials, trial, "trial"));
    return accept(await readHistory(source, asked, after));
  },
  logs: (source, body) =>
    withTrial(source.state, body.trial, async (trial) => accept(await readLogs(source, trial, body))),
  why: ({ state, settings }, body) =>
    withTrial(state, body.trial, (trial) => accept(whyViewOf(state, trial, settings))),
  "sweep-why": ({ state, settings }, body) => {
    const sweep = state.sweeps.get(body.sweep);
    if (sweep === undefined) return unknown("sweep", body.sweep, state.sweeps.keys());
    return accept(sweepWhyViewOf(state, sweep, settings));
  },
  insight: ({ state, settings }, body) => {
    const sweep = state.sweeps.get(body.sweep);
    if (sweep === undefined) return unknown("sweep", body.sweep, state.sweeps.keys());
    return accept(insightViewOf(state, sweep, settings));
  },
  estimate: ({ state }, { requester, spec }) => accept(estimateSweep(state, requester, spec)),
  datasets: ({ state }, { removed }) => accept(datasetsViewOf(state, removed)),
  dataset: ({ state }, body) => datasetViewOf(state, body),
  models: ({ state }, { removed }) => accept(modelsViewOf(state, removed)),
  model: ({ state }, body) => modelViewOf(state, body),
  removal: ({ state }, body) => removalOf(state, body, state.meta.at),
  lineage: ({ state, settings }, body) => lineageViewOf(state, body.model, body.version, settings),
  resolve: ({ state }, body) => resolve(state, body),
  deployments: (source, { stopped }) => accept(deploymentsViewOf(source, stopped)),
  deployment: (source, body) => {
    const found = deploymentNamed(source.state, body.deployment);
    return found.ok ? accept(deploymentViewOf(source, found.value)) : found;
  },
  budget: ({ state }, body) => {
    if (body.requester !== null && !state.accounts.has(body.requester)) {
      return unknown("account", body.requester, state.accounts.keys());
    }
    return accept(budgetViewOf(state, body.requester, body.lines));
  },
  garbage: garbageViewOf,
  holders: holdersViewOf,
  "set-aside": ({ setAside }) => accept({ messages: setAside.list() }),
  events: ({ events }, body) =>
    accept({
      events: events.last(body.limit).map(({ sequence, at, event }) => ({
        sequence,
        at,
        kind: event.kind,
        text: eventText(event),
      })),
    }),
};

export async function answerQuery<N extends QueryName>(
  source: QuerySource,
  name: N,
  raw: unknown,
): Promise<Outcome<unknown>> {
  const body = parseOutside(querySchemas[name], raw, `query ${name}`);
  if (!body.ok) return body;
  try {
    return await answers[name](source, body.value);
  } catch (error) {
    return refuse("unavailable", `${name} cannot be answered now: ${errorSentence(error)}`);
  }
}

function withTrial(
  state: State,
  id: string,
  use: (trial: Trial) => Outcome<unknown> | Promise<Outcome<unknown>>,
): Outcome<unknown> | Promise<Outcome<unknown>> {
  const trial = state.trials.get(id);
  return trial === undefined ? refuse("unknown", `there is no trial ${id}`, ["trial"]) : use(trial);
}

function unknown(what: string, id: string, known: Iterable<string>): Outcome<unknown> {
  return refuse("unknown", `there is no ${what} ${id}; ${suggestion(id, known)}`, [what]);
}
