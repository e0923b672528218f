/**
 * What many ended trials said, read from a stream in one pass: where their messages lie between each other's, none is read twice. Not a
 * curve, which is one trial's and for people (`point-stream.ts`).
 */
import type { ArchiveKind } from "../archive/archive-shelf.ts";
import type { ArchivedTrial, Said } from "../archive/trial-archive.ts";
import { fromBytes } from "../../protocol/json-bytes.ts";
import { logLineSchema, metricPointSchema } from "../../protocol/report.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import type { TrialId } from "../../protocol/id.ts";
import type { Span } from "./point-index.ts";
import { voicesOf, type PointSource, type SpokenOf, type Voice } from "./point-stream.ts";

const perRead = 1_000;

type Source = Omit<PointSource, "archives">;

interface Heard {
  readonly trial: TrialId;
  readonly voice: Voice;
  readonly span: Span;
}

/** A trial, and where its messages lie. */
export interface Located {
  readonly trial: TrialId;
  readonly heard: readonly Heard[];
  readonly messages: number;
}

/** Where each has its messages, in the order given; `to`: the stream's last sequence before that. Throws BusError. */
export async function locate(
  { bus, mesh, points }: Source,
  kind: ArchiveKind,
  trials: readonly SpokenOf[],
): Promise<{ readonly located: readonly Located[]; readonly to: number }> {
  const subjects = subjectsOf(mesh);
  const stream = streamsOf(mesh)[streamOf[kind]];
  // Where nothing was ever stored is not asked: of agents of before there is a subject for each trial.
  const { lastSequence, subjects: stored } = await bus.census(stream, ">");
  const caughtUp = new Set<string>();
  const located: Located[] = [];
  for (const spoken of trials) {
    const voices =
      kind === "curves"
        ? voicesOf(spoken, subjects.points, subjects.metric)
        : voicesOf(spoken, subjects.lines, subjects.log);
    const heard: Heard[] = [];
    for (const voice of voices) {
      if (!stored.has(voice.subject)) continue;
      const span = await points.spanOf(stream, voice.subject, voice.fence, caughtUp);
      if (span !== null) heard.push({ trial: spoken.trial, voice, span });
    }
    const messages = heard.reduce((sum, { span }) => sum + span.count, 0);
    located.push({ trial: spoken.trial, heard, messages });
  }
  return { located, to: lastSequence };
}

/** What they said up to a sequence. Trials that said nothing are left out. Throws BusError. */
export async function readSaid(
  { bus, mesh }: Source,
  kind: ArchiveKind,
  located: readonly Located[],
  to: number,
): Promise<readonly ArchivedTrial[]> {
  const stream = streamsOf(mesh)[streamOf[kind]];
  const said = new Map<TrialId, Said[]>();
  const all = located.flatMap(({ heard }) => heard);
  for (const [subject, heard] of Map.groupBy(all, ({ voice }) => voice.subject)) {
    const byFence = new Map(heard.map((one) => [one.voice.fence, one]));
    for (const { first, last } of joined(heard.map(({ span }) => span))) {
      for (let from = first; from <= Math.min(last, to);) {
        const entries = await bus.readSubject(stream, subject, from, Math.min(perRead, last - from + 1));
        if (entries.length === 0) break;
        for (const { data, sequence, storedAt } of entries) {
          from = sequence + 1;
          if (sequence > Math.min(last, to)) break;
          const parsed = schemaOf[kind].safeParse(fromBytes(data));
          const of = parsed.success ? byFence.get(parsed.data.fence) : undefined;
          if (!parsed.success || of === undefined) continue;
          const { fence, ...body } = parsed.data;
          const into = said.get(of.trial) ?? [];
          into.push({ fence, place: of.voice.place, sequence, storedAt, body });
          said.set(of.trial, into);
        }
      }
    }
  }
  return located.flatMap(({ trial }) => {
    const found = said.get(trial);
    return found === undefined ? [] : [{ trial, said: found.toSorted((a, b) => a.sequence - b.sequence) }];
  });
}

const streamOf = { curves: "metrics", logs: "logs" } as const;
const schemaOf = { curves: metricPointSchema, logs: logLineSchema } as const;

/** Spans that lie in each other or next to each other are read as one. */
function joined(spans: readonly Span[]): readonly { first: number; last: number }[] {
  const found: { first: number; last: number }[] = [];
  for (const { first, last } of spans.toSorted((a, b) => a.first - b.first)) {
    const before = found.at(-1);
    if (before !== undefined && first <= before.last + perRead) before.last = Math.max(before.last, last);
    else found.push({ first, last });
  }
  return found;
}
