/**
 * Functions of texts that DuckDB lacks, run in JavaScript, and the SQL that calls them only for the rows that need it.
 * Each is a plain function of its text, so that threads and order do not matter.
 */
import type * as duckdb from "@duckdb/node-api";
import { normaliseText } from "../row/split.ts";
import { decodeHtml, stripTags } from "./html.ts";

const functions: Readonly<Record<string, (text: string) => string>> = {
  tm_normalise: normaliseText,
  tm_nfkc: (text) => text.normalize("NFKC"),
  tm_html: (text) => stripTags(decodeHtml(text)),
};

export function registerTextFunctions(api: typeof duckdb, connection: duckdb.DuckDBConnection): void {
  for (const [name, of] of Object.entries(functions)) {
    connection.registerScalarFunction(
      api.DuckDBScalarFunction.create({
        name,
        parameterTypes: [api.VARCHAR],
        returnType: api.VARCHAR,
        mainFunction: (_, input, output) => {
          const column = input.getColumnVector(0);
          for (let row = 0; row < input.rowCount; row++) {
            const text = column.getItem(row);
            output.setItem(row, typeof text === "string" ? of(text) : null);
          }
          output.flush();
        },
      }),
    );
  }
}

/** SQL that is true where white space is more than single spaces between words. Searches are many times faster than a regular expression. */
function hasLooseSpace(text: string): string {
  const controls = [9, 10, 11, 12, 13].map((code) => `contains(${text}, chr(${code}))`);
  return [`contains(${text}, '  ')`, `starts_with(${text}, ' ')`, `suffix(${text}, ' ')`, ...controls].join(
    " OR ",
  );
}

/** Every white space that Unicode knows, for RE2 leaves out U+0085. What has no width is none. */
const whiteSpace = "[\\s\\v\\x{85}\\p{Z}]";

/** SQL for a text without white space at its ends, as labels and groups are told apart. */
export function trimmed(text: string): string {
  return `regexp_replace(${text}, '^${whiteSpace}+|${whiteSpace}+$', '', 'g')`;
}

function isAscii(text: string): string {
  return `strlen(${text}) = length(${text})`;
}

/** SQL for a text with each run of white space as one space, and none at its ends. */
export function singleSpaced(text: string): string {
  const slow = `trim(regexp_replace(${text}, '[\\s\\v\\p{Z}]+', ' ', 'g'))`;
  return `CASE WHEN ${isAscii(text)} AND NOT (${hasLooseSpace(text)}) THEN ${text} ELSE ${slow} END`;
}

/** SQL for a text in Unicode form NFKC. */
export function nfkc(text: string): string {
  return `CASE WHEN ${isAscii(text)} THEN ${text} ELSE tm_nfkc(${text}) END`;
}

/** SQL for `normaliseText`: plain ASCII in DuckDB, the rest in JavaScript. */
export function normalised(text: string): string {
  const hasDigit = [..."123456789"].map((digit) => `contains(${text}, '${digit}')`).join(" OR ");
  const lower = `CASE WHEN ${hasDigit} THEN regexp_replace(lower(${text}), '[1-9]', '0', 'g') ELSE lower(${text}) END`;
  const spaced = `trim(regexp_replace(${lower}, '[\\t\\n\\v\\f\\r ]+', ' ', 'g'))`;
  const ascii = `CASE WHEN ${hasLooseSpace(text)} THEN ${spaced} ELSE ${lower} END`;
  return `CASE WHEN ${isAscii(text)} THEN ${ascii} ELSE tm_normalise(${text}) END`;
}

/**
 * A 64-bit name for rows alike in these columns. Only a text is normalised: to fold case and digits of an id or a number
 * would put strangers together.
 */
export function groupKey(columns: readonly string[], isText: (column: string) => boolean): string {
  const parts = columns.map((column) => {
    const value = `CAST(${column} AS VARCHAR)`;
    return `coalesce(${isText(column) ? normalised(value) : value}, '')`;
  });
  return `md5_number_lower(${parts.length === 1 ? (parts[0] ?? "''") : `concat_ws(chr(31), ${parts.join(", ")})`})`;
}

/** SQL that is true where `tm_html` would change something. */
export function hasHtml(text: string): string {
  return `contains(${text}, '&') OR contains(${text}, '<') OR (contains(${text}, '#') AND regexp_matches(${text}, '#[0-9A-Za-z]+;'))`;
}
