/**
 * All points of several trials that are archived (ARCHIVE-6) or that the stream still has, as they were said, a page at a time. Not a curve, which is merged and
 * fits one answer. Of which trial too much was said to be kept is for whoever compares it with what the trial reached.
 */
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import type { QueryBody } from "../../protocol/command.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { metricPointSchema } from "../../protocol/report.ts";
import type { Said } from "../archive/trial-archive.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import type { HistoryView } from "../../protocol/view.ts";
import { messageOf, voicesOf, type PointSource, type SpokenOf, type Voice } from "./point-stream.ts";

/** Of the messages behind one page: with what stands around each it stays below what fits one answer. */
const pageBytesMax = 480 * bytesPerKiB;
/** What an answer has for each point beside what was said. */
const aroundPointBytes = 100;
const perRead = 1_000;

type Place = NonNullable<QueryBody<"history">["after"]>;

/** `after`: where the page before ended; a place in a trial that is not asked about begins anew. Throws BusError. */
export async function readHistory(
  source: PointSource,
  trials: readonly SpokenOf[],
  after: Place | null,
): Promise<HistoryView> {
  const page = new HistoryPage(source);
  const begin = Math.max(
    0,
    trials.findIndex(({ trial }) => trial === after?.trial),
  );
  for (const trial of trials.slice(begin)) {
    const subjects = subjectsOf(source.mesh);
    const voices = voicesOf(trial, subjects.points, subjects.metric);
    const archived = await source.archives.saidOf("curves", trial.trial);
    const isAfter = after !== null && after.trial === trial.trial;
    const at = voices.findIndex(({ fence, place }) => fence === after?.fence && place === after.subject);
    for (const [index, voice] of voices.slice(isAfter ? Math.max(0, at) : 0).entries()) {
      const from = isAfter && at >= 0 && index === 0 ? after.sequence : 0;
      const next =
        page.take(trial.trial, voice, archived?.said ?? [], from) ??
        (await page.read(trial.trial, voice, Math.max(from, (archived?.to ?? 0) + 1)));
      if (next !== null)
        return {
          points: page.points,
          next: { trial: trial.trial, fence: voice.fence, subject: voice.place, sequence: next },
        };
    }
  }
  return { points: page.points, next: null };
}

class HistoryPage {
  readonly points: HistoryView["points"] = [];
  readonly #source: PointSource;
  readonly #caughtUp = new Set<string>();
  #bytes = 0;

  constructor(source: PointSource) {
    this.#source = source;
  }

  /** Of what was archived, as `read`. */
  take(trial: string, { fence, place }: Voice, said: readonly Said[], after: number): number | null {
    for (const message of said) {
      const { sequence, storedAt } = message;
      if (message.fence !== fence || message.place !== place || sequence < after) continue;
      if (this.#bytes > pageBytesMax) return sequence;
      const point = metricPointSchema.safeParse(messageOf(message));
      if (!point.success) continue;
      this.#bytes += toBytes(point.data).length + aroundPointBytes;
      this.points.push({ trial, ...point.data, at: storedAt });
    }
    return null;
  }

  /** Takes what one voice said from a sequence on; the sequence to go on from, or null where that was all. */
  async read(trial: string, { fence, subject }: Voice, after: number): Promise<number | null> {
    const { bus, mesh, points } = this.#source;
    const { metrics } = streamsOf(mesh);
    const span = await points.spanOf(metrics, subject, fence, this.#caughtUp);
    if (span === null) return null;
    for (let from = Math.max(span.first, after); from <= span.last;) {
      if (this.#bytes > pageBytesMax) return from;
      const limit = Math.min(perRead, span.last - from + 1);
      const entries = await bus.readSubject(metrics, subject, from, limit);
      if (entries.length === 0) return null;
      for (const { data, sequence, storedAt } of entries) {
        if (this.#bytes > pageBytesMax) return sequence;
        from = sequence + 1;
        if (sequence > span.last) return null;
        const said = metricPointSchema.safeParse(fromBytes(data));
        if (!said.success || said.data.fence !== fence) continue;
        this.#bytes += data.length + aroundPointBytes;
        this.points.push({ trial, ...said.data, at: storedAt });
      }
    }
    return null;
  }
}
