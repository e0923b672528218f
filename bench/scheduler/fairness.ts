/**
 * How far service strays from the weights, against what start-time fair queueing promises: between two requesters that always
 * have work, |service_a/weight_a - service_b/weight_b| ≤ cost_a/weight_a + cost_b/weight_b, with the largest cost of each
 * (Goyal, Vin, Cheng 1997, theorem 1). The theorem takes costs as known when a service begins. Here they are estimates until
 * it ends, so the largest error of an estimate is added to the cost; `strictGapRatio` leaves it out.
 */
export class Fairness {
  readonly #weights: readonly number[];
  readonly #service: Float64Array;
  readonly #costMax: number;
  #errorMax = 0;
  /** Largest gap over the two costs alone, by the pair's own weights. */
  strictGapRatio = 0;

  /** `costMax`: of any one trial, milli-tokens. */
  constructor(weights: readonly number[], costMax: number) {
    this.#weights = weights;
    this.#service = new Float64Array(weights.length);
    this.#costMax = costMax;
  }

  /** The promise holds for any span of time: forgets what was before. */
  restart(): void {
    this.#service.fill(0);
    this.strictGapRatio = 0;
    this.#errorMax = 0;
  }

  /** Largest gap over the bound. */
  get gapRatio(): number {
    return (this.strictGapRatio * this.#costMax) / (this.#costMax + this.#errorMax);
  }

  /** The cost of a service turned out other than it was charged. */
  correct(index: number, error: number): void {
    this.#errorMax = Math.max(this.#errorMax, Math.abs(error));
    this.serve(index, error);
  }

  /** Service in milli-tokens, as the fair queue has charged it. */
  serve(index: number, amount: number): void {
    this.#service[index] = (this.#service[index] ?? 0) + amount;
  }

  /** Looks at all pairs of those that still have work and money. */
  look(counted: readonly number[]): void {
    for (const [place, a] of counted.entries()) {
      for (const b of counted.slice(place + 1)) {
        const gap = Math.abs(this.#normal(a) - this.#normal(b));
        const bound = this.#costMax / this.#weightOf(a) + this.#costMax / this.#weightOf(b);
        this.strictGapRatio = Math.max(this.strictGapRatio, gap / bound);
      }
    }
  }

  /** Jain's index of normalised service: 1 where all have had their share. */
  jain(counted: readonly number[]): number {
    const shares = counted.map((index) => this.#normal(index));
    const sum = shares.reduce((total, share) => total + share, 0);
    const squares = shares.reduce((total, share) => total + share * share, 0);
    return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
  }

  #normal(index: number): number {
    return (this.#service[index] ?? 0) / this.#weightOf(index);
  }

  #weightOf(index: number): number {
    return this.#weights[index] ?? 1;
  }
}
