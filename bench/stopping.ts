/**
 * `npm run bench -- stopping [--json]`: tokens and simulated time until a sweep has a model as good as the best in
 * fifty, by stopping policy, on workers whose speeds differ eightfold. Learning curves and agents are made up,
 * the coordinator's core that runs the sweep is the real one. Same seeds, same figures, on any machine.
 */
import { parseArgs } from "node:util";
import { curveFamilies, earlyRank, targetOf, type CurveFamily } from "./stopping/curve-family.ts";
import { fullEpochs, lanes, type Lane } from "./stopping/lane.ts";
import { epochSeconds, simulate, workerRates, type Run } from "./stopping/simulate.ts";
import { pairedTest } from "./search/paired-test.ts";
import { median } from "./shared/median.ts";

/** The target: the true loss that this share of random parameters reaches at all. */
const targetShare = 0.02;
/** A run is given up at the price of so many trials at full length. */
const fullTrialsMax = 100;
const tokensMax = fullTrialsMax * fullEpochs * epochSeconds;
const earlyEpochs = [1, 3, 9] as const;
/** The lane that the others are compared with, seed by seed. */
const ours = "asha";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seeds: { type: "string", default: "20" },
    /** Lanes and families to run, by name with commas between; all where left out. */
    lanes: { type: "string" },
    families: { type: "string" },
  },
});
const seeds = Number(values.seeds);
if (!Number.isInteger(seeds) || seeds < 1) {
  console.error(`--seeds takes a whole number above 0, not "${values.seeds}"`);
  process.exit(2);
}
const chosenLanes = chosen("lanes", values.lanes, lanes);
const chosenFamilies = chosen("families", values.families, curveFamilies);

interface Row {
  readonly family: string;
  readonly policy: string;
  readonly seeds: number;
  /** Share of seeds that reached the target for at most `tokensMax`. */
  readonly reached: number;
  /** Medians over all seeds; null where fewer than half reached the target. */
  readonly tokens: number | null;
  readonly seconds: number | null;
  readonly trials: number;
}

interface Comparison {
  readonly family: string;
  readonly policy: string;
  /** Seeds at which `asha` needed fewer tokens than this policy, and more. */
  readonly wins: number;
  readonly losses: number;
  readonly p: number;
}

const rows: Row[] = [];
const against: Comparison[] = [];
for (const family of chosenFamilies) {
  const target = targetOf(family, fullEpochs, targetShare);
  if (!values.json) {
    const ranks = earlyRanksOf(family).map(({ epoch, correlation }) => `${correlation} at epoch ${epoch}`);
    console.log(`${family.name}: ${family.difficulty}; rank correlation with the end ${ranks.join(", ")}`);
  }
  const tokens = new Map<string, readonly number[]>();
  for (const lane of chosenLanes) {
    const runs = Array.from({ length: seeds }, (_, index) =>
      simulate(lane, family, target, index + 1, tokensMax),
    );
    const row = rowOf(family, lane, runs);
    rows.push(row);
    tokens.set(
      lane.name,
      runs.map((run) => run.tokens ?? tokensMax),
    );
    if (!values.json) console.log(lineOf(row));
  }
  const own = tokens.get(ours);
  for (const [policy, theirs] of tokens) {
    if (own === undefined || policy === ours) continue;
    const { wins, losses, p } = pairedTest(own, theirs);
    against.push({ family: family.name, policy, wins, losses, p: Number(p.toPrecision(2)) });
  }
}
if (values.json) {
  console.log(
    JSON.stringify({
      rows,
      against,
      seeds,
      workerRates,
      fullEpochs,
      epochSeconds,
      tokensMax,
      lanes: chosenLanes.map(({ name, what }) => ({ name, what })),
      families: chosenFamilies.map((family) => ({
        name: family.name,
        difficulty: family.difficulty,
        earlyRank: earlyRanksOf(family),
      })),
    }),
  );
} else {
  for (const { family, policy, wins, losses, p } of against)
    console.log(
      `${family}: ${ours} needs fewer tokens than ${policy} at ${wins} seeds, more at ${losses} (p ${p})`,
    );
}

function earlyRanksOf(family: CurveFamily) {
  return earlyEpochs.map((epoch) => ({
    epoch,
    correlation: Number(earlyRank(family, epoch, fullEpochs).toFixed(2)),
  }));
}

function rowOf(family: CurveFamily, lane: Lane, runs: readonly Run[]): Row {
  const over = (of: (run: Run) => number | null) => {
    const value = median(runs.map((run) => of(run) ?? Infinity));
    return Number.isFinite(value) ? Math.round(value) : null;
  };
  return {
    family: family.name,
    policy: lane.name,
    seeds: runs.length,
    reached: runs.filter((run) => run.tokens !== null).length / runs.length,
    tokens: over((run) => run.tokens),
    seconds: over((run) => run.seconds),
    trials: Math.round(median(runs.map((run) => run.trials))),
  };
}

function lineOf({ family, policy, reached, tokens, seconds, trials }: Row): string {
  const cost = tokens === null ? "not reached by half" : `${tokens} tokens, ${seconds} s, ${trials} trials`;
  return `${family.padEnd(13)} ${policy.padEnd(10)} ${cost}; reached by ${Math.round(reached * 100)} %`;
}

function chosen<T extends { readonly name: string }>(
  option: string,
  text: string | undefined,
  all: readonly T[],
): readonly T[] {
  if (text === undefined) return all;
  return text.split(",").map((name) => {
    const found = all.find((each) => each.name === name);
    if (found !== undefined) return found;
    console.error(`--${option}: there is no "${name}"; there are ${all.map((each) => each.name).join(", ")}`);
    return process.exit(2);
  });
}
