/**
 * Curves and logs of one trial, read back from their streams. What an agent says counts for the attempts it was given:
 * its name stands in the subject, where nobody else can put it.
 */
import type { Bus } from "../../protocol/bus/bus.ts";
import { fromBytes } from "../../protocol/json-bytes.ts";
import { logLineSchema, metricPointSchema } from "../../protocol/report.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import type * as z from "zod";
import type { Attempt, Trial } from "../state/state.ts";

/** A trial, as far as it matters who may speak of it. */
type SpokenOf = Pick<Trial, "sweep" | "trial"> & {
  readonly attempts: readonly Pick<Attempt, "agent" | "fence">[];
};
type MetricPoint = z.infer<typeof metricPointSchema>;
type LogLine = z.infer<typeof logLineSchema>;

/** Messages of a stream looked through per read, and reads made at most, for one question. */
const perRead = 1_000;
const readsMax = 20;

export async function readCurve(bus: Bus, mesh: string, trial: SpokenOf): Promise<{ points: MetricPoint[] }> {
  const voices = voicesOf(trial, subjectsOf(mesh).metric);
  const points = await readAll(bus, streamsOf(mesh).metrics, voices, metricPointSchema);
  return { points: points.toSorted((a, b) => a.resource - b.resource) };
}

export async function readLogs(
  bus: Bus,
  mesh: string,
  trial: SpokenOf,
  limit: number,
): Promise<{ lines: LogLine[] }> {
  const voices = voicesOf(trial, subjectsOf(mesh).log);
  const lines = await readAll(bus, streamsOf(mesh).logs, voices, logLineSchema);
  return { lines: lines.slice(-limit) };
}

interface Voices {
  /** Subjects on which this trial is spoken of, and by which agent; null of before its name stood there. */
  readonly agentOf: ReadonlyMap<string, string | null>;
  /** Which agent was given the attempt with this fence. */
  readonly given: ReadonlyMap<number, string>;
}

function voicesOf(
  { attempts, sweep, trial }: SpokenOf,
  subjectOf: (agent: string, sweep: string, trial: string) => string,
): Voices {
  const unnamed = subjectOf("", sweep, trial).replace("..", ".");
  const named = attempts.map(({ agent }) => [subjectOf(agent, sweep, trial), agent] as const);
  return {
    agentOf: new Map<string, string | null>([[unnamed, null], ...named]),
    given: new Map(attempts.map(({ agent, fence }) => [fence, agent])),
  };
}

/** Walks the stream's last part; a trial's messages are few, and old ones may be gone. */
async function readAll<T extends { readonly fence: number }>(
  bus: Bus,
  stream: string,
  { agentOf, given }: Voices,
  schema: z.ZodType<T>,
): Promise<T[]> {
  const { firstSequence, lastSequence } = await bus.streamState(stream);
  const found: T[] = [];
  let from = Math.max(firstSequence, lastSequence - perRead * readsMax + 1);
  while (from <= lastSequence) {
    const entries = await bus.readStream(stream, from, perRead);
    if (entries.length === 0) break;
    for (const entry of entries) {
      from = entry.sequence + 1;
      const agent = agentOf.get(entry.subject);
      if (agent === undefined) continue;
      const parsed = schema.safeParse(fromBytes(entry.data));
      if (!parsed.success) continue;
      if (agent === null || given.get(parsed.data.fence) === agent) found.push(parsed.data);
    }
  }
  return found;
}
