/** Spelling of names and values in SQL, and of the columns that only a build sees. No queries. */

/** A name in double quotes. */
export function id(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text in single quotes. */
export function lit(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Every row carries these through all steps; a user's column may not begin like them. */
export const internalPrefix = "__";
export const internalColumns = [
  "__file", // INTEGER: index of the source
  "__line", // BIGINT: line in its file, from 1
  "__split", // VARCHAR: the source's official split, or NULL
  "__near", // VARCHAR: name of its group of near-duplicates, or NULL
  "__column", // VARCHAR: where it is bad
  "__value", // VARCHAR: what stands there
  "__reason", // VARCHAR: why it is rejected, or NULL for a good row; after a "!" the build is refused at once
] as const;

/** A condition under which a row is bad. All are SQL expressions, of text but the condition and the value. */
export interface Mark {
  readonly when: string;
  readonly column: string;
  readonly value: string;
  readonly reason: string;
}

export const valueCharactersMax = 200;

/** `a AS __column, b AS __value, c AS __reason`: the first fault of a row stays. */
export function markColumns(marks: readonly Mark[], before: boolean): string {
  const pick = (column: string, of: (mark: Mark) => string) => {
    const old = before ? `WHEN __reason IS NOT NULL THEN ${column}` : "";
    const cases = marks.map((mark) => `WHEN ${mark.when} THEN ${of(mark)}`).join(" ");
    if (marks.length === 0) return before ? column : `CAST(NULL AS VARCHAR) AS ${column}`;
    // Where every case is known to be none, DuckDB takes the whole for a number.
    return `CAST(CASE ${old} ${cases} END AS VARCHAR) AS ${column}`;
  };
  return [
    pick("__column", (mark) => mark.column),
    pick("__value", (mark) => `left(CAST(${mark.value} AS VARCHAR), ${valueCharactersMax})`),
    pick("__reason", (mark) => mark.reason),
  ].join(", ");
}

export const sqlTypes = {
  text: "VARCHAR",
  integer: "BIGINT",
  number: "DOUBLE",
  boolean: "BOOLEAN",
  date: "DATE",
  timestamp: "TIMESTAMP",
} as const;
