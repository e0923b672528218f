/** At which resources format 1 judged a trial. Frozen with that format: the policies of today are in `search/stopping`. */
import type { StoredSweepSpec } from "../../format/stored-sweep.ts";

export function rungsOf1(stopping: StoredSweepSpec["stopping"], number: number): readonly number[] {
  switch (stopping.policy) {
    case "none":
      return [stopping.max];
    case "asha":
      return halvingRungs(stopping.min, stopping.max, stopping.eta);
    case "hyperband":
    case "bohb":
      return bracketOf(stopping.min, stopping.max, stopping.eta, number);
    case "median":
    case "percentile":
    case "patience": {
      const interval = stopping.interval ?? Math.ceil(stopping.max / 10);
      return intervalRungs(interval, stopping.grace ?? interval, stopping.max);
    }
  }
}

function halvingRungs(min: number, max: number, eta: number): number[] {
  const rungs = min < max ? [min] : [];
  for (let resource = min * eta; resource * Math.sqrt(eta) < max; resource *= eta) rungs.push(resource);
  rungs.push(max);
  return rungs;
}

function intervalRungs(interval: number, grace: number, max: number): number[] {
  const rungs: number[] = [];
  for (let resource = grace; resource < max; resource += interval) rungs.push(resource);
  rungs.push(max);
  return rungs;
}

/** The rungs of the bracket that a trial of this number belonged to, by smooth weighted round robin. */
function bracketOf(min: number, max: number, eta: number, number: number): readonly number[] {
  let most = 0;
  while (min * eta ** (most + 1) <= max) most++;
  const brackets = Array.from({ length: most + 1 }, (_, index) => {
    const halvings = most - index;
    const trials = Math.ceil(((most + 1) * eta ** halvings) / (halvings + 1));
    const rungs = Array.from({ length: halvings + 1 }, (__, rung) =>
      Math.round(max / eta ** (halvings - rung)),
    );
    return { trials, rungs: [...new Set(rungs)] };
  });
  const round = brackets.reduce((sum, { trials }) => sum + trials, 0);
  const credit = brackets.map(() => 0);
  let turn = 0;
  for (let place = 0; place <= (number - 1) % round; place++) {
    brackets.forEach(({ trials }, index) => (credit[index] = (credit[index] ?? 0) + trials));
    turn = credit.indexOf(Math.max(...credit));
    credit[turn] = (credit[turn] ?? 0) - round;
  }
  return brackets[turn]?.rungs ?? [max];
}
