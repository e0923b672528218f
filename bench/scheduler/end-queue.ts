/** What ends when, in simulated time: a binary heap by time. */
export interface Ending {
  readonly at: number;
  readonly fence: number;
}

export class EndQueue {
  readonly #heap: Ending[] = [];

  get next(): Ending | undefined {
    return this.#heap[0];
  }

  push(ending: Ending): void {
    const heap = this.#heap;
    heap.push(ending);
    let index = heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#earlier(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  pop(): Ending | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    heap[0] = last;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = index;
      if (left < heap.length && this.#earlier(left, least)) least = left;
      if (right < heap.length && this.#earlier(right, least)) least = right;
      if (least === index) return first;
      this.#swap(index, least);
      index = least;
    }
  }

  #earlier(a: number, b: number): boolean {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return false;
    return one.at < other.at || (one.at === other.at && one.fence < other.fence);
  }

  #swap(a: number, b: number): void {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}
