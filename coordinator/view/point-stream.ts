/** Curves and logs of one trial, read back from their streams. */
import type { Bus } from "../../protocol/bus/bus.ts";
import { fromBytes } from "../../protocol/json-bytes.ts";
import { logLineSchema, metricPointSchema } from "../../protocol/report.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import type * as z from "zod";
import type { Trial } from "../state/state.ts";

type MetricPoint = z.infer<typeof metricPointSchema>;
type LogLine = z.infer<typeof logLineSchema>;

/** Messages of a stream looked through per read, and reads made at most, for one question. */
const perRead = 1_000;
const readsMax = 20;

export async function readCurve(bus: Bus, mesh: string, trial: Trial): Promise<{ points: MetricPoint[] }> {
  const subject = subjectsOf(mesh).metric(trial.sweep, trial.trial);
  const points = await readAll(bus, streamsOf(mesh).metrics, subject, metricPointSchema);
  return { points: points.toSorted((a, b) => a.resource - b.resource) };
}

export async function readLogs(
  bus: Bus,
  mesh: string,
  trial: Trial,
  limit: number,
): Promise<{ lines: LogLine[] }> {
  const subject = subjectsOf(mesh).log(trial.sweep, trial.trial);
  const lines = await readAll(bus, streamsOf(mesh).logs, subject, logLineSchema);
  return { lines: lines.slice(-limit) };
}

/** Walks the stream's last part; a subject's messages are few, and old ones may be gone. */
async function readAll<T>(bus: Bus, stream: string, subject: string, schema: z.ZodType<T>): Promise<T[]> {
  const { firstSequence, lastSequence } = await bus.streamState(stream);
  const found: T[] = [];
  let from = Math.max(firstSequence, lastSequence - perRead * readsMax + 1);
  while (from <= lastSequence) {
    const entries = await bus.readStream(stream, from, perRead);
    if (entries.length === 0) break;
    for (const entry of entries) {
      from = entry.sequence + 1;
      if (entry.subject !== subject) continue;
      const parsed = schema.safeParse(fromBytes(entry.data));
      if (parsed.success) found.push(parsed.data);
    }
  }
  return found;
}
