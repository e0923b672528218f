/**
 * Hyperband's brackets (Li et al. 2018, JMLR 18-185, algorithm 1 and table 1), and which of them a trial belongs to:
 * a pure function of its number, so that nothing has to be remembered.
 */

export interface Bracket {
  /** Halvings it makes at most; the bracket of 0 trains all its trials to the end. */
  readonly halvings: number;
  /** Trials that enter it in one round of Hyperband. */
  readonly trials: number;
  /** Resources at which its trials are judged, rising; the last is the full length. */
  readonly rungs: readonly number[];
}

/** From the most aggressive bracket, which starts at about `min`, to the one without a halving. */
export function hyperbandBrackets(min: number, max: number, eta: number): readonly Bracket[] {
  let most = 0;
  while (min * eta ** (most + 1) <= max) most++;
  return Array.from({ length: most + 1 }, (_, index) => {
    const halvings = most - index;
    // Each bracket has the same budget: (most + 1) full lengths.
    const trials = Math.ceil(((most + 1) * eta ** halvings) / (halvings + 1));
    const rungs = Array.from({ length: halvings + 1 }, (__, rung) =>
      Math.round(max / eta ** (halvings - rung)),
    );
    return { halvings, trials, rungs: [...new Set(rungs)] };
  });
}

/**
 * Gives each trial number (from 1) the index of its bracket. In every round of Hyperband each bracket gets exactly its
 * trials; within a round they take turns in proportion, so that a short sweep has trials in several
 * brackets: smooth weighted round robin.
 */
export function bracketTurns(brackets: readonly Bracket[]): (number: number) => number {
  const round = brackets.reduce((sum, { trials }) => sum + trials, 0);
  const credit = brackets.map(() => 0);
  /** Turns found so far: a memory of the function's values, not a state. */
  const turns: number[] = [];
  return (number) => {
    const place = (number - 1) % round;
    while (turns.length <= place) {
      brackets.forEach(({ trials }, index) => (credit[index] = (credit[index] ?? 0) + trials));
      const next = credit.indexOf(Math.max(...credit));
      credit[next] = (credit[next] ?? 0) - round;
      turns.push(next);
    }
    return turns[place] ?? 0;
  };
}
