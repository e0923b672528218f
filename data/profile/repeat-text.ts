/**
 * What repeated texts mean: duplicates, labels that contradict each other, rows that a held-out split shares with what is
 * learned from. Works on groups of row numbers; where a row stands and what it says is looked up later.
 */
import type { GroupedRow } from "./text-groups.ts";
import { WorstGroups, type ListedGroup } from "./worst-groups.ts";

export interface Leak {
  readonly from: string;
  readonly to: string;
  sameRows: number;
  nearRows: number;
  readonly same: WorstGroups;
  readonly near: WorstGroups;
}

interface Tally {
  groups: number;
  rows: number;
  readonly worst: WorstGroups;
}

export class RepeatText {
  readonly #splits: readonly string[];
  /** `rows` are those that would go if one of each group were kept. */
  readonly exact: Tally = tally();
  readonly near: Tally = tally();
  /** `rows` are all rows of such groups. */
  readonly conflicts: Tally = tally();
  readonly #leaks = new Map<string, Leak>();

  constructor(splits: readonly string[]) {
    this.#splits = splits;
  }

  /** Rows of one normalised text. */
  addSame(rows: readonly GroupedRow[]): void {
    this.exact.groups++;
    this.exact.rows += rows.length - 1;
    this.exact.worst.add(rows);
    if (rows.some(({ label }) => label !== rows[0]?.label)) {
      this.conflicts.groups++;
      this.conflicts.rows += rows.length;
      this.conflicts.worst.add(rows);
    }
    const rowsBySplit = this.#countSplits(rows);
    for (const [to, from] of this.#heldOutPairs(rowsBySplit)) {
      const leak = this.#leak(from, to);
      leak.sameRows += rowsBySplit[to] ?? 0;
      leak.same.add(rows.filter(({ split }) => split === from || split === to));
    }
  }

  /** Texts that are near each other: for each text all of its rows. */
  addNear(texts: readonly (readonly GroupedRow[])[]): void {
    this.near.groups++;
    this.near.rows += texts.length - 1;
    this.near.worst.add(texts.map((rows) => rows.slice(0, 1)).flat());
    const rowsBySplit = this.#countSplits(texts.flat());
    for (const [to, from] of this.#heldOutPairs(rowsBySplit)) {
      // Rows whose very text is on the other side are counted as such already.
      const only = texts.filter(
        (rows) => rows.some(({ split }) => split === to) && !rows.some(({ split }) => split === from),
      );
      const heldOut = only.flat().filter(({ split }) => split === to);
      if (heldOut.length === 0) continue;
      const leak = this.#leak(from, to);
      leak.nearRows += heldOut.length;
      const learned = texts.flat().filter(({ split }) => split === from);
      leak.near.add([...learned, ...heldOut].sort((a, b) => a.row - b.row));
    }
  }

  leaks(): Leak[] {
    return [...this.#leaks.values()].sort((a, b) => b.sameRows + b.nearRows - (a.sameRows + a.nearRows));
  }

  #countSplits(rows: readonly GroupedRow[]): number[] {
    const counts = this.#splits.map(() => 0);
    for (const { split } of rows) counts[split] = (counts[split] ?? 0) + 1;
    return counts;
  }

  /** Held-out splits with a row here, each with every split before it that has one too. */
  *#heldOutPairs(rowsBySplit: readonly number[]): Generator<readonly [number, number]> {
    for (let to = 1; to < rowsBySplit.length; to++) {
      for (let from = 0; from < to; from++) {
        if ((rowsBySplit[to] ?? 0) > 0 && (rowsBySplit[from] ?? 0) > 0) yield [to, from];
      }
    }
  }

  #leak(from: number, to: number): Leak {
    const key = `${from}/${to}`;
    const known = this.#leaks.get(key);
    if (known !== undefined) return known;
    const leak: Leak = {
      from: this.#splits[from] ?? "",
      to: this.#splits[to] ?? "",
      sameRows: 0,
      nearRows: 0,
      same: new WorstGroups(),
      near: new WorstGroups(),
    };
    this.#leaks.set(key, leak);
    return leak;
  }
}

function tally(): Tally {
  return { groups: 0, rows: 0, worst: new WorstGroups() };
}

/** Row numbers that a list of groups shows. */
export function listedRows(groups: readonly ListedGroup[]): number[] {
  return groups.flatMap(({ listed }) => listed.map(({ row }) => row));
}
