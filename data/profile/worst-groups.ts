/** The few largest of any number of groups of rows, and what of each is worth listing. Holds no texts. */
import { listedGroupsMost, listedRowsMost } from "./profile-limit.ts";
import type { GroupedRow } from "./text-groups.ts";

export interface ListedGroup {
  /** All rows of the group. */
  readonly rows: number;
  /** At most `listedRowsMost`, so chosen that each label and each split of the group is seen. */
  readonly listed: readonly GroupedRow[];
}

/** Kept before the smaller ones are let go. */
const heldMost = 8 * listedGroupsMost;

export class WorstGroups {
  #held: ListedGroup[] = [];

  add(rows: readonly GroupedRow[]): void {
    this.#held.push({ rows: rows.length, listed: telling(rows) });
    if (this.#held.length >= heldMost) this.#held = this.worst();
  }

  /** Largest first, then by first row. */
  worst(): ListedGroup[] {
    return this.#held
      .toSorted((a, b) => b.rows - a.rows || (a.listed[0]?.row ?? 0) - (b.listed[0]?.row ?? 0))
      .slice(0, listedGroupsMost);
  }
}

function telling(rows: readonly GroupedRow[]): GroupedRow[] {
  const seen = new Set<string>();
  const fresh = rows.filter(({ label, split }) => {
    const kinds = [`label ${label}`, `split ${split}`].filter((kind) => !seen.has(kind));
    for (const kind of kinds) seen.add(kind);
    return kinds.length > 0;
  });
  const chosen = new Set(fresh.slice(0, listedRowsMost));
  for (const row of rows) if (chosen.size < listedRowsMost) chosen.add(row);
  return [...chosen].sort((a, b) => a.row - b.row);
}
