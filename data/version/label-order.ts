/**
 * The labels of a version, trimmed already (`run-plan.ts`), numbered: in the order of the map that made them, the others by number or by code unit. And
 * whether they can be learned: two or more, each with rows to train on and with more than one row.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Declaration } from "../declaration/declaration.ts";
import type { Engine } from "../engine/sql-engine.ts";
import type { LoadedSource } from "../source/load-source.ts";
import { id, lit } from "../engine/sql.ts";

export async function labelOrder(
  engine: Engine,
  declaration: Declaration,
  sources: readonly LoadedSource[],
  relation: string,
): Promise<Outcome<readonly string[]>> {
  const { form } = declaration;
  const column = form.kind === "text" ? form.label : form.target;
  const role = form.kind === "text" ? "label" : "target";
  const rows = await engine.rows(
    `SELECT CAST(${id(column)} AS VARCHAR) AS l, count(*), count(*) FILTER (WHERE __split = 'train') FROM ${relation} GROUP BY l`,
  );
  const found = new Map(
    rows.map(([label, all, train]) => [String(label), { all: Number(all), train: Number(train) }]),
  );
  const labels = inOrder([...found.keys()], declaration, column);
  const [only = ""] = labels;
  if (labels.length < 2) {
    return refuse(
      "invalid",
      `${sources[0]?.path ?? ""}: every line has the ${role} "${only}"; classification needs two or more`,
    );
  }
  for (const label of labels) {
    const counts = found.get(label);
    if (counts === undefined || (counts.all > 1 && counts.train > 0)) continue;
    const [[file, line] = []] = await engine.rows(
      `SELECT __file, __line FROM ${relation} WHERE CAST(${id(column)} AS VARCHAR) = ${lit(label)} ORDER BY 1, 2 LIMIT 1`,
    );
    const where = `${sources[Number(file)]?.path ?? ""}, line ${Number(line)}, column ${column}, ${JSON.stringify(label)}`;
    return refuse(
      "invalid",
      counts.all === 1
        ? `${where}: no other row has this ${role}; a class needs rows to train on and rows to test with, so add some, or leave it out with filter`
        : `${where}: no row of the training split has this ${role}; it cannot be learned`,
    );
  }
  return accept(labels);
}

function inOrder(found: readonly string[], declaration: Declaration, column: string): string[] {
  const mapped = declaration.plan.flatMap((step) =>
    step.step === "map-label" && (step.to ?? step.column) === column
      ? step.map.map(([, label]) => label)
      : [],
  );
  const first = [...new Set(mapped)].filter((label) => found.includes(label));
  const rest = found.filter((label) => !first.includes(label));
  const numbers = rest.every((label) => label.trim() !== "" && Number.isFinite(Number(label)));
  rest.sort((a, b) => (numbers ? Number(a) - Number(b) : 0) || (a < b ? -1 : 1));
  return [...first, ...rest];
}
