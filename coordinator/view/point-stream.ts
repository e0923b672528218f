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

/** A trial, as far as it matters who may speak of it. */
type SpokenOf = Pick<Trial, "sweep" | "trial"> & {
  readonly attempts: readonly Pick<Attempt, "agent" | "fence">[];
};
type MetricPoint = z.infer<typeof metricPointSchema>;
type LogLine = z.infer<typeof logLineSchema>;

/** Messages of one subject asked for at once. */
const perRead = 1_000;

export async function readCurve(bus: Bus, mesh: string, trial: SpokenOf): Promise<{ points: MetricPoint[] }> {
  const subjects = subjectsOf(mesh);
  const voices = voicesOf(trial, subjects.points, subjects.metric);
  const said = await readAll(bus, streamsOf(mesh).metrics, voices, metricPointSchema);
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
  bus: Bus,
  mesh: string,
  trial: SpokenOf,
  limit: number,
): Promise<{ lines: LogLine[] }> {
  const subjects = subjectsOf(mesh);
  const voices = voicesOf(trial, subjects.lines, subjects.log);
  const lines = await readAll(bus, streamsOf(mesh).logs, voices, logLineSchema);
  return { lines: lines.slice(-limit) };
}

interface Voices {
  /** Subjects on which this trial is spoken of, and by which agent; null of before its name stood there. */
  readonly agentOf: ReadonlyMap<string, string | null>;
  /** Which agent was given the attempt with this fence. */
  readonly given: ReadonlyMap<number, string>;
}

/** `before`: where it was stored by trial, and at first without the agent's name. */
function voicesOf(
  { attempts, sweep, trial }: SpokenOf,
  subjectOf: (agent: string) => string,
  before: (agent: string, sweep: string, trial: string) => string,
): Voices {
  const unnamed = before("", sweep, trial).replace("..", ".");
  const named = attempts.flatMap(({ agent }) => [
    [before(agent, sweep, trial), agent] as const,
    [subjectOf(agent), agent] as const,
  ]);
  return {
    agentOf: new Map<string, string | null>([[unnamed, null], ...named]),
    given: new Map(attempts.map(({ agent, fence }) => [fence, agent])),
  };
}

/** In the order in which the stream has them. */
async function readAll<T extends { readonly fence: number }>(
  bus: Bus,
  stream: string,
  { agentOf, given }: Voices,
  schema: z.ZodType<T>,
): Promise<T[]> {
  const found: { readonly sequence: number; readonly said: T }[] = [];
  for (const [subject, agent] of agentOf) {
    for (let from = 1; ;) {
      const entries = await bus.readSubject(stream, subject, from, perRead);
      for (const { data, sequence } of entries) {
        // Most of what an agent has said is of other trials; looking for the fence alone is a tenth of the work of parsing.
        if (!speaksOf(data, given)) continue;
        const parsed = schema.safeParse(fromBytes(data));
        if (!parsed.success) continue;
        const giver = given.get(parsed.data.fence);
        if (giver !== undefined && (agent === null || giver === agent))
          found.push({ sequence, said: parsed.data });
      }
      const last = entries.at(-1);
      if (last === undefined || entries.length < perRead) break;
      from = last.sequence + 1;
    }
  }
  return found.toSorted((a, b) => a.sequence - b.sequence).map(({ said }) => said);
}

/** May take what is said in a nested place for it; the parsed fence decides. */
function speaksOf(data: Uint8Array, given: ReadonlyMap<number, string>): boolean {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("latin1");
  for (const [, fence] of text.matchAll(/"fence"\s*:\s*(\d+)/g)) if (given.has(Number(fence))) return true;
  return false;
}
