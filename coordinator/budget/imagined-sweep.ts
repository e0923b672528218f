/**
 * How far the trials of a sweep will train: its stopping policy is asked about made-up curves, as often as it takes to see how its
 * verdicts vary. Everything follows from the sweep; the curves are like nobody's in particular.
 */
import { nextRung, type Scores, type StoppingPolicy } from "../../search/stopping/stopping-policy.ts";
import { RungOrder, type Ranked } from "../../search/stopping/rung-order.ts";
import { randomStream, type RandomStream } from "../../search/space/random-stream.ts";

/** What all its trials together make. */
export interface Effort {
  readonly epochs: number;
  /** Leases, each with a start: one up to every rung. */
  readonly segments: number;
}

export interface EffortRange {
  readonly low: Effort;
  readonly expected: Effort;
  readonly high: Effort;
}

const runs = 24;
/** More trials are imagined as a multiple of so many. */
const trialsMax = 48;
/** With more rungs it would take longer than anybody waits. */
const rungsMax = 256;

/** `hasTarget`: it may end with the first trial. */
export function imagineSweep(policy: StoppingPolicy, trials: number, hasTarget: boolean): EffortRange {
  const all = sumOf(policy, trials, (rungs) => rungs.length);
  const one = sumOf(policy, trials, () => 1);
  const floor = hasTarget ? { epochs: one.epochs / trials, segments: 1 } : one;
  if (policy.rungs.length > rungsMax) return { low: floor, expected: middle(one, all), high: all };
  const few = Math.min(trials, trialsMax);
  const made = Array.from({ length: runs }, (_, run) => {
    const random = randomStream(run, "imagined-sweep", few);
    return new ImaginedSweep(policy, few, random).run();
  });
  const scaled = (of: Effort): Effort => ({
    epochs: (of.epochs * trials) / few,
    segments: (of.segments * trials) / few,
  });
  const pick = (choose: (values: readonly number[]) => number): Effort =>
    scaled({
      epochs: choose(made.map(({ epochs }) => epochs)),
      segments: choose(made.map(({ segments }) => segments)),
    });
  const expected = pick((values) => values.reduce((sum, value) => sum + value, 0) / runs);
  const low = hasTarget ? floor : pick((values) => Math.min(...values));
  return { low, expected, high: pick((values) => Math.max(...values)) };
}

function sumOf(
  policy: StoppingPolicy,
  trials: number,
  rungsOf: (rungs: readonly number[]) => number,
): Effort {
  let epochs = 0;
  let segments = 0;
  const looked = Math.min(trials, trialsMax);
  for (let number = 1; number <= looked; number++) {
    const rungs = policy.rungsOf(number);
    const count = rungsOf(rungs);
    epochs += rungs[count - 1] ?? 1;
    segments += count;
  }
  return { epochs: (epochs * trials) / looked, segments: (segments * trials) / looked };
}

function middle(low: Effort, high: Effort): Effort {
  return {
    epochs: Math.sqrt(low.epochs * high.epochs),
    segments: Math.sqrt(low.segments * high.segments),
  };
}

interface ImaginedTrial extends Ranked {
  readonly curve: Scores[];
  rung: number;
  waits: boolean;
}

class ImaginedSweep {
  readonly #policy: StoppingPolicy;
  readonly #random: RandomStream;
  readonly #orders = new Map<number, RungOrder[]>();
  readonly #all: ImaginedTrial[] = [];
  readonly #going: ImaginedTrial[] = [];
  readonly #trials: number;
  /** How much better later trials are: a search finds its way, or a grid is sorted, either way. */
  readonly #trend: number;
  readonly #pace: number;
  #epochs = 0;
  #segments = 0;
  #completed = 0;

  constructor(policy: StoppingPolicy, trials: number, random: RandomStream) {
    this.#policy = policy;
    this.#trials = trials;
    this.#random = random;
    this.#trend = random.next() - 0.3;
    this.#pace = 0.05 + 0.5 * random.next();
  }

  run(): Effort {
    for (;;) {
      const next = this.#going.shift() ?? this.#propose() ?? this.#last();
      if (next === null) return { epochs: this.#epochs, segments: this.#segments };
      this.#train(next);
    }
  }

  #propose(): ImaginedTrial | null {
    const number = this.#all.length + 1;
    if (number > this.#trials) return null;
    const trial = { trial: String(number), number, score: 0, curve: [], rung: 0, waits: false };
    this.#all.push(trial);
    this.#quality.push(0.5 * this.#random.next() + (0.5 * this.#trend * number) / this.#trials);
    return trial;
  }

  readonly #quality: number[] = [];

  #train(trial: ImaginedTrial): void {
    const rungs = this.#policy.rungsOf(trial.number);
    const full = rungs.at(-1) ?? 1;
    const target = nextRung(rungs, trial.rung) ?? full;
    this.#epochs += target - trial.rung;
    this.#segments++;
    trial.rung = target;
    trial.waits = false;
    if (target >= full) {
      this.#completed++;
      return;
    }
    const noise = 0.02 * (this.#random.next() - 0.5);
    const quality = this.#quality[trial.number - 1] ?? 0;
    const score = (0.3 + quality) * (1 - Math.exp(-target / (full * this.#pace))) + noise;
    trial.curve.push([score]);
    this.#judge({ ...trial, score }, trial, target);
  }

  #judge(ranked: Ranked, trial: ImaginedTrial, rung: number): void {
    const { ordered } = this.#policy;
    const orders = this.#orders.get(rung) ?? Array.from({ length: ordered.groups }, () => new RungOrder());
    this.#orders.set(rung, orders);
    const order = orders[ordered.groupOf(trial.number)];
    if (order === undefined) return;
    order.add(ranked, ordered.comparedOf(trial.curve));
    const verdict = ordered.verdict({ order, trial: ranked, curve: trial.curve });
    if (verdict.kind === "continue") this.#going.push(trial);
    trial.waits = verdict.kind === "pause";
    const waits = ({ number }: Ranked) => {
      const one = this.#all[number - 1];
      return one !== undefined && one.waits && one.rung === rung;
    };
    for (const { number } of order.waitingAmong(ordered.placesOf(order.size), waits)) {
      const one = this.#all[number - 1];
      if (one !== undefined) this.#goOn(one);
    }
  }

  #goOn(trial: ImaginedTrial): void {
    trial.waits = false;
    this.#going.push(trial);
  }

  /** RUNG-3: one goes to the end. */
  #last(): ImaginedTrial | null {
    if (this.#completed > 0) return null;
    const waiting = this.#all.filter(({ waits }) => waits);
    return (
      waiting.toSorted(
        (a, b) => b.rung - a.rung || (b.curve.at(-1)?.[0] ?? 0) - (a.curve.at(-1)?.[0] ?? 0),
      )[0] ?? null
    );
  }
}
