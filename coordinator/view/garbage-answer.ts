/** What could go from the mesh's store and why, or what keeps one artifact there: read from the store and the state, changing neither. */
import { placeOf } from "../../artifact/mesh-blob.ts";
import type { QueryBody } from "../../protocol/command.ts";
import type { GarbageView } from "../../protocol/garbage-view.ts";
import type { Digest } from "../../protocol/id.ts";
import { plural } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { eachReference, reasonText, referredTo } from "../collect/reference.ts";
import { logsMsOf, retentionFor, retentionOf } from "../collect/default-retention.ts";
import { surveyStore, type Survey, type Unreferred } from "../collect/survey.ts";
import { youngMsFor } from "../collect/young.ts";
import { digestsOf, packOfId } from "../state/pack-id.ts";
import { mustGet, type State, type Trial } from "../state/state.ts";
import type { QuerySource } from "./query-source.ts";

/** Reasons of one artifact that are told. */
const reasonsMax = 50;

export async function garbageViewOf(
  source: QuerySource,
  { digest: asked, limit }: QueryBody<"garbage">,
): Promise<Outcome<GarbageView>> {
  const { bus, mesh, state } = source;
  const retention = retentionOf(state);
  const referred = referredTo({ state, at: state.meta.at, retention });
  const owners = ownersIn(state);
  const survey = await soon(
    source.clock,
    surveyStore({
      ...{ bus, referred, place: placeOf(mesh), packs: state.packs, goesOn: () => true },
      memory: source.surveyMemory,
    }),
  );
  if (survey === null)
    return refuse("unavailable", "the mesh's store is still being looked through; ask again in a moment");
  const { inventory, unreferred } = survey;
  const youngMs = youngMsFor({ state, left: owners, restMs: source.settings.collectRestMs });
  const isYoung = ({ ageMs, digest }: Unreferred) =>
    ageMs < youngMs(digest) || source.wasTold(digest, youngMs(digest));
  const isLeaving = (digest: Digest) => state.openMarks.has(state.gone.get(digest) ?? 0);
  const leaving = unreferred.filter(({ digest }) => isLeaving(digest));
  const others = unreferred.filter(({ digest }) => !isLeaving(digest));
  const young = others.filter((one) => isYoung(one) && !state.marked.has(one.digest));
  const garbage = others
    .filter((one) => !young.includes(one))
    .toSorted((a, b) => b.bytes - a.bytes || (a.digest < b.digest ? -1 : 1));
  const subject = asked === null ? accept(null) : subjectOf(state, survey, owners, asked);
  if (!subject.ok) return subject;
  return accept({
    storedBytes: inventory.bytes,
    stored: inventory.stored.size + inventory.packs.size,
    retention: { ...retention, logsMs: logsMsOf(retention) },
    artifacts: garbage.slice(0, limit).map(({ bytes, digest }) => {
      const mark = state.marks.get(state.marked.get(digest) ?? 0);
      return { digest, bytes, why: unreferredText(state, owners, digest), until: mark?.until ?? null };
    }),
    garbage: sumOf(garbage),
    young: sumOf(young),
    leaving: sumOf(leaving),
    looked: state.meta.looked ?? null,
    isAsked: state.meta.collection !== undefined,
    restMs: source.restMs(),
    subject: subject.value,
  });
}

/** Whoever asks waits no longer for an answer than this, ms; what was read by then is known the next time. */
const answerMs = 2_000;

/** Null where it takes longer; it goes on then. */
function soon<T>(clock: Clock, work: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(answerMs, () => resolve(null));
    work.then(resolve, reject).finally(cancel);
  });
}

function subjectOf(
  state: State,
  { inventory, parts }: Survey,
  owners: ReadonlyMap<Digest, Trial>,
  asked: string,
): Outcome<GarbageView["subject"]> {
  const moment = { state, at: state.meta.at, retention: retentionOf(state) };
  const references = [...eachReference(moment)].filter(({ digest }) => digest.startsWith(asked));
  const known = new Set([
    ...references.map(({ digest }) => digest),
    ...[...inventory.stored.keys(), ...owners.keys(), ...state.gone.keys()].filter((digest) =>
      digest.startsWith(asked),
    ),
  ]);
  const [digest, ...more] = known;
  if (digest === undefined)
    return refuse("unknown", `nothing that is stored or referred to has a digest that begins with ${asked}`, [
      "digest",
    ]);
  if (more.length > 0) {
    const message = `${known.size} artifacts have a digest that begins with ${asked}; give more of its digits`;
    return refuse("invalid", message, ["digest"]);
  }
  const reasons = [...new Set(references.map(reasonText))];
  if (parts.has(digest)) reasons.push("a part of an artifact that is referred to");
  if (reasons.length > 0) {
    const shown = reasons.slice(0, reasonsMax);
    if (reasons.length > shown.length) shown.push(`and ${reasons.length - shown.length} more`);
    return accept({ digest, state: "kept", reasons: shown });
  }
  const why = [unreferredText(state, owners, digest)];
  const isStored = inventory.stored.has(digest) || state.packed.has(digest);
  if (state.gone.has(digest)) return accept({ digest, state: "collected", reasons: why });
  if (state.marked.has(digest)) return accept({ digest, state: "marked", reasons: why });
  return accept({ digest, state: isStored ? "stored" : "not stored", reasons: why });
}

/** Whose each checkpoint was: of equal ones the trial that did the work. */
function ownersIn(state: State): Map<Digest, Trial> {
  const owners = new Map<Digest, Trial>();
  for (const trial of state.trials.values())
    for (const point of [trial.checkpoint, trial.best])
      if (point !== null && point !== undefined && !owners.has(point.digest)) owners.set(point.digest, trial);
  return owners;
}

/** Why nothing refers to it, as a sentence's end. */
function unreferredText(state: State, owners: ReadonlyMap<Digest, Trial>, digest: Digest): string {
  const packed = packOfId(digest) === null ? [] : digestsOf(state, digest);
  const trial = owners.get(packed[0] ?? digest);
  const archive = [...state.archives.values()].find((one) => one.curves === digest || one.logs === digest);
  if (archive !== undefined) {
    const whose = `${plural(archive.trials.length, "trial")} of ${archive.sweep}`;
    const { removed } = mustGet(state.sweeps, archive.sweep, "sweep");
    if (removed !== undefined) return `curves or logs of ${whose}, which ${removed.by} removed`;
    return `what ${whose} wrote, for longer than logs are kept`;
  }
  if (trial === undefined)
    return "nothing on record names it: an earlier checkpoint, or of no use to anybody";
  const { removed, sweep } = mustGet(state.sweeps, trial.sweep, "sweep");
  if (packed.length > 0)
    return `a pack of ${plural(packed.length, "checkpoint")}, of ${trial.trial} and others, none of which is referred to`;
  if (removed !== undefined) return `${trial.trial}'s checkpoint, whose sweep ${removed.by} removed`;
  const { checkpoints } = retentionFor(retentionOf(state), mustGet(state.sweeps, trial.sweep, "sweep"));
  return `${trial.trial}'s checkpoint: it has ended (${trial.state}) and is not among the best ${checkpoints} of ${sweep}`;
}

function sumOf(all: readonly { readonly bytes: number }[]): { artifacts: number; bytes: number } {
  return { artifacts: all.length, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) };
}
