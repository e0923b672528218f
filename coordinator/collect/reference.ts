/**
 * Everything that refers to stored bytes, each kind a row of one table, with its reason in words. GC-1: what one of these names is
 * not removed. A new kind of reference (a lock, an export that is known here) is a row more. Pure; not here: which of what is stored nothing
 * refers to, which takes the store itself (`core/decide-collect.ts`).
 */
import type { Digest, SweepId, TrialId } from "../../protocol/id.ts";
import { plural } from "../../protocol/plural.ts";
import { learnsFromWeights } from "./weight-search.ts";
import { keptOf } from "../state/kept-of.ts";
import {
  activeAttempt,
  mustGet,
  type Retention,
  type State,
  type Sweep,
  type Trial,
} from "../state/state.ts";
import { inputsOf } from "../state/sweep-input.ts";
import { trialsOf } from "../state/trials-of.ts";
import { bestTrials } from "./best-trials.ts";
import { retentionFor } from "./default-retention.ts";

export interface Reference {
  readonly digest: Digest;
  readonly kind: ReferenceKind;
  /** What refers to it: a trial, a sweep, a version, whoever pinned it. */
  readonly of: string;
}

interface Moment {
  readonly state: State;
  readonly retention: Retention;
  /** ms since the Unix epoch, in the coordinator's time. */
  readonly at: number;
}

type Named = readonly [digest: Digest, of: string];

interface Kind {
  /** Something could be handed out that needs the bytes, so they must be there whenever it is referred to (GC-2). */
  readonly isNeeded: boolean;
  readonly text: (of: string) => string;
  readonly find: (moment: Moment) => Iterable<Named>;
}

const kinds = {
  pin: {
    isNeeded: true,
    text: (of) => `pinned by ${of}`,
    find: function* ({ at, state }) {
      for (const { by, digest, until, why } of state.pins.values())
        if (until === undefined || until > at) yield [digest, why === "" ? by : `${by}: ${why}`];
    },
  },
  "model version": {
    isNeeded: true,
    text: (of) => `the bytes of ${of}`,
    find: function* ({ state }) {
      for (const { aliases, model, versions } of state.models.values())
        for (const { artifact, removed, version } of versions)
          if (removed === undefined) yield [artifact, versionText(model, version, aliases)];
    },
  },
  // REMOVE-5.
  "removed version": {
    isNeeded: false,
    text: (of) => `the bytes of ${of}, which was removed and can be restored`,
    find: function* (moment) {
      for (const { model, versions } of moment.state.models.values())
        for (const { artifact, removed, version } of versions)
          if (removed !== undefined && isKept(moment, { removed })) yield [artifact, `${model}@${version}`];
      for (const { dataset, versions } of moment.state.datasets.values())
        for (const { digest, recipe, removed, version } of versions)
          if (removed !== undefined && isKept(moment, { removed }))
            for (const each of [digest, recipe]) yield [each, `${dataset}@${version}`];
    },
  },
  "behind a version": {
    isNeeded: false,
    text: (of) => `what ${of} was made with`,
    find: function* (moment) {
      const { state } = moment;
      for (const { model, versions } of state.models.values())
        for (const { sweep, version } of versions.filter((each) => isKept(moment, each)))
          for (const digest of inputsOf(state.sweeps.get(sweep))) yield [digest, `${model}@${version}`];
    },
  },
  "dataset version": {
    isNeeded: true,
    text: (of) => `the bytes or the recipe of ${of}`,
    find: function* ({ state }) {
      for (const { dataset, versions } of state.datasets.values())
        for (const { digest, recipe, removed, version } of versions) {
          if (removed !== undefined) continue;
          yield [digest, `${dataset}@${version}`];
          yield [recipe, `${dataset}@${version}`];
        }
    },
  },
  "built from": {
    isNeeded: false,
    text: (of) => `what ${of} was built from`,
    find: function* (moment) {
      const { state } = moment;
      for (const { dataset, versions } of state.datasets.values())
        for (const { trial, version } of versions.filter((each) => isKept(moment, each))) {
          const built = trial === null ? undefined : state.trials.get(trial);
          const sweep = built === undefined ? undefined : state.sweeps.get(built.sweep);
          for (const digest of inputsOf(sweep)) yield [digest, `${dataset}@${version}`];
        }
    },
  },
  deployment: {
    isNeeded: true,
    text: (of) => `what deployment ${of} answers with`,
    find: function* ({ state }) {
      for (const { deployment, stopped, versions } of state.deployments.values())
        if (stopped === undefined)
          for (const { artifact, dataset } of versions) {
            yield [artifact, deployment];
            if (dataset !== null) yield [dataset, deployment];
          }
    },
  },
  "open sweep": {
    isNeeded: true,
    text: (of) => `data or program of ${of}, which runs`,
    find: function* ({ state }) {
      for (const sweep of state.sweeps.values())
        if (sweep.finishedAt === null) for (const digest of inputsOf(sweep)) yield [digest, sweep.sweep];
    },
  },
  "ended sweep": {
    isNeeded: false,
    text: (of) => `data or program of ${of}, which can be extended or run again`,
    find: function* (moment) {
      for (const sweep of moment.state.sweeps.values())
        if (sweep.finishedAt !== null && isKept(moment, sweep))
          for (const digest of inputsOf(sweep)) yield [digest, sweep.sweep];
    },
  },
  "trial that goes on": {
    isNeeded: true,
    text: (of) => `a checkpoint of ${of}, which has not ended`,
    find: function* ({ state }) {
      for (const sweep of state.sweeps.values())
        if (sweep.finishedAt === null) for (const trial of trialsOf(state, sweep)) yield* pointsOf(trial);
    },
  },
  parent: {
    isNeeded: false,
    text: (of) => `a checkpoint of ${of}, whose sweep starts trials from the weights of others`,
    find: function* ({ state }) {
      for (const sweep of state.sweeps.values())
        if (sweep.finishedAt === null && learnsFromWeights(sweep.spec))
          for (const { checkpoint, trial } of trialsOf(state, sweep))
            if (checkpoint !== null) yield [checkpoint.digest, trial];
    },
  },
  best: {
    isNeeded: false,
    text: (of) => `the checkpoint of ${of}, one of the best of its sweep`,
    find: function* (moment) {
      const { retention, state } = moment;
      for (const sweep of state.sweeps.values()) {
        if (!isKept(moment, sweep)) continue;
        for (const trial of bestTrials(state, sweep, retentionFor(retention, sweep).checkpoints)) {
          const kept = keptOf(trial);
          if (kept !== null) yield [kept.digest, trial.trial];
        }
      }
    },
  },
  // ARCHIVE-3.
  curves: {
    isNeeded: false,
    text: (of) => `curves of ${of}`,
    find: function* (moment) {
      for (const { curves, sweep, trials } of moment.state.archives.values())
        if (curves !== undefined && isKept(moment, mustGet(moment.state.sweeps, sweep, "sweep")))
          yield [curves, trialsText(trials, sweep)];
    },
  },
  logs: {
    isNeeded: false,
    text: (of) => `what ${of} wrote`,
    find: function* (moment) {
      for (const { at, logs, sweep: of, trials } of moment.state.archives.values()) {
        const sweep = mustGet(moment.state.sweeps, of, "sweep");
        if (
          logs !== undefined &&
          isKept(moment, sweep) &&
          moment.at - at < retentionFor(moment.retention, sweep).logsMs
        )
          yield [logs, trialsText(trials, of)];
      }
    },
  },
} satisfies Readonly<Record<string, Kind>>;

