/**
 * The thread in which a requester's own patterns run over what a program prints: such a pattern may take for ever, and a
 * thread can be ended. The other side is `metric-reader.ts`.
 */
import { parentPort, workerData } from "node:worker_threads";
import * as z from "zod";
import { longText, listOf, shortText } from "../../protocol/bound.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { metricReader } from "./read-metrics.ts";
import type { Report, Unread } from "./metric-report.ts";

/** `progress`: two 32-bit integers, how many lines it has read in all and the pattern it is trying. */
const workerDataSchema = z.object({
  patterns: listOf(longText),
  names: listOf(shortText),
  progress: z.instanceof(SharedArrayBuffer),
});
export type PatternWorkerData = z.infer<typeof workerDataSchema>;

export type FromPatternWorker =
  | { readonly kind: "ready" }
  /** For each line of a batch what it reports, and what of all of them could not be taken. */
  | {
      readonly kind: "read";
      readonly reports: readonly (readonly Report[])[];
      readonly unread: readonly Unread[];
    }
  | { readonly kind: "unusable"; readonly why: string };

const linesAt = 0;
const patternAt = 1;

const say = (message: FromPatternWorker): void => parentPort?.postMessage(message);
const given = workerDataSchema.parse(workerData);
const progress = new Int32Array(given.progress);
try {
  let unread: Unread[] = [];
  const read = metricReader(given.patterns, {
    names: given.names,
    onPattern: (index) => Atomics.store(progress, patternAt, index),
    onUnread: (found) => void unread.push(found),
  });
  parentPort?.on("message", (lines: readonly string[]) => {
    unread = [];
    const reports = lines.map((line) => {
      const found = read(line);
      Atomics.add(progress, linesAt, 1);
      return found;
    });
    say({ kind: "read", reports, unread });
  });
  say({ kind: "ready" });
} catch (error) {
  say({ kind: "unusable", why: errorSentence(error) });
}
