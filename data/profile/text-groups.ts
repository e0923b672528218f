/**
 * Which rows have the same normalised text, compared by a 64-bit key, in about 30 bytes per row: an open hash table with a
 * chain of rows per key (n texts share one by accident with a chance of n² / 2^65). Beyond `keysMost` different keys only keys whose last bits are 0 are kept, one bit more each
 * time: groups stay whole, and counts of them are scaled up and called estimated. Does not hold texts.
 */

export interface GroupedRow {
  /** Row number, from 0. */
  readonly row: number;
  /** Index of its label, or -1. */
  readonly label: number;
  /** Index of its split. */
  readonly split: number;
}

const slotsLeast = 1024;
const rowsLeast = 1024;
const loadMost = 0.6;

export class TextGroups {
  readonly #keysMost: number;
  #slots = slotsLeast;
  #keyLow = new Uint32Array(slotsLeast);
  #keyHigh = new Uint32Array(slotsLeast);
  /** Place of a key's latest row in the arrays below, plus 1; 0 is a free slot. */
  #head = new Uint32Array(slotsLeast);
  #keys = 0;
  #rowNumber = new Uint32Array(rowsLeast);
  #rowLabel = new Int16Array(rowsLeast);
  #rowSplit = new Uint8Array(rowsLeast);
  /** The row before of the same key, plus 1. */
  #rowNext = new Uint32Array(rowsLeast);
  #rows = 0;
  #level = 0;

  constructor(keysMost: number) {
    this.#keysMost = keysMost;
  }

  /** What a counted group stands for: 1 while all keys are kept. */
  get scale(): number {
    return 2 ** this.#level;
  }

  add(keyLow: number, keyHigh: number, row: number, label: number, split: number): void {
    if (!this.#keeps(keyLow)) return;
    if (this.#rows === this.#rowNumber.length) this.#growRows();
    if (this.#keys >= loadMost * this.#slots) this.#rebuild(2 * this.#slots);
    const slot = this.#slotOf(keyLow, keyHigh);
    const before = this.#head[slot] ?? 0;
    if (before === 0) {
      this.#keyLow[slot] = keyLow;
      this.#keyHigh[slot] = keyHigh;
      this.#keys++;
    }
    const at = this.#rows++;
    this.#rowNumber[at] = row;
    this.#rowLabel[at] = label;
    this.#rowSplit[at] = split;
    this.#rowNext[at] = before;
    this.#head[slot] = at + 1;
    if (this.#keys > this.#keysMost) this.#thin();
  }

  /** Adds another part's rows; it must not have been thinned more often than its keys called for. */
  merge(other: TextGroups): void {
    while (this.#level < other.#level) this.#thin();
    for (let slot = 0; slot < other.#slots; slot++) {
      for (const { row, label, split } of other.#rowsAt(slot)) {
        this.add(other.#keyLow[slot] ?? 0, other.#keyHigh[slot] ?? 0, row, label, split);
      }
    }
  }

  /** Every group of two rows and more, in no order of meaning; the rows of a group ascend. */
  *groups(): Generator<GroupedRow[]> {
    for (let slot = 0; slot < this.#slots; slot++) {
      const head = this.#head[slot] ?? 0;
      if (head !== 0 && this.#rowNext[head - 1] !== 0) yield this.#rowsAt(slot).sort((a, b) => a.row - b.row);
    }
  }

  /** The rows with a key, ascending; none where the key was let go or never came. */
  rowsOf(keyLow: number, keyHigh: number): GroupedRow[] {
    return this.#rowsAt(this.#slotOf(keyLow, keyHigh)).sort((a, b) => a.row - b.row);
  }

  #rowsAt(slot: number): GroupedRow[] {
    const rows: GroupedRow[] = [];
    for (let at = this.#head[slot] ?? 0; at !== 0; at = this.#rowNext[at - 1] ?? 0) {
      rows.push({
        row: this.#rowNumber[at - 1] ?? 0,
        label: this.#rowLabel[at - 1] ?? -1,
        split: this.#rowSplit[at - 1] ?? 0,
      });
    }
    return rows;
  }

  #keeps(keyLow: number): boolean {
    return (keyLow & (this.scale - 1)) === 0;
  }

  #slotOf(keyLow: number, keyHigh: number): number {
    const mask = this.#slots - 1;
    let slot = keyHigh & mask;
    while (this.#head[slot] !== 0 && (this.#keyLow[slot] !== keyLow || this.#keyHigh[slot] !== keyHigh)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #growRows(): void {
    const grow = <A extends Uint32Array | Int16Array | Uint8Array>(from: A, to: A): A => {
      to.set(from);
      return to;
    };
    const size = 2 * this.#rowNumber.length;
    this.#rowNumber = grow(this.#rowNumber, new Uint32Array(size));
    this.#rowLabel = grow(this.#rowLabel, new Int16Array(size));
    this.#rowSplit = grow(this.#rowSplit, new Uint8Array(size));
    this.#rowNext = grow(this.#rowNext, new Uint32Array(size));
  }

  #rebuild(slots: number): void {
    const [low, high, head] = [this.#keyLow, this.#keyHigh, this.#head];
    this.#slots = slots;
    this.#keyLow = new Uint32Array(slots);
    this.#keyHigh = new Uint32Array(slots);
    this.#head = new Uint32Array(slots);
    for (let old = 0; old < head.length; old++) {
      if (head[old] === 0) continue;
      const slot = this.#slotOf(low[old] ?? 0, high[old] ?? 0);
      this.#keyLow[slot] = low[old] ?? 0;
      this.#keyHigh[slot] = high[old] ?? 0;
      this.#head[slot] = head[old] ?? 0;
    }
  }

  /** Lets go of half of the keys, and of their rows. */
  #thin(): void {
    const kept = new TextGroups(Number.POSITIVE_INFINITY);
    kept.#level = this.#level + 1;
    kept.merge(this);
    this.#slots = kept.#slots;
    [this.#keyLow, this.#keyHigh, this.#head] = [kept.#keyLow, kept.#keyHigh, kept.#head];
    this.#keys = kept.#keys;
    this.#rowNumber = kept.#rowNumber;
    this.#rowLabel = kept.#rowLabel;
    this.#rowSplit = kept.#rowSplit;
    this.#rowNext = kept.#rowNext;
    this.#rows = kept.#rows;
    this.#level = kept.#level;
  }
}
