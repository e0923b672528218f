/**
 * Answers rows with the model in this folder.
 *
 *     node predict.mjs --text "some text"          (models of texts)
 *     node predict.mjs rows.csv                    (or rows.jsonl, or - for JSON lines on standard input)
 *     node predict.mjs --check                     (are the answers those of the model that was exported?)
 *
 * Prints one JSON object for each row. README.md says which packages it needs.
 */
import { readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { RowError, Transform } from "./transform.mjs";

const folder = dirname(fileURLToPath(import.meta.url));
const batchRows = 256;
/** Of the longest row of a batch times its rows: a long text is answered with few beside it. */
const batchCharacters = 2 ** 16;

export async function openPredictor() {
  const transform = new Transform(folder);
  const { openModel } = await import("./model.mjs");
  const model = await openModel(folder);
  const { labels } = transform;
  return {
    transform,
    /** rows: objects by column. Gives a list of probabilities for each row, or of its one value. */
    answer: async (rows) => {
      const answers = [];
      for (const batch of batches(rows)) {
        const numbers = await model.run(transform.inputs(batch));
        const width = labels?.length ?? 1;
        batch.forEach((_, at) => answers.push([...numbers.subarray(at * width, (at + 1) * width)]));
      }
      return answers;
    },
    named: (answer) =>
      labels === null
        ? { prediction: answer[0] }
        : {
            prediction: labels[answer.indexOf(Math.max(...answer))],
            probabilities: Object.fromEntries(labels.map((label, at) => [label, answer[at]])),
          },
  };
}

function* batches(rows) {
  let batch = [];
  let longest = 0;
  for (const row of rows) {
    const texts = Object.values(row).filter((value) => typeof value === "string");
    const length = texts.reduce((sum, text) => sum + text.length, 0);
    const full =
      batch.length === batchRows || Math.max(longest, length) * (batch.length + 1) > batchCharacters;
    if (batch.length > 0 && full) {
      yield batch;
      batch = [];
      longest = 0;
    }
    batch.push(row);
    longest = Math.max(longest, length);
  }
  if (batch.length > 0) yield batch;
}

function readRows(path, columns) {
  const text = new TextDecoder().decode(readFileSync(path === "-" ? 0 : path));
  if (!path.toLowerCase().endsWith(".csv"))
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => JSON.parse(line));
  const [head = [], ...records] = readCsv(text);
  const absent = columns.find((column) => !head.includes(column));
  if (absent !== undefined)
    throw new RowError(`${path} has no column "${absent}"; it has ${head.join(", ")}`);
  return records.map((cells) => Object.fromEntries(head.map((name, at) => [name, cells[at] ?? null])));
}

/** RFC 4180: cells between commas, those in quotes with anything in them. */
function readCsv(text) {
  const records = [];
  let record = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n|\n|\r|$)/gy;
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const found = cell.exec(text);
    if (found === null) throw new RowError(`a cell at character ${at + 1} has a quote that does not close`);
    const [, quoted, plain, end] = found;
    record.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ",") {
      if (cell.lastIndex === text.length) record.push("");
      continue;
    }
    if (record.length > 1 || record[0] !== "") records.push(record);
    record = [];
  }
  if (record.length > 0) records.push(record);
  return records;
}

async function check(predictor) {
  const { expected, inputs, scale, tolerance } = JSON.parse(
    readFileSync(join(folder, "example.json"), "utf8"),
  );
  const answers = (await predictor.answer(inputs)).flat();
  const off = expected
    .flat()
    .map((wanted, at) => Math.abs(wanted - answers[at]) / Math.max(scale, Math.abs(wanted)));
  const largestDifference = off.reduce((most, one) => (one > most || Number.isNaN(one) ? one : most), 0);
  const equal = largestDifference <= tolerance;
  console.log(JSON.stringify({ rows: inputs.length, largestDifference, equal }));
  return equal ? 0 : 1;
}

const usage = 'give --text "…", a file of rows (.csv, .jsonl, or -), or --check';

async function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      text: { type: "string", multiple: true, default: [] },
      check: { type: "boolean", default: false },
    },
  });
  const [file] = positionals;
  if (!values.check && file === undefined && values.text.length === 0) throw new RowError(usage);
  const predictor = await openPredictor();
  if (values.check) return check(predictor);
  const { columns } = predictor.transform;
  const rows = values.text.map((text) => ({ [columns[0]]: text }));
  if (file !== undefined) rows.push(...readRows(file, columns));
  for (const batch of batches(rows))
    for (const answer of await predictor.answer(batch)) console.log(JSON.stringify(predictor.named(answer)));
  return 0;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof RowError || error instanceof SyntaxError || error.code !== undefined)) throw error;
    const missing =
      error.code === "ERR_MODULE_NOT_FOUND" ? /package '([^']+)'/.exec(error.message)?.[1] : undefined;
    const why =
      missing === undefined
        ? error.message
        : `the package ${missing} is missing; \`npm install ${missing}\` brings it in (README.md names all)`;
    console.error(`predict.mjs: ${why}`);
    process.exitCode = 1;
  }
}
