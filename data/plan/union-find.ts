/** Disjoint sets of whole numbers; the smallest member names its set, so the order of joining does not matter. */

export class UnionFind {
  readonly #parent = new Map<number, number>();

  find(member: number): number {
    let root = member;
    for (
      let parent = this.#parent.get(root);
      parent !== undefined && parent !== root;
      parent = this.#parent.get(root)
    )
      root = parent;
    for (let at = member; at !== root;) {
      const next = this.#parent.get(at) ?? root;
      this.#parent.set(at, root);
      at = next;
    }
    return root;
  }

  join(a: number, b: number): void {
    const [left, right] = [this.find(a), this.find(b)];
    this.#parent.set(Math.max(left, right), Math.min(left, right));
    if (!this.#parent.has(Math.min(left, right)))
      this.#parent.set(Math.min(left, right), Math.min(left, right));
  }

  /** Those that were ever joined, in ascending order. */
  members(): number[] {
    return [...this.#parent.keys()].toSorted((a, b) => a - b);
  }
}
