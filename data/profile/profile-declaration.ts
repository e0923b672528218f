/**
 * The profile of what a declaration's sources hold after its steps, before they are split: with all columns, and with the
 * rows that a build would drop because a held-out split has their text. A version no longer holds those, so this is
 * where leaks of official splits show.
 */
import { join } from "node:path";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { loadSources } from "../source/load-source.ts";
import { internalPrefix, lit } from "../engine/sql.ts";
import type { Declaration } from "../declaration/declaration.ts";
import { runPlan } from "../plan/run-plan.ts";
import type { Profile } from "./profile.ts";
import { columnsOf, scanOptions, withEngine, type ProfileOptions } from "./profile-file.ts";
import { profileRows } from "./profile-rows.ts";

const placeColumns = { split: "__split", file: "__file", line: "__line" } as const;

export async function profileDeclaration(
  declaration: Declaration,
  options: ProfileOptions,
): Promise<Outcome<Profile>> {
  const { form, plan, name } = declaration;
  const splitAt = plan.findIndex((step) => step.step === "split");
  const stepsBefore = splitAt === -1 ? plan.filter((step) => step.step !== "features").length : splitAt;
  return withEngine(options, name, async (engine, folder) => {
    const loaded = await loadSources(engine, declaration, folder);
    if (!loaded.ok) return loaded;
    await engine.lock();
    const path = join(folder, "rows.parquet");
    let official = false;
    let written = false;
    const planned = await runPlan(engine, declaration, loaded.value, async ({ index, relation }) => {
      if (index !== stepsBefore) return;
      const good = `FROM ${relation} WHERE __reason IS NULL`;
      official = (await engine.count(`SELECT count(*) ${good} AND __split IS NOT NULL`)) > 0;
      await engine.run(
        `COPY (SELECT * REPLACE (coalesce(__split, 'train') AS __split) ${good} ORDER BY __file, __line) TO ${lit(path)} (FORMAT parquet)`,
      );
      written = true;
    });
    // What the plan does after these rows may be refused without taking anything from what they are like.
    if (!written) return planned.ok ? refuse("invalid", `${name}: its plan gives no rows`) : planned;
    const columns = (await columnsOf(engine, path)).filter(
      (column) => !column.name.startsWith(internalPrefix),
    );
    const names = columns.map((column) => column.name);
    const isClass = form.kind === "text" || form.task === "classification";
    const target = form.kind === "text" ? form.label : form.target;
    const targetType = columns.find((column) => column.name === target)?.type;
    const label = isClass || targetType === "VARCHAR" || targetType === "BOOLEAN" ? target : null;
    for (const wanted of [form.kind === "text" ? form.text : null, target]) {
      if (wanted === null || names.includes(wanted)) continue;
      return refuse("invalid", `${name}: there is no column "${wanted}"; ${suggestion(wanted, names)}`);
    }
    const profile = await profileRows(
      engine,
      {
        name,
        digest: null,
        path,
        files: loaded.value.map((source) => source.name),
        columns,
        ...placeColumns,
        split: official ? placeColumns.split : null,
        text: form.kind === "text" ? form.text : null,
        label,
        labelNames: null,
      },
      scanOptions(options),
    );
    return accept(profile);
  });
}
