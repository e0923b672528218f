/**
 * Steps of a plan on the cells of one row, giving what their SQL gives. Null for a step that only DuckDB can do: an
 * expression, a date, a fraction as text.
 */
import { otherLabel, type RowStep } from "../../data/plan/compile-step.ts";
import type { StepOf } from "../../data/declaration/plan-step.ts";
import { castCell, doubt, isPlainType, type Cell, type PlainType } from "./cast-cell.ts";
import { textCleaner, trimmedText } from "./clean-text.ts";

/** Where a column lies among the cells of a row. */
export interface Slot {
  readonly at: number;
  readonly type: PlainType;
}

/** Changes the cells; false where it is for DuckDB to say what becomes of the row. */
export type PlainStep = (cells: Cell[]) => boolean;

/** Columns by name in lower case, as a step finds them; `plainSteps` moves it on. */
export class Slots {
  readonly #slots = new Map<string, Slot>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(name: string): Slot | undefined {
    return this.#slots.get(name.toLowerCase());
  }

  /** A place of its own: what stood under the name before is not written over. */
  put(name: string, type: PlainType): number {
    const at = this.#count++;
    this.#slots.set(name.toLowerCase(), { at, type });
    return at;
  }

  rename(columns: Readonly<Record<string, string>>): void {
    const moved = Object.entries(columns).map(([old, name]) => [old, name, this.get(old)] as const);
    for (const [old] of moved) this.#slots.delete(old.toLowerCase());
    for (const [, name, slot] of moved) if (slot !== undefined) this.#slots.set(name.toLowerCase(), slot);
  }
}

export function plainSteps(steps: readonly RowStep[], slots: Slots): readonly PlainStep[] | null {
  const plain: PlainStep[] = [];
  for (const step of steps) {
    const one = plainStep(step, slots);
    if (one === null) return null;
    plain.push(...one);
  }
  return plain;
}

function plainStep(step: RowStep, slots: Slots): readonly PlainStep[] | null {
  switch (step.step) {
    case "rename":
      slots.rename(step.columns);
      return [];
    case "concat":
      return concat(step, slots);
    case "clean":
      return each(step.columns, (name) => clean(step, name, slots));
    case "map-label":
      return mapLabel(step, slots);
    case "cast":
      return each(Object.entries(step.columns), ([name, type]) =>
        isPlainType(type) ? cast(name, type, slots) : null,
      );
    default:
      return null;
  }
}

function each<T>(
  list: readonly T[],
  of: (one: T) => readonly PlainStep[] | null,
): readonly PlainStep[] | null {
  const all: PlainStep[] = [];
  for (const one of list) {
    const steps = of(one);
    if (steps === null) return null;
    all.push(...steps);
  }
  return all;
}

/** The column as text; null where DuckDB writes its values in a way of its own. */
function textSlot(name: string, slots: Slots): number | null {
  const slot = slots.get(name);
  return slot === undefined || slot.type === "number" ? null : slot.at;
}

function concat({ columns, separator, to }: StepOf<"concat">, slots: Slots): readonly PlainStep[] | null {
  const from = columns.map((name) => textSlot(name, slots));
  if (from.includes(null)) return null;
  const out = slots.put(to, "text");
  return [
    (cells) => {
      let text: string | null = null;
      for (const at of from) {
        const cell = at === null ? null : (cells[at] ?? null);
        if (cell === null || cell === "") continue;
        text = text === null ? String(cell) : `${text}${separator}${String(cell)}`;
      }
      cells[out] = text;
      return true;
    },
  ];
}

function clean(step: StepOf<"clean">, name: string, slots: Slots): readonly PlainStep[] | null {
  const from = textSlot(name, slots);
  if (from === null) return null;
  const cleaner = textCleaner(step);
  const out = slots.put(name, "text");
  return [
    (cells) => {
      const cell = cells[from] ?? null;
      cells[out] = cell === null ? null : cleaner(String(cell)) || null;
      return true;
    },
  ];
}

/** A value that is not in the map, and may not be, is for DuckDB to tell of. */
function mapLabel(step: StepOf<"map-label">, slots: Slots): readonly PlainStep[] | null {
  const from = textSlot(step.column, slots);
  if (from === null) return null;
  // Of two entries for one value the first counts.
  const map = new Map(step.map.toReversed());
  const out = slots.put(step.to ?? step.column, "text");
  const { unknown } = step;
  return [
    (cells) => {
      const cell = cells[from] ?? null;
      const raw = cell === null ? null : trimmedText(String(cell));
      const mapped = raw === null ? null : map.get(raw);
      if (mapped !== undefined) cells[out] = mapped;
      else if (unknown === "keep") cells[out] = raw;
      else if (unknown === "other") cells[out] = otherLabel;
      else if (unknown === "drop") cells[out] = null;
      else return false;
      return true;
    },
  ];
}

function cast(name: string, type: PlainType, slots: Slots): readonly PlainStep[] | null {
  const slot = slots.get(name);
  if (slot === undefined) return null;
  if (slot.type === type) return [];
  if (slot.type === "number") return null;
  const from = slot.at;
  const out = slots.put(name, type);
  return [
    (cells) => {
      const cell = cells[from] ?? null;
      const made = cell === null ? null : castCell(String(cell), type);
      if (made === doubt) return false;
      cells[out] = made;
      return true;
    },
  ];
}
