/** The columns that a transformation needs, found among those of rows as they came, and what is wrong where they are not there. */
import type { Column } from "../../data/plan/compile-step.ts";
import { suggestion } from "../../protocol/name.ts";
import { plural } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { InputRows } from "./input-rows.ts";
import type { Cells } from "./transform.ts";

/** In the order of `inputs`. */
export function givenColumns(inputs: readonly Column[], rows: InputRows): Outcome<readonly Cells[]> {
  const found: Cells[] = [];
  for (const { name } of inputs) {
    const cells = rows.columns.get(name);
    if (cells === undefined) {
      const names = [...rows.columns.keys()];
      const near = names.length === 0 ? "" : `; ${suggestion(name, names)}`;
      return refuse("invalid", `there is no column "${name}", which the model reads${near}`, [name]);
    }
    if (cells.length !== rows.count)
      return refuse(
        "invalid",
        `column "${name}" has ${plural(cells.length, "value")} and should have ${rows.count}`,
        [name],
      );
    found.push(cells);
  }
  return accept(found);
}
