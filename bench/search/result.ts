/** What a race comes to: medians per sampler, and ours against the peer's at equal seeds. */
import { median } from "../shared/median.ts";
import { pairedTest } from "./paired-test.ts";
import { marks, type Regret } from "./run.ts";

export interface Lane {
  readonly function: string;
  /** The peer's samplers are called `optuna-tpe` and the like. */
  readonly sampler: string;
  readonly regrets: readonly Regret[];
}

export interface Row {
  readonly function: string;
  readonly sampler: string;
  readonly batch: number;
  readonly seeds: number;
  /** Median over the seeds. */
  readonly regret50: number;
  readonly regret100: number;
}

export interface Comparison {
  readonly function: string;
  readonly batch: number;
  readonly trials: number;
  readonly ours: string;
  readonly theirs: string;
  /** Seeds that both have. */
  readonly seeds: number;
  readonly medianOurs: number;
  readonly medianTheirs: number;
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  readonly p: number;
}

/** What is left at a larger batch of what the sampler gains over random at batch 1; 1 is all of it. */
export interface BatchKept {
  readonly function: string;
  readonly sampler: string;
  readonly batch: number;
  readonly trials: number;
  readonly kept: number;
}

const key = { 50: "regret50", 100: "regret100" } as const;

export function rowsOf(lanes: readonly Lane[], batches: readonly number[]): readonly Row[] {
  return lanes.flatMap((lane) =>
    batches.flatMap((batch) => {
      const regrets = lane.regrets.filter((regret) => regret.batch === batch);
      if (regrets.length === 0) return [];
      return [
        {
          function: lane.function,
          sampler: lane.sampler,
          batch,
          seeds: regrets.length,
          regret50: median(regrets.map((regret) => regret.regret50)),
          regret100: median(regrets.map((regret) => regret.regret100)),
        },
      ];
    }),
  );
}

/** Our `ours` against the peer's `theirs`, per function, batch and mark. */
export function compare(
  lanes: readonly Lane[],
  batches: readonly number[],
  ours: string,
  theirs: string,
): readonly Comparison[] {
  const found: Comparison[] = [];
  for (const mine of lanes.filter((lane) => lane.sampler === ours)) {
    const other = lanes.find((lane) => lane.sampler === theirs && lane.function === mine.function);
    for (const batch of batches) {
      const pairs = mine.regrets.flatMap((regret) => {
        const against = other?.regrets.find((one) => one.seed === regret.seed && one.batch === batch);
        return regret.batch === batch && against !== undefined ? [{ regret, against }] : [];
      });
      if (pairs.length === 0) continue;
      for (const trials of marks) {
        const left = pairs.map(({ regret }) => regret[key[trials]]);
        const right = pairs.map(({ against }) => against[key[trials]]);
        found.push({
          function: mine.function,
          batch,
          trials,
          ours,
          theirs,
          seeds: pairs.length,
          medianOurs: median(left),
          medianTheirs: median(right),
          ...pairedTest(left, right),
        });
      }
    }
  }
  return found;
}

export function batchKept(rows: readonly Row[], sampler: string): readonly BatchKept[] {
  const at = (name: string, of: string, batch: number) =>
    rows.find((row) => row.function === name && row.sampler === of && row.batch === batch);
  return rows.flatMap((row) => {
    if (row.sampler !== sampler || row.batch === 1) return [];
    const alone = at(row.function, sampler, 1);
    const random = at(row.function, "random", 1);
    if (alone === undefined || random === undefined) return [];
    return marks.map((trials) => ({
      function: row.function,
      sampler,
      batch: row.batch,
      trials,
      kept: (random[key[trials]] - row[key[trials]]) / (random[key[trials]] - alone[key[trials]]),
    }));
  });
}
