/**
 * Curves and logs of one trial, read back from their streams. What an agent says counts for the attempts it was given:
 * its name stands in the subject, where nobody else can put it. What others have said is not even read.
 */
import type { Bus } from "../../protocol/bus/bus.ts";
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
}

export async function readCurve(source: PointSource, trial: SpokenOf): Promise<{ points: MetricPoint[] }> {
  const { metrics } = streamsOf(source.mesh);
  const subjects = subjectsOf(source.mesh);
  const voices = voicesOf(trial, subjects.points, subjects.metric);
  const said = await readAll(source, metrics, voices, metricPointSchema);
  // A point with many metrics comes in parts.
  const points = new Map<string, MetricPoint>();
  for (const point of said) {
    const key = `${point.fence}.${point.resource}`;
    const before = points.get(key);
    points.set(
      key,
      before === undefined ? point : { ...point, metrics: { ...before.metrics, ...point.metrics } },
    );
  }
  return { points: [...points.values()].toSorted((a, b) => a.resource - b.resource) };
}

export async function readLogs(
  source: PointSource,
  trial: SpokenOf,
  limit: number,
): Promise<{ lines: LogLine[] }> {
  const { logs } = streamsOf(source.mesh);
  const subjects = subjectsOf(source.mesh);
  const voices = voicesOf(trial, subjects.lines, subjects.log);
  const lines = await readAll(source, logs, voices, logLineSchema);
  return { lines: lines.slice(-limit) };
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

/** In the order in which the stream has them. */
async function readAll<T extends { readonly fence: number }>(
  { bus, points }: PointSource,
  stream: string,
  voices: readonly Voice[],
  schema: z.ZodType<T>,
): Promise<T[]> {
  const found: { readonly sequence: number; readonly said: T }[] = [];
  for (const { fence, subject } of voices) {
    const span = await points.spanOf(stream, subject, fence);
    for (let from = span?.first ?? 0; span !== null && from <= span.last;) {
      const entries = await bus.readSubject(stream, subject, from, Math.min(perRead, span.last - from + 1));
      for (const { data, sequence } of entries) {
        from = sequence + 1;
        const parsed = schema.safeParse(fromBytes(data));
        if (sequence <= span.last && parsed.success && parsed.data.fence === fence)
          found.push({ sequence, said: parsed.data });
      }
      if (entries.length === 0) break;
    }
  }
  return found.toSorted((a, b) => a.sequence - b.sequence).map(({ said }) => said);
}
