/**
 * Runs a plan over loaded sources, step by step: steps of single rows as views, those that look at all rows as tables.
 * Before such a table the rows are settled: bad ones go to `bad_row`, and what is left is what the next step sees.
 * Ends with the rows in their splits; writing them is `data/build`.
 */
import { accept, refuse, type Outcome, type Refusal } from "../../protocol/refusal.ts";
import { suggestion } from "../../protocol/name.ts";
import type { Engine } from "../engine/sql-engine.ts";
import type { LoadedSource } from "../source/load-source.ts";
import { id, internalColumns, internalPrefix } from "../engine/sql.ts";
import { splitOf, type Declaration, type Form } from "../declaration/declaration.ts";
import type { Step } from "../declaration/plan-step.ts";
import { compileStep, firstMissing, type Column } from "./compile-step.ts";
import { requiredRows } from "./required-rows.ts";
import { resolveForm } from "./resolve-form.ts";
import { settleRows, type OpenRelation } from "./settle-rows.ts";
import { refuseRow } from "./failing-row.ts";
import { columnsOf } from "./columns-of.ts";
import { allRowStep, dedupeKey, type AllRows } from "./all-row-step.ts";
import { columnsRead } from "./columns-read.ts";
import { splitRows, type Leak } from "./split-rows.ts";
import { groupKey, trimmed } from "../engine/text-function.ts";

export interface Planned {
  /** Every row that is in a split. */
  readonly relation: string;
  readonly columns: readonly Column[];
  /** Columns to make features of; empty for text. */
  readonly features: readonly Column[];
  readonly isClass: boolean;
  /** Rows whose label had white space at its ends, which is gone. */
  readonly trimmedLabels: number;
  readonly leakedRows: number;
  readonly leaks: readonly Leak[];
  readonly nearGroups: number | null;
  /** A refusal's sentence where a split has no row; given after what is wrong with the labels. */
  readonly emptySplit: string | null;
}

export interface StepView {
  /** 0: as loaded. */
  readonly index: number;
  readonly step: Step | null;
  readonly relation: string;
  readonly columns: readonly Column[];
}

/** `watch` is called after each step, in a preview. */
export async function runPlan(
  engine: Engine,
  declaration: Declaration,
  sources: readonly LoadedSource[],
  watch?: (view: StepView) => Promise<void>,
): Promise<Outcome<Planned>> {
  const run = new PlanRun(engine, declaration, sources, watch);
  return run.toEnd();
}

class PlanRun {
  readonly #engine: Engine;
  readonly #declaration: Declaration;
  readonly #sources: readonly LoadedSource[];
  readonly #textColumn: string | null;
  readonly #watch: ((view: StepView) => Promise<void>) | undefined;
  /** Relations since the rows were last settled, with what made them. */
  #open: OpenRelation[] = [];
  #relation = "step_0";
  #columns: readonly Column[] = [];
  #nearGroups: number | null = null;
  #settled = 0;
  /** The key of an exact dedupe, as long as it holds, so that it need not be made of the same text twice. */
  #lastKey: { readonly keyColumn: string; readonly sql: string } | null = null;

  constructor(
    engine: Engine,
    declaration: Declaration,
    sources: readonly LoadedSource[],
    watch: ((view: StepView) => Promise<void>) | undefined,
  ) {
    this.#engine = engine;
    this.#declaration = declaration;
    this.#sources = sources;
    this.#watch = watch;
    this.#textColumn = declaration.form.kind === "text" ? declaration.form.text : null;
  }

