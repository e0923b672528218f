/**
 * What answering takes a loaded version on this machine: a row alone, and each of a batch. A median of runs after it has warmed up, in short
 * stretches, so that a server goes on answering between them. What came while it was measured is in the figures.
 */
import type { RecordedExample } from "../../protocol/version-fact.ts";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ServedModel } from "./served-model.ts";

export const batchRows = 32;
/** Of all runs of one size together, and of those that nobody is heard between. */
const spentMs = 60;
const stretchMs = 4;
const runsMin = 3;
const usPerMs = 1_000;

export interface AnswerTimes {
  /** Microseconds. */
  readonly rowUs: number;
  readonly batchRowUs: number;
}

export async function timeAnswers(
  model: ServedModel,
  row: RecordedExample["row"],
  now: () => number,
): Promise<AnswerTimes> {
  const one = await medianMs(asking(model, row, 1), now);
  const many = await medianMs(asking(model, row, batchRows), now);
  return { rowUs: one * usPerMs, batchRowUs: (many * usPerMs) / batchRows };
}

type Ask = () => unknown;

function asking(model: ServedModel, row: RecordedExample["row"], count: number): Ask {
  const columns = new Map(
    model.signature.inputs.map(({ name }) => [name, Array.from({ length: count }, () => row[name] ?? null)]),
  );
  const [texts = []] = columns.values();
  const { answerTexts } = model;
  if (answerTexts !== null) {
    const plain = texts.map(String);
    return () => answerTexts(plain);
  }
  return () => model.answer({ count, columns });
}

async function medianMs(ask: Ask, now: () => number): Promise<number> {
  const took: number[] = [];
  const started = now();
  let stretch = started;
  for (let run = 0; run < runsMin || now() - started < spentMs; run++) {
    const from = now();
    const answered = ask();
    if (answered instanceof Promise) await answered;
    const until = now();
    took.push(until - from);
    if (until - stretch < stretchMs) continue;
    await nextTurn();
    stretch = now();
  }
  // The first half warms up what is compiled while it runs.
  const warm = took.slice(Math.floor(took.length / 2)).sort((a, b) => a - b);
  return warm[Math.floor(warm.length / 2)] ?? 0;
}