export type ReferenceKind = keyof typeof kinds;

const table: Readonly<Record<ReferenceKind, Kind>> = kinds;
const names = Object.keys(kinds).filter((name): name is ReferenceKind => Object.hasOwn(kinds, name));

/** Every reference, kind by kind; a digest comes as often as it is referred to. */
export function* eachReference(moment: Moment): Generator<Reference, void, void> {
  for (const kind of names) for (const [digest, of] of table[kind].find(moment)) yield { digest, kind, of };
}

/** What is referred to at all: for decisions, which need no reason. */
export function referredTo(moment: Moment): Set<Digest> {
  const found = new Set<Digest>();
  for (const kind of names) for (const [digest] of table[kind].find(moment)) found.add(digest);
  return found;
}

/** GC-2: what must be there, for something that is handed out needs it. */
export function* eachNeeded(moment: Moment): Generator<Reference, void, void> {
  for (const kind of names)
    if (table[kind].isNeeded) for (const [digest, of] of table[kind].find(moment)) yield { digest, kind, of };
}

export function reasonText({ kind, of }: Reference): string {
  return table[kind].text(of);
}

/** Where a trial that has not ended goes on from, and what is its best so far. */
function* pointsOf(trial: Trial): Generator<Named, void, void> {
  if (trial.state !== "queued" && trial.state !== "running" && trial.state !== "paused") return;
  const from = activeAttempt(trial)?.from ?? null;
  for (const point of [trial.checkpoint, trial.best, from])
    if (point !== null && point !== undefined) yield [point.digest, trial.trial];
}

/** In sight, or removed so lately that it can be restored whole. */
function isKept({ at, retention }: Moment, { removed }: Pick<Sweep, "removed">): boolean {
  return removed === undefined || at - removed.at < retention.removedMs;
}

function trialsText(trials: readonly TrialId[], sweep: SweepId): string {
  return `${plural(trials.length, "trial")} of ${sweep}`;
}

function versionText(model: string, version: number, aliases: Readonly<Record<string, number>>): string {
  const named = Object.entries(aliases).flatMap(([alias, to]) => (to === version ? [alias] : []));
  const which = `${model}@${version}`;
  return named.length === 0
    ? which
    : `${which}, to which ${named.join(", ")} ${named.length === 1 ? "points" : "point"}`;
}
