/**
 * What a golden home says of itself, in words that outlive formats: plain facts about sweeps, trials, accounts, models and
 * datasets. Not the views and not the entities, which may change; `mesh-fact.ts` and `state-fact.ts` lead from them to here.
 */
import * as z from "zod";

const count = z.int().nonnegative();
const numbers = z.record(z.string(), z.number());
const params = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const sweepFact = z.strictObject({
  sweep: z.string(),
  name: z.string(),
  requester: z.string(),
  task: z.string(),
  /** Whether it runs or waits is of the moment, and not kept. */
  state: z.enum(["open", "done", "stopped"]),
  counts: z.record(z.string(), count),
  best: z
    .strictObject({ trial: z.string(), model: z.string(), value: z.number(), resource: count })
    .nullable(),
  /** Milli-tokens, as are all amounts. */
  spent: count,
  pending: count,
  savedByReuse: count,
  savedByStopping: count,
  cap: count.nullable(),
  weight: z.number(),
  priority: z.number(),
  submittedAt: z.number(),
  finishedAt: z.number().nullable(),
});

const trialFact = z.strictObject({
  trial: z.string(),
  sweep: z.string(),
  model: z.string(),
  params,
  state: z.string(),
  value: z.number().nullable(),
  metrics: numbers,
  resource: count,
  rungs: z.array(z.strictObject({ resource: count, value: z.number() })),
  spent: count,
  failure: z.string().nullable(),
  reusedFrom: z.string().nullable(),
  parent: z.string().nullable(),
  artifact: z.string().nullable(),
  attempts: z.array(
    z.strictObject({
      fence: count,
      agent: z.string(),
      state: z.string(),
      ending: z.string().nullable(),
      fromResource: count,
      target: count,
      reserved: count,
      posted: count,
    }),
  ),
});

const accountFact = z.strictObject({
  requester: z.string(),
  weight: z.number(),
  granted: count,
  posted: count,
  pending: count,
  refill: z.strictObject({ amount: count, everyMs: z.number(), upTo: count }).nullable(),
  sweepCap: count.nullable(),
  /** The whole statement: kind, amount, trial, and the account after it. */
  lines: z.array(z.tuple([z.string(), count, z.string().nullable(), count, count, count])),
});
type AccountFact = z.infer<typeof accountFact>;

const modelFact = z.strictObject({
  model: z.string(),
  aliases: z.record(z.string(), count),
  ledger: z.array(
    z.strictObject({
      alias: z.string(),
      from: count.nullable(),
      to: count,
      who: z.string(),
      why: z.string(),
      kind: z.string(),
      at: z.number(),
    }),
  ),
  versions: z.array(
    z.strictObject({
      version: count,
      artifact: z.string(),
      bytes: count,
      metrics: numbers,
      params,
      spent: count,
      at: z.number(),
      codeVersion: z.string(),
      /** Where it comes from, backwards: the trial, the one that did the work, its sweep, its dataset's digest. */
      trial: z.string(),
      origin: z.string(),
      sweep: z.string(),
      dataset: z.string().nullable(),
      requester: z.string(),
      agent: z.string(),
    }),
  ),
});

const datasetFact = z.strictObject({
  dataset: z.string(),
  versions: z.array(
    z.strictObject({
      version: count,
      kind: z.string(),
      digest: z.string(),
      bytes: count,
      rows: z.record(z.string(), count),
      labels: z.array(z.string()).nullable(),
      recipe: z.string(),
      trial: z.string().nullable(),
      by: z.string(),
      at: z.number(),
      check: z.strictObject({ failed: count, warned: count, sentences: z.array(z.string()) }),
    }),
  ),
});

export const factsSchema = z.strictObject({
  sweeps: z.array(sweepFact),
  trials: z.array(trialFact),
  accounts: z.array(accountFact),
  models: z.array(modelFact),
  datasets: z.array(datasetFact),
});
export type Facts = z.infer<typeof factsSchema>;

/**
 * What `found` says of the time of `then`. An account may have been refilled since: those lines are taken off its statement
 * and what they granted off its balance, and nothing else is.
 */
export function withoutLaterRefills(found: Facts, then: Facts): Facts {
  const lengths = new Map(then.accounts.map(({ lines, requester }) => [requester, lines.length]));
  const accounts = found.accounts.map((account): AccountFact => {
    const length = lengths.get(account.requester) ?? 0;
    const later = account.lines.slice(length);
    if (!later.every(([kind]) => kind === "refill")) return account;
    const refilled = later.reduce((sum, [, amount]) => sum + amount, 0);
    return { ...account, granted: account.granted - refilled, lines: account.lines.slice(0, length) };
  });
  return { ...found, accounts };
}
