/** Which values of a row mean that there is none: those that the dataset's sources take for it. */
import type { Declaration } from "../../data/declaration/declaration.ts";
import type { ColumnType } from "../../data/declaration/source.ts";
import type { Value } from "../../protocol/value.ts";

export interface MissingValues {
  isMissing(value: Value | null, type: ColumnType): value is null;
}

export function missingValues(declaration: Declaration): MissingValues {
  const { sources } = declaration;
  const signs = new Set(sources.flatMap((source) => ("missing" in source ? source.missing : [])));
  // An empty text is a text in JSON and none in CSV.
  const keepsEmpty = sources.some(({ format }) => format !== "csv" && format !== "tsv");
  return {
    isMissing: (value, type): value is null =>
      value === null ||
      value === undefined ||
      (value === "" && (type !== "text" || !keepsEmpty)) ||
      (typeof value === "string" && signs.size > 0 && signs.has(value)),
  };
}
