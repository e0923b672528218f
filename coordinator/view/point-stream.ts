/**
 * Curves and logs of one trial, read back from their streams and, of one that has ended, from where they were archived (ARCHIVE-6). What an agent says counts for the attempts it was given:
 * its name stands in the subject, where nobody else can put it. What others have said is not even read.
 */
import type { Bus } from "../../protocol/bus/bus.ts";
import type { Archived, ArchiveShelf } from "../archive/archive-shelf.ts";
import type { Said as ArchivedMessage } from "../archive/trial-archive.ts";
import { fromBytes } from "../../protocol/json-bytes.ts";
import { logLineSchema, metricPointSchema } from "../../protocol/report.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import type * as z from "zod";
import type { Attempt, Trial } from "../state/state.ts";
import type { PointIndex } from "./point-index.ts";

/** A trial, as far as it matters who may speak of it. */
export type SpokenOf = Pick<Trial, "sweep" | "trial"> & {
  readonly attempts: readonly Pick<Attempt, "agent" | "fence">[];
};
type MetricPoint = z.infer<typeof metricPointSchema>;
type LogLine = z.infer<typeof logLineSchema>;

/** Messages of one subject asked for at once. */
const perRead = 1_000;

/** Where points and lines are read, and what is known of where they lie. */
export interface PointSource {
  readonly bus: Bus;
  readonly mesh: string;
  readonly points: PointIndex;
  readonly archives: Pick<ArchiveShelf, "isGone" | "saidOf">;
}

export async function readCurve(source: PointSource, trial: SpokenOf): Promise<{ points: MetricPoint[] }> {
  const { metrics } = streamsOf(source.mesh);
  const subjects = subjectsOf(source.mesh);
  const voices = voicesOf(trial, subjects.points, subjects.metric);
  const archived = await source.archives.saidOf("curves", trial.trial);
  const found = await readAll({ source, stream: metrics, voices, archived }, metricPointSchema, 1);
  // A point with many metrics comes in parts.
  const points = new Map<string, MetricPoint>();
  for (const { said: point } of found) {
    const key = `${point.fence}.${point.resource}`;
    const before = points.get(key);
    points.set(
      key,
      before === undefined ? point : { ...point, metrics: { ...before.metrics, ...point.metrics } },
    );
  }
  return { points: [...points.values()].toSorted((a, b) => a.resource - b.resource) };
}

export interface LogsAsked {
  readonly limit: number;
  /** Where an earlier answer ended; null: the newest lines. */
  readonly after: number | null;
}

/**
 * A line's time is when its stream took it, by the server's clock: one clock for all machines, nothing more to store, and lines of
 * before have it too. That is a moment after it was written, but for lines held back because there were too many.
 */
export async function readLogs(
  source: PointSource,
  trial: SpokenOf,
  { after, limit }: LogsAsked,
): Promise<{ lines: (LogLine & { at: number })[]; position: number; gone?: true }> {
  const { logs } = streamsOf(source.mesh);
  const { lastSequence } = await source.bus.streamState(logs);
  const archived = await source.archives.saidOf("logs", trial.trial);
  // A server that has lost its end counts on from there.
  const before = Math.min(after ?? 0, Math.max(lastSequence, archived?.to ?? 0));
  const subjects = subjectsOf(source.mesh);
  const voices = voicesOf(trial, subjects.lines, subjects.log);
  const found = await readAll({ source, stream: logs, voices, archived }, logLineSchema, before + 1);
  const shown = after === null ? found.slice(-limit) : found.slice(0, limit);
  const lines = shown.map(({ said, storedAt }) => ({ ...said, at: storedAt }));
  const position = shown.at(-1)?.sequence ?? before;
  const isGone = found.length === 0 && source.archives.isGone("logs", trial.trial);
  return { lines, position, ...(isGone ? { gone: true } : null) };
}

/** A subject on which an attempt is spoken of. */
export interface Voice {
  readonly subject: string;
  readonly fence: number;
  /** Which of its attempt's subjects. */
  readonly place: number;
}

/** `before`: where it was stored by trial, and at first without the agent's name. As many for each attempt, in this order. */
export function voicesOf(
  { attempts, sweep, trial }: SpokenOf,
  subjectOf: (agent: string) => string,
  before: (agent: string, sweep: string, trial: string) => string,
): readonly Voice[] {
  const unnamed = before("", sweep, trial).replace("..", ".");
  return attempts.flatMap(({ agent, fence }) =>
    [subjectOf(agent), before(agent, sweep, trial), unnamed].map((subject, place) => ({
      subject,
      fence,
      place,
    })),
  );
}

interface Said<T> {
  readonly sequence: number;
  readonly storedAt: number;
  readonly said: T;
}

interface Told {
  readonly source: PointSource;
  readonly stream: string;
  readonly voices: readonly Voice[];
  readonly archived: Archived | null;
}

/** In the order in which the stream had them, from this sequence on. */
async function readAll<T extends { readonly fence: number }>(
  { archived, source, stream, voices }: Told,
  schema: z.ZodType<T>,
  first: number,
): Promise<Said<T>[]> {
  const found: Said<T>[] = [];
  const { bus, points } = source;
  for (const message of archived?.said ?? []) {
    const { sequence, storedAt } = message;
    const parsed = schema.safeParse(messageOf(message));
    if (sequence >= first && parsed.success) found.push({ sequence, storedAt, said: parsed.data });
  }
  // What was archived may still lie there too.
  const fromStream = Math.max(first, (archived?.to ?? 0) + 1);
  for (const { fence, subject } of voices) {
    const span = await points.spanOf(stream, subject, fence);
    for (let from = Math.max(fromStream, span?.first ?? 0); span !== null && from <= span.last;) {
      const entries = await bus.readSubject(stream, subject, from, Math.min(perRead, span.last - from + 1));
      for (const { data, sequence, storedAt } of entries) {
        from = sequence + 1;
        const parsed = schema.safeParse(fromBytes(data));
        if (sequence <= span.last && parsed.success && parsed.data.fence === fence)
          found.push({ sequence, storedAt, said: parsed.data });
      }
      if (entries.length === 0) break;
    }
  }
  return found.toSorted((a, b) => a.sequence - b.sequence);
}

/** As its agent said it. */
export function messageOf({ body, fence }: ArchivedMessage): unknown {
  return typeof body === "object" ? { fence, ...body } : body;
}
