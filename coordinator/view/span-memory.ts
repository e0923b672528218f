/**
 * Where the messages of each attempt lie, of so many attempts at least that were heard last. In two halves, of which the older one goes as a whole:
 * a Map from which the oldest is taken one by one looks through all that were taken before.
 */
export interface Span {
  /** Sequences of the first and the last message. */
  readonly first: number;
  readonly last: number;
  /** How many there were of them. */
  readonly count: number;
}

export class SpanMemory {
  readonly #attemptsMin: number;
  #newer = new Map<number, Span>();
  #older = new Map<number, Span>();

  constructor(attemptsMin: number) {
    this.#attemptsMin = attemptsMin;
  }

  get(fence: number): Span | null {
    return this.#newer.get(fence) ?? this.#older.get(fence) ?? null;
  }

  /** One message more of it. */
  note(fence: number, sequence: number): void {
    const before = this.get(fence);
    this.#newer.set(fence, {
      first: before?.first ?? sequence,
      last: sequence,
      count: (before?.count ?? 0) + 1,
    });
    if (this.#newer.size < this.#attemptsMin) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }

  clear(): void {
    this.#newer.clear();
    this.#older.clear();
  }
}
