/**
 * What many ended trials said, read from a stream in one pass: where their messages lie between each other's, none is read twice. Not a
 * curve, which is one trial's and for people (`point-stream.ts`).
 */
import type { ArchiveKind } from "../archive/archive-shelf.ts";
import type { ArchivedTrial, Said } from "../archive/trial-archive.ts";
import { fromBytes } from "../../protocol/json-bytes.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import type { TrialId } from "../../protocol/id.ts";
import type { Bytes, DatedEntry } from "../../protocol/bus/bus.ts";
import { fenceOf } from "./point-index.ts";
import type { Span } from "./span-memory.ts";
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
  { bus, mesh, points }: Source,
  kind: ArchiveKind,
  located: readonly Located[],
  to: number,
): Promise<readonly ArchivedTrial[]> {
  const stream = streamsOf(mesh)[streamOf[kind]];
  const said = new Map<TrialId, Said[]>();
  const all = located.flatMap(({ heard }) => heard);
  for (const [subject, heard] of Map.groupBy(all, ({ voice }) => voice.subject)) {
    const byFence = new Map(heard.map((one) => [one.voice.fence, one]));
    for (const span of joined(heard.map(({ span: of }) => of))) {
      const [first, last] = [span.first, Math.min(span.last, to)];
      for await (const page of pagesOf({ bus, points, stream, subject, first, last })) {
        for (const { data, sequence, storedAt } of page) {
          const of = byFence.get(fenceOf(data) ?? 0);
          const body = of === undefined ? null : bodyOf(data);
          if (of === undefined || body === null) continue;
          const { fence, place } = of.voice;
          const into = said.get(of.trial) ?? [];
          into.push({ fence, place, sequence, storedAt, body });
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

interface Range extends Pick<Source, "bus" | "points"> {
  readonly stream: string;
  readonly subject: string;
  readonly first: number;
  readonly last: number;
}

/** All messages of the range, some at a time; as a rule `locate` has just read them. */
async function* pagesOf({
  bus,
  first,
  last,
  points,
  stream,
  subject,
}: Range): AsyncGenerator<readonly DatedEntry[]> {
  const recent = points.recent(subject, first, last);
  if (recent !== null) {
    yield recent;
    return;
  }
  for (let from = first; from <= last;) {
    const entries = await bus.readSubject(stream, subject, from, Math.min(perRead, last - from + 1));
    yield entries.filter(({ sequence }) => sequence <= last);
    from = (entries.at(-1)?.sequence ?? last) + 1;
  }
}

/** What it says beside its fence, as it was said: whoever reads an archive holds it to a schema. */
function bodyOf(data: Bytes): object | null {
  const value = fromBytes(data);
  if (typeof value !== "object" || value === null || !("fence" in value)) return null;
  const { fence: _, ...body } = value;
  return body;
}

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
