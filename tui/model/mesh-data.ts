/** What the screens know of the mesh: the newest answer to each query, how old it is, and the link's state. */
import type { QueryValue } from "../../protocol/client.ts";
import type { QueryBody, QueryName } from "../../protocol/command.ts";

export interface Want<N extends QueryName = QueryName> {
  readonly name: N;
  readonly body: Partial<QueryBody<N>>;
  /** The answer hardly changes any more: asking now and then is enough. */
  readonly calm?: boolean;
}

export function want<N extends QueryName>(name: N, body: Partial<QueryBody<N>>): Want<N> {
  return { name, body };
}

export function wantKey(of: Want): string {
  return `${of.name} ${JSON.stringify(of.body)}`;
}

export interface Answer<N extends QueryName> {
  readonly value: QueryValue<N>;
  /** When it arrived, by this machine's clock. */
  readonly at: number;
}
export type Answers = { readonly [N in QueryName]: ReadonlyMap<string, Answer<N>> };

/**
 * `connecting`: nothing has been heard yet. `silent`: the server answers, no coordinator does.
 * `closed` is final (the credentials no longer hold); all others heal by themselves.
 */
export type LinkState = "connecting" | "live" | "silent" | "disconnected" | "closed";

export interface Data {
  readonly link: LinkState;
  /** Age of what is shown, in ms; null before the first answer. */
  readonly ageMs: number | null;
  readonly answers: Answers;
  /** Why a query was turned down last, by `wantKey`. */
  readonly refusals: ReadonlyMap<string, string>;
  /** CPU load of each agent, one sample a second at most, newest last. */
  readonly loads: ReadonlyMap<string, readonly (number | null)[]>;
  /** Busy slots of the whole mesh, likewise. */
  readonly busy: readonly number[];
}

export function answerTo<N extends QueryName>(data: Data, of: Want<N>): QueryValue<N> | null {
  const answers: ReadonlyMap<string, Answer<N>> = data.answers[of.name];
  return answers.get(wantKey(of))?.value ?? null;
}

export function refusalTo(data: Data, of: Want): string | null {
  return data.refusals.get(wantKey(of)) ?? null;
}

export const noAnswers: Answers = {
  mesh: new Map(),
  agent: new Map(),
  sweeps: new Map(),
  sweep: new Map(),
  trial: new Map(),
  curve: new Map(),
  history: new Map(),
  logs: new Map(),
  why: new Map(),
  "sweep-why": new Map(),
  insight: new Map(),
  estimate: new Map(),
  datasets: new Map(),
  dataset: new Map(),
  models: new Map(),
  model: new Map(),
  lineage: new Map(),
  resolve: new Map(),
  deployments: new Map(),
  deployment: new Map(),
  budget: new Map(),
  garbage: new Map(),
  holders: new Map(),
  removal: new Map(),
  "set-aside": new Map(),
  events: new Map(),
};