  async toEnd(): Promise<Outcome<Planned>> {
    const { plan, form } = this.#declaration;
    await this.#engine.run(
      "CREATE TABLE bad_row (__file INTEGER, __line BIGINT, __column VARCHAR, __value VARCHAR, __reason VARCHAR)",
    );
    this.#columns = await columnsOf(this.#engine, this.#relation);
    this.#open = [{ relation: this.#relation, where: "the sources", over: null }];
    await this.#tell(0, null);
    const splitAt = plan.findIndex((step) => step.step === "split");
    const before = splitAt === -1 ? plan.filter((step) => step.step !== "features") : plan.slice(0, splitAt);
    for (const [index, step] of before.entries()) {
      const done = await this.#step(index, step);
      if (!done.ok) return inPlan(done.refusal, index, step);
    }
    const split = await this.#split(form);
    if (!split.ok) return split;
    for (const [index, step] of plan.entries()) {
      if (splitAt === -1 || index <= splitAt || step.step !== "balance") continue;
      const done = await allRowStep(this.#engine, step, {
        ...this.#rows(index, step),
        onlySplit: "train",
        keyColumn: null,
      });
      if (!done.ok) return inPlan(done.refusal, index, step);
      this.#relation = `step_${index + 1}`;
      await this.#tell(index + 1, step);
    }
    return accept({
      ...split.value,
      relation: this.#relation,
      columns: this.#columns,
      nearGroups: this.#nearGroups,
    });
  }

  async #step(index: number, step: Step): Promise<Outcome<null>> {
    const where = whereOf(index, step);
    const made = `step_${index + 1}`;
    let over: OpenRelation["over"] = null;
    switch (step.step) {
      case "dedupe":
      case "sample":
      case "balance": {
        const keyColumn = step.step === "dedupe" && step.near === undefined ? `__dedupe_${index}` : null;
        if (step.step === "dedupe") {
          const names = this.#columns.map((column) => column.name);
          const missing = firstMissing([step.by].flat(), names);
          if (missing !== null)
            return refuse(
              "invalid",
              `${where}: there is no column "${missing}"; ${suggestion(missing, names)}`,
            );
          if (keyColumn !== null) this.#lastKey = { keyColumn, sql: dedupeKey(step, this.#textColumn) };
        }
        const settled = await this.#settle([
          ...this.#stillNeeded(index),
          ...(keyColumn === null || this.#lastKey === null ? [] : [`${this.#lastKey.sql} AS ${keyColumn}`]),
        ]);
        if (!settled.ok) return settled;
        this.#columns = await columnsOf(this.#engine, this.#relation);
        const done = await allRowStep(this.#engine, step, {
          ...this.#rows(index, step),
          onlySplit: null,
          keyColumn,
        });
        if (!done.ok) return done;
        if (done.value !== null) this.#nearGroups = (this.#nearGroups ?? 0) + done.value;
        break;
      }
      case "split":
      case "features":
        return accept(null);
      default: {
        this.#lastKey = null; // what it was made of may change
        const [engine, columns, from] = [this.#engine, this.#columns, this.#relation];
        over = (other) => compileStep(engine, step, other, columns, where);
        const sql = await over(from);
        if (!sql.ok) return sql;
        try {
          // A preview looks at every step, and each view would run all before it again.
          const kind = this.#watch === undefined ? "VIEW" : "TABLE";
          await this.#engine.run(`CREATE ${kind} ${made} AS ${sql.value}`);
        } catch (error) {
          return refuseRow(engine, this.#sources, { where, from, over }, error);
        }
      }
    }
    this.#relation = made;
    this.#open.push({ relation: made, where, over });
    this.#columns = await columnsOf(this.#engine, made);
    await this.#tell(index + 1, step);
    return accept(null);
  }

  /** Rows without what training needs are bad; the others get their group's key and their split. */
  async #split(form: Form): Promise<Outcome<Omit<Planned, "relation" | "columns" | "nearGroups">>> {
    const resolved = resolveForm(form, this.#columns);
    if (!resolved.ok) return resolved;
    const { isClass, features, target, needed } = resolved.value;
    const names = this.#columns.map((column) => column.name);
    const step = splitOf(this.#declaration);
    const at = this.#declaration.plan.indexOf(step);
    const where = at === -1 ? "split" : whereOf(at, step);
    const usual = form.kind === "text" ? [form.text] : features.map(({ name }) => name);
    const by = step.by === undefined ? usual : [step.by].flat();
    const stratum = step.stratify === undefined ? (isClass ? target : null) : step.stratify || null;
    const unknown = firstMissing([...by, ...(stratum === null ? [] : [stratum])], names);
    if (unknown !== null)
      return refuse("invalid", `${where}: there is no column "${unknown}"; ${suggestion(unknown, names)}`);
    await this.#engine.run(
      `CREATE VIEW required AS ${requiredRows(this.#declaration, resolved.value, this.#relation)}`,
    );
    this.#relation = "required";
    this.#open.push({ relation: "required", where: "the demand for all that training needs", over: null });
    const balanced = this.#declaration.plan.flatMap((one) => (one.step === "balance" ? [one.column] : []));
    const kept = new Set([...needed, ...balanced, ...(stratum === null ? [] : [stratum])]);
    const isText = (column: string) => this.#textColumn !== null && column === id(this.#textColumn);
    const own = step.by !== undefined;
    const key = groupKey(
      by.map((name) => {
        const type = this.#columns.find((column) => column.name === name)?.type;
        return own && type === "VARCHAR" && !isText(id(name)) ? trimmed(id(name)) : id(name);
      }),
      isText,
    );
    const settled = await this.#settle([
      ...internalColumns,
      ...names.filter((name) => kept.has(name)).map(id),
      "__trimmed",
      `${key === this.#lastKey?.sql ? this.#lastKey.keyColumn : key} AS __key`,
    ]);
    if (!settled.ok) return settled;
    const trimmedLabels = await this.#engine.count(`SELECT count(*) FROM ${this.#relation} WHERE __trimmed`);
    const done = await splitRows(this.#engine, step, this.#relation, stratum);
    this.#relation = done.relation;
    this.#columns = await columnsOf(this.#engine, this.#relation);
    if (at !== -1) await this.#tell(at + 1, step);
    const emptySplit = done.emptySplit === null ? null : `${where}: ${done.emptySplit}`;
    const { leakedRows, leaks } = done;
    return accept({ features, isClass, leakedRows, leaks, emptySplit, trimmedLabels });
  }

  /** From here on only good rows; `columns` in SQL. */
  async #settle(columns: readonly string[]): Promise<Outcome<null>> {
    const settled = await settleRows(this.#engine, {
      declaration: this.#declaration,
      sources: this.#sources,
      open: this.#open,
      columns,
      table: `settled_${this.#settled++}`,
    });
    if (!settled.ok) return settled;
    this.#relation = settled.value;
    this.#open = [{ relation: settled.value, where: "the rows so far", over: null }];
    return accept(null);
  }

  #rows(index: number, step: Step): Pick<AllRows, "from" | "columns" | "where" | "made"> {
    return {
      from: this.#relation,
      columns: this.#columns,
      where: whereOf(index, step),
      made: `step_${index + 1}`,
    };
  }

  /** In SQL, the columns that the step at `index` and those after it read; a preview shows all. */
  #stillNeeded(index: number): readonly string[] {
    const needed = this.#watch === undefined ? columnsRead(this.#declaration, index) : null;
    if (needed === null) return ["*"];
    return [
      ...internalColumns,
      ...this.#columns
        .map(({ name }) => name)
        .filter((name) => needed.has(name))
        .map(id),
    ];
  }

  async #tell(index: number, step: Step | null): Promise<void> {
    const columns = this.#columns.filter(({ name }) => !name.startsWith(internalPrefix));
    await this.#watch?.({ index, step, relation: this.#relation, columns });
  }
}

/** The refusal with the place in the file that it is about. */
function inPlan(refusal: Refusal, index: number, step: Step): Outcome<never> {
  return refuse(refusal.code, refusal.message, ["plan", index, step.step]);
}

function whereOf(index: number, step: Step): string {
  return `step ${index + 1} (${step.step})`;
}
