/**
 * A body of CSV, with one line of names: records of texts, null for an empty cell. Where its records begin and end is `data/source/record.ts`'s, as of
 * files; one that a file would pass over is refused here, for whoever sent it is there to hear it.
 */
import { cutRecords, fieldsOf } from "../../data/source/record.ts";
import { turnDown, type Reading } from "./http-refusal.ts";

export interface CsvRows {
  readonly names: readonly string[];
  readonly records: readonly (readonly (string | null)[])[];
}

const delimiter = ",";
const quote = '"';
const dialect = { delimiter: delimiter.charCodeAt(0), quote: quote.charCodeAt(0) };
const mark = Buffer.from("\uFEFF");

/** `bytes`: of UTF-8. `rowsMax`: more are refused. */
export function readCsv(bytes: Buffer, rowsMax: number): Reading<CsvRows> {
  const body = bytes.subarray(0, mark.length).equals(mark) ? bytes.subarray(mark.length) : bytes;
  const lines: (readonly string[])[] = [];
  let records = 0;
  let fault: string | null = null;
  cutRecords(body, body.length, true, dialect, ({ from, open, to, torn }) => {
    if (from === to || fault !== null) return;
    records++;
    if (open) fault = `line ${records} of the CSV has a quote that does not end`;
    else if (torn) fault = `line ${records} of the CSV has text after a quote that ends`;
    else if (records <= rowsMax + 1) lines.push(fieldsOf(body.toString("utf8", from, to), delimiter, quote));
  });
  if (fault !== null) return turnDown(400, fault);
  if (records > rowsMax + 1)
    return turnDown(413, `the CSV has more than ${rowsMax} rows; one request takes at most that`);
  const [names, ...rows] = lines;
  if (names === undefined) return turnDown(400, "the CSV is empty; its first line names the columns");
  return {
    ok: true,
    value: { names, records: rows.map((fields) => fields.map((field) => (field === "" ? null : field))) },
  };
}
