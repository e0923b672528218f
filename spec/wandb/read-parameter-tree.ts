/**
 * The `parameters` of a W&B sweep file, which may nest: ours are flat, with the path as their name. How one parameter is read
 * is not here.
 */
import { pathOf } from "../../protocol/nested-name.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import { noteAt, refuseAt, type ImportReading } from "../import/import-reading.ts";
import type { CommandSweep } from "../sweep/command-sweep.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import type { Path } from "../yaml/located-yaml.ts";
import type { ReadParameter } from "./convert-distribution.ts";
import { readParameter } from "./read-wandb-parameter.ts";

export type ParameterTree = Pick<CommandSweep, "space" | "nested" | "paths" | "spelling">;

interface Leaf {
  readonly field: Path;
  readonly path: readonly string[];
  readonly read: ReadParameter;
}

export function readParameterTree(reading: ImportReading, raw: unknown, method: string): ParameterTree {
  const base = ["parameters"];
  const nested: string[] = [];
  const leaves = leavesOf(reading, { field: base, path: [] }, raw, method, nested);
  const found = new Map<string, Leaf>();
  for (const leaf of leaves) {
    const name = leaf.path.join(".");
    const before = found.get(name);
    if (before === undefined) found.set(name, leaf);
    else
      refuseAt(
        reading,
        leaf.field,
        `${before.field.join(".")} on line ${reading.yaml.lineOf(before.field)} has the same name, ${name}; rename one of them`,
      );
  }
  const top = leaves.filter(({ path }) => path.length > 1).map(({ path: [first = ""] }) => `${first}.…`);
  if (top.length > 0) {
    noteAt(
      reading,
      base,
      `nested parameters are searched as ${[...new Set(top)].join(", ")} and passed as one argument each, as W&B does`,
    );
  }
  const entries = [...found];
  return {
    space: Object.fromEntries(
      entries.map(([name, { read }]): [string, Distribution] => [name, read.distribution]),
    ) satisfies Space,
    nested,
    paths: Object.fromEntries(
      entries
        .filter(([name, { path }]) => JSON.stringify(pathOf(name, nested)) !== JSON.stringify(path))
        .map(([name, { path }]) => [name, path]),
    ),
    spelling: Object.fromEntries(
      entries
        .filter(([, { read }]) => Object.keys(read.spelling).length > 0)
        .map(([name, { read }]) => [name, read.spelling]),
    ),
  };
}

/** In the file's order; the prefixes on the way are added to `nested`. */
function leavesOf(
  reading: ImportReading,
  { field: base, path: prefix }: Pick<Leaf, "field" | "path">,
  raw: unknown,
  method: string,
  nested: string[],
): Leaf[] {
  if (raw === null || typeof raw !== "object" || Array.isArray(raw)) return [];
  if (Object.keys(raw).length === 0) refuseAt(reading, base, "names no parameter");
  return [...entriesOf(raw)].flatMap(([key, value]): Leaf[] => {
    const at = { field: [...base, key], path: [...prefix, key] };
    const entries = entriesOf(value);
    if (!entries.has("parameters")) {
      const read = readParameter(reading, at.field, value, method);
      return read === null ? [] : [{ ...at, read }];
    }
    for (const other of entries.keys())
      if (other !== "parameters")
        refuseAt(reading, [...at.field, other], "unknown key beside parameters, which stands alone");
    nested.push(at.path.join("."));
    return leavesOf(
      reading,
      { ...at, field: [...at.field, "parameters"] },
      entries.get("parameters"),
      method,
      nested,
    );
  });
}
