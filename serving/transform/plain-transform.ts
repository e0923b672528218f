/**
 * A transformation done here and at once, for plans of plain steps over texts, numbers and yes or no: microseconds a row. It
 * gives to the last bit what DuckDB gives. Of rows that it is not sure of (a value that does not fit, an odd way to write a
 * number) DuckDB is asked.
 */
import type { Column } from "../../data/plan/compile-step.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { InputRows } from "./input-rows.ts";
import { castCell, doubt, isPlainType, wellFormed, type Cell, type PlainType } from "./cast-cell.ts";
import { asRead } from "./clean-text.ts";
import { featureFillers, type FeatureFiller } from "./feature-filler.ts";
import { givenColumns } from "./given-column.ts";
import { typeOfColumn } from "./input-type.ts";
import { plainSteps, Slots, type PlainStep } from "./plain-step.ts";
import { faultOf } from "./text-cell.ts";
import type { TransformPlan } from "./transform-plan.ts";
import type { Cells, Transform, TransformedRows } from "./transform.ts";
import { TransformedTable, TransformedTexts } from "./transformed.ts";

/** The same transformation by DuckDB, opened when it is first asked. */
export type AskEngine = () => Promise<Outcome<Transform>>;

interface PlainColumn extends Column {
  readonly plain: PlainType;
}

interface PlainPlan {
  readonly plan: TransformPlan;
  readonly columns: readonly PlainColumn[];
  readonly steps: readonly PlainStep[];
  /** Of the text that comes out; -1 in a table. */
  readonly textAt: number;
  /** Empty for text. */
  readonly fillers: readonly FeatureFiller[];
}

/** Null where a step or a type is left to DuckDB. */
export function plainTransform(plan: TransformPlan, ask: AskEngine): Transform | null {
  const slots = new Slots();
  const columns: PlainColumn[] = [];
  for (const column of plan.inputs) {
    const type = typeOfColumn(column);
    if (!isPlainType(type)) return null;
    slots.put(column.name, type);
    columns.push({ ...column, plain: type });
  }
  const steps = plainSteps(plan.steps, slots);
  if (steps === null) return null;
  const { output } = plan;
  if (output.kind === "text") {
    const slot = slots.get(output.column);
    if (slot === undefined || slot.type === "number") return null;
    return new PlainTransform({ plan, columns, steps, textAt: slot.at, fillers: [] }, ask);
  }
  const fillers = featureFillers(output.features, slots);
  if (fillers === null) return null;
  return new PlainTransform({ plan, columns, steps, textAt: -1, fillers }, ask);
}

class PlainTransform implements Transform {
  readonly inputs: readonly Column[];
  readonly ofTexts: Transform["ofTexts"];
  readonly #plain: PlainPlan;
  readonly #ask: AskEngine;
  #engine: Promise<Outcome<Transform>> | null = null;

  constructor(plain: PlainPlan, ask: AskEngine) {
    this.inputs = plain.plan.inputs;
    this.#plain = plain;
    this.#ask = ask;
    const [column, ...more] = plain.columns;
    // A map may leave it to DuckDB what becomes of a text.
    const isSure = plain.plan.steps.every(({ step }) => step !== "map-label" && step !== "cast");
    const isOneText = plain.textAt !== -1 && more.length === 0 && column?.plain === "text" && isSure;
    this.ofTexts = isOneText ? (texts) => texts.map((text) => this.#ofText(text)) : null;
  }

  apply(rows: InputRows): Outcome<TransformedRows> | Promise<Outcome<TransformedRows>> {
    const given = givenColumns(this.inputs, rows);
    if (!given.ok) return given;
    const doubted: number[] = [];
    const made = this.#apply(given.value, rows.count, doubted);
    return doubted.length === 0 ? accept(made.done()) : this.#settle(rows, doubted, made);
  }

  dispose(): void {
    void this.#engine?.then((opened) => (opened.ok ? opened.value.dispose() : undefined));
  }

  /** A text that means there is none gives an empty one. */
  #ofText(text: string): string {
    const { plan, steps, textAt } = this.#plain;
    const cells: Cell[] = [plan.missing.isMissing(text, "text") ? null : wellFormed(text)];
    for (const step of steps) step(cells);
    const cell = cells[textAt] ?? null;
    return cell === null ? "" : asRead(String(cell));
  }

  /** Rows that it is not sure of go to `doubted`. */
  #apply(given: readonly Cells[], count: number, doubted: number[]): TransformedTexts | TransformedTable {
    const { columns, plan, steps } = this.#plain;
    const { missing, output } = plan;
    const texts = output.kind === "text" ? new TransformedTexts(count, output.column) : null;
    const table = output.kind === "table" ? new TransformedTable(count, output.features) : null;
    const made = texts ?? table;
    if (made === null) throw new Error("a transformation gives texts or a table");
    const cells: Cell[] = [];
    for (let row = 0; row < count; row++) {
      let sure = true;
      let fits = true;
      for (const [at, column] of columns.entries()) {
        const value = given[at]?.[row] ?? null;
        if (missing.isMissing(value, column.plain)) cells[at] = null;
        else {
          const fault = faultOf(value, column.plain, texts !== null);
          if (fault !== null) {
            made.refuse({ row, column: column.name, value: String(value), reason: fault });
            fits = false;
          }
          const cell = castCell(value, column.plain);
          if (cell === doubt) sure = false;
          else cells[at] = cell;
        }
      }
      // The place of a row that was refused stays empty.
      if (!fits) continue;
      for (const step of steps) sure = sure && step(cells);
      if (!sure) doubted.push(row);
      else this.#put(cells, row, made);
    }
    return made;
  }

  #put(cells: readonly Cell[], row: number, made: TransformedTexts | TransformedTable): void {
    if (made instanceof TransformedTexts) {
      const cell = cells[this.#plain.textAt] ?? null;
      made.put(row, cell === null ? null : asRead(String(cell)));
    } else made.fill(row, cells, this.#plain.fillers);
  }

  async #settle(
    rows: InputRows,
    doubted: readonly number[],
    made: TransformedTexts | TransformedTable,
  ): Promise<Outcome<TransformedRows>> {
    const engine = await (this.#engine ??= this.#ask());
    if (!engine.ok) return engine;
    const columns = new Map(
      this.inputs.map(({ name }) => {
        const cells = rows.columns.get(name) ?? [];
        return [name, doubted.map((row) => cells[row] ?? null)];
      }),
    );
    const settled = await engine.value.apply({ count: doubted.length, columns });
    if (!settled.ok) return settled;
    made.merge(settled.value, doubted);
    return accept(made.done());
  }
}
