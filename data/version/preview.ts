/**
 * What a plan does to the first rows, step by step, so that it can be written by looking. Runs the whole plan over all
 * rows, as counts and near-duplicates need them; writes no version. A step that is refused ends the preview, with its refusal.
 */
import { accept, type Outcome, type Refusal } from "../../protocol/refusal.ts";
import { badRowOf, loadSources } from "../source/load-source.ts";
import type { BadRow } from "../row/bad-row.ts";
import { withEngine, type BuildOptions } from "./build-dataset.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { finishPlan } from "./finish-plan.ts";
import { id } from "../engine/sql.ts";
import { placeColumns, type OutputColumn } from "./write-version.ts";
import type { Declaration } from "../declaration/declaration.ts";
import type { Step } from "../declaration/plan-step.ts";
import { runPlan, type StepView } from "../plan/run-plan.ts";

export interface PreviewRow {
  /** Index of the source. */
  readonly file: number;
  /** Counted from 1. */
  readonly line: number;
  /** null before the rows are split. */
  readonly split: string | null;
  /** As text, cut; null where there is no value. In the order of the step's columns. */
  readonly values: readonly (string | null)[];
}

export interface StepPreview {
  /** 0: as read; from 1, the step's place in the plan. */
  readonly index: number;
  readonly step: Step | null;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Good rows after the step. */
  readonly rows: number;
  /** Rows rejected up to here. */
  readonly badRows: number;
  /** Rows per split, in a step that splits. */
  readonly splits: Readonly<Record<string, number>> | null;
  readonly first: readonly PreviewRow[];
}

export interface Preview {
  /** Base names of the sources. */
  readonly sources: readonly string[];
  readonly steps: readonly StepPreview[];
  /** The first rows rejected so far. */
  readonly bad: readonly BadRow[];
  /** What a build would say of the data, a sentence each. */
  readonly notes: readonly string[];
  /** Why the plan went no further, or null. */
  readonly refusal: Refusal | null;
}

const valueCharactersMax = 2000;
const badShown = 10;

/** `rows`: how many of the first rows to show after each step. */
export async function previewPlan(
  declaration: Declaration,
  rows: number,
  options: BuildOptions,
): Promise<Outcome<Preview>> {
  return withEngine(declaration, options, async (engine, workDir) => {
    const loaded = await loadSources(engine, declaration, workDir);
    if (!loaded.ok) return loaded;
    await engine.lock();
    const scannedBad = loaded.value.reduce((sum, source) => sum + source.badCount, 0);
    const steps: StepPreview[] = [];
    const planned = await runPlan(engine, declaration, loaded.value, async (view) => {
      steps.push(await stepPreview(engine, view, rows, scannedBad));
    });
    const finished = planned.ok
      ? await finishPlan(engine, declaration, loaded.value, planned.value)
      : planned;
    if (planned.ok && finished.ok) {
      const { output } = finished.value;
      const columns = output.columns.slice(0, output.columns.length - output.raw.length);
      const shown = await featureView(engine, declaration, planned.value.relation, columns);
      if (shown !== null) steps.push(await stepPreview(engine, shown, rows, scannedBad));
    }
    const rejected = await engine.rows(
      `SELECT __file, __line, nullif(__column, ''), __value, ltrim(__reason, '!') FROM bad_row ORDER BY __file, __line LIMIT ${badShown}`,
    );
    const bad = [
      ...loaded.value.flatMap((source) => source.bad),
      ...rejected.map(([file, ...rest]) => badRowOf(loaded.value[Number(file)]?.name ?? "", rest)),
    ].slice(0, badShown);
    return accept({
      sources: loaded.value.map(({ name }) => name),
      steps,
      bad,
      notes: finished.ok ? finished.value.notes : [],
      refusal: finished.ok ? null : finished.refusal,
    });
  });
}

/** What training reads, as the step `features` makes it; null where the plan has no such step. */
async function featureView(
  engine: Engine,
  { plan }: Declaration,
  relation: string,
  output: readonly OutputColumn[],
): Promise<StepView | null> {
  const at = plan.findIndex(({ step }) => step === "features");
  const step = plan[at];
  if (step === undefined) return null;
  const columns = output.slice(placeColumns.length).map(({ name, sql, type }) => ({ name, sql, type }));
  const made = columns.map(({ name, sql, type }) => `CAST(${sql} AS ${type}) AS ${id(name)}`);
  await engine.run(
    `CREATE VIEW features_shown AS SELECT ${["__file", "__line", "__split", "__reason", ...made].join(", ")} FROM ${relation}`,
  );
  return { index: at + 1, step, relation: "features_shown", columns };
}

async function stepPreview(
  engine: Engine,
  view: StepView,
  rows: number,
  scannedBad: number,
): Promise<StepPreview> {
  const { index, step, relation, columns } = view;
  const count = await engine.count(`SELECT count(*) FROM ${relation} WHERE __reason IS NULL`);
  const rejected = await engine.count(
    `SELECT (SELECT count(*) FROM bad_row) + (SELECT count(*) FROM ${relation} WHERE __reason IS NOT NULL)`,
  );
  const values = columns.map(({ name }) => `left(CAST(${id(name)} AS VARCHAR), ${valueCharactersMax})`);
  const first = await engine.rows(
    `SELECT ${["__file", "__line", "__split", ...values].join(", ")} FROM ${relation} WHERE __reason IS NULL ORDER BY __file, __line LIMIT ${rows}`,
  );
  const splits =
    step?.step === "split"
      ? await engine.rows(`SELECT __split, count(*) FROM ${relation} GROUP BY 1 ORDER BY 1`)
      : null;
  const textOf = (value: unknown) => (typeof value === "string" ? value : null);
  return {
    index,
    step,
    columns,
    rows: count,
    badRows: scannedBad + rejected,
    splits:
      splits === null
        ? null
        : Object.fromEntries(splits.map(([name, number]) => [String(name), Number(number)])),
    first: first.map(([file, line, split, ...rest]) => ({
      file: Number(file),
      line: Number(line),
      split: textOf(split),
      values: rest.map(textOf),
    })),
  };
}
