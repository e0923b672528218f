/**
 * ROLL-3. Evidence against a claim "the mean is at most so much", gathered one observation at a time and valid whenever it is looked at. It is the
 * wealth of somebody who bets against the claim and can never owe: where the claim is true, wealth is a supermartingale that began at 1, so it
 * ever reaches 1/α with a probability of at most α (Ville 1939). Which stakes are wise: Waudby-Smith and Ramdas 2024, "Estimating means of bounded
 * random variables by betting". The stake follows from what was seen before, never from what it is staked on. Not what is observed, nor what follows.
 */

/** Of what could be lost at once, so much is staked at most. */
const stakeShareMax = 0.9;
/** As if so many had been seen before the first, of which this share differed. */
const priorCount = 10;
const priorSquare = 0.2;
/** Standard errors below the mean so far. */
const surely = 1;

export interface Bet {
  /** Natural logarithm of the wealth. */
  readonly logWealth: number;
  observe(value: number): void;
}

/** Against "the mean of differences from [-1, 1] is at most 0"; soonest where it is about `aim`. */
export class DifferenceBet implements Bet {
  readonly #aim: number;
  #logWealth = 0;
  #count = priorCount;
  #sum = 0;
  #squares = priorCount * priorSquare;

  constructor(aim: number) {
    this.#aim = aim;
  }

  get logWealth(): number {
    return this.#logWealth;
  }

  observe(difference: number): void {
    this.#logWealth += Math.log1p(this.#stake() * within(difference, -1));
    this.#count++;
    this.#sum += difference;
    this.#squares += difference * difference;
  }

  /** Of differences of -1, 0 and 1 the mean over the share that is not 0 lets wealth grow fastest; the mean is what is aimed at, or what is surely more. */
  #stake(): number {
    const mean = this.#sum / this.#count;
    const square = this.#squares / this.#count;
    const least = mean - surely * Math.sqrt(square / this.#count);
    return Math.min(stakeShareMax, Math.max(this.#aim, least) / square);
  }
}

/** Against "the mean of shares from [0, 1] is at most `tolerated`"; soonest where it is about `aim` more. */
export class ShareBet implements Bet {
  readonly #tolerated: number;
  readonly #stake: number;
  #logWealth = 0;

  constructor(tolerated: number, aim: number) {
    this.#tolerated = within(tolerated, 0);
    const fastest = aim / Math.max(Number.EPSILON, tolerated * (1 - tolerated));
    this.#stake = Math.min(stakeShareMax / Math.max(Number.EPSILON, tolerated), fastest);
  }

  get logWealth(): number {
    return this.#logWealth;
  }

  observe(share: number): void {
    this.#logWealth += Math.log1p(this.#stake * (within(share, 0) - this.#tolerated));
  }
}

function within(value: number, least: number): number {
  if (!(value >= least && value <= 1))
    throw new Error(`broken invariant: ${value} is not from ${least} to 1`);
  return value;
}
