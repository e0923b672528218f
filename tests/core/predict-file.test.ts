/** A file of rows answered: every form it may have, lines that are no rows, and what is left where it is stopped. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { openEngine } from "../../data/engine/sql-engine.ts";
import { lit } from "../../data/engine/sql.ts";
import { predictFile, type BadRow, type PredictFileOptions } from "../../client/predict/predict-file.ts";
import { fieldsOf } from "../../data/source/record.ts";
import type { OpenedModel } from "../../serving/model/open-served-model.ts";
import { buildFolder, built, put } from "../support/dataset-build.ts";
import { openTrained } from "../support/trained-model.ts";

const colours = ["red", "green", "blue"];
const names = ["lion", "cat", "dog", "cow", "horse", "bee", "ant", "owl", "fox", "elk", "emu"];

async function moodModel(): Promise<OpenedModel> {
  const lines = Array.from({ length: 66 }, (_, at) => {
    const about = `${names[at % 11] ?? ""} ${colours[at % 3] ?? ""} ${String.fromCodePoint(97 + (at % 26))}`;
    return at % 2 === 0 ? `a good ${about},up` : `some bad ${about},down`;
  });
  put("moods.csv", `text,mood\n${lines.join("\n")}\n`);
  const version = await built(
    "name: moods\nsources: [{ path: moods.csv }]\nplan:\n  - map-label: { column: mood, from: { up: good, down: bad } }\ntext: text\nlabel: mood\n",
  );
  return openTrained(version, "text-classification", "linear");
}

async function priceModel(): Promise<OpenedModel> {
  const lines = Array.from(
    { length: 60 },
    (_, at) => `${colours[at % 3] ?? ""},${at % 7},${(at % 5) * 1.5},${(at % 7) * 2 + 1}`,
  );
  put("prices.csv", `colour,rooms,size,price\n${lines.join("\n")}\n`);
  const version = await built(
    "name: prices\nsources: [{ path: prices.csv }]\nplan:\n  - features: { numeric: standard }\ntarget: price\nfeatures: [colour, rooms, size]\n",
  );
  return openTrained(version, "tabular", "linear");
}

interface Run {
  readonly done: Awaited<ReturnType<typeof predictFile>>;
  readonly text: string;
  readonly bad: readonly BadRow[];
  readonly said: readonly string[];
}

async function run(model: OpenedModel, file: string, more: Partial<PredictFileOptions> = {}): Promise<Run> {
  let text = "";
  const bad: BadRow[] = [];
  const said: string[] = [];
  const done = await predictFile({
    model,
    file,
    stdin: streamOf([]),
    out: null,
    format: "csv",
    only: false,
    explainer: null,
    pour: (piece) => {
      text += piece;
      return Promise.resolve();
    },
    say: (line) => said.push(line),
    onBad: (row) => {
      bad.push(row);
      return Promise.resolve();
    },
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...more,
  });
  return { done, text, bad, said };
}

async function* streamOf(pieces: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

async function* sayingOnce(piece: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(piece);
  await Promise.withResolvers<never>().promise;
}

function valueOf({ done }: Run) {
  assert.ok(done.ok, done.ok ? "" : done.refusal.message);
  return done.value;
}

const lines = (text: string) => text.trimEnd().split("\n");

test("PREDICT-2: the rows' own columns stay, then the prediction and a probability for each label", async () => {
  const model = await moodModel();
  const file = put(
    "rows.csv",
    'id,text,mood\n7,"a good, ""old"" lion",up\n8,some bad cow,up\n9,a good bee,\n',
  );
  const ran = await run(model, file);
  const [header, first, ...rest] = lines(ran.text);
  assert.equal(header, "id,text,mood,prediction,probability.good,probability.bad");
  assert.match(first ?? "", /^7,"a good, ""old"" lion",up,good,0\.\d+,0\.\d+$/u);
  assert.equal(rest.length, 2);
  const { bad, rightness, rows } = valueOf(ran);
  assert.deepEqual([rows, bad], [3, 0]);
  // The truth goes through the plan: up is good. Two rows carry one.
  assert.deepEqual(rightness, { kind: "labels", rows: 2, accuracy: 0.5 });
  const only = await run(model, file, { only: true });
  assert.deepEqual(lines(only.text), ["prediction", "good", "bad", "good"]);
  model.dispose();
});

test("PREDICT-3: a line that is no row and a row that does not fit are told with their line and stop nothing", async () => {
  const model = await priceModel();
  const file = put(
    "rough.csv",
    'rooms,colour,size\n3,red,1.5\n4,red\n"x"y,red,1\nmany,red,2\n\n5,"two\nlines",3\n6,pink,inf\n',
  );
  const ran = await run(model, file);
  const { bad, rightness, rows } = valueOf(ran);
  assert.deepEqual([rows, bad, rightness], [3, 3, null]);
  assert.deepEqual(ran.bad, [
    { line: 3, column: null, value: "4,red", reason: "it has 2 fields and should have 3" },
    {
      line: 4,
      column: null,
      value: '"x"y,red,1',
      reason: "text follows a closing quote; a quote inside a quoted value is doubled",
    },
    { line: 5, column: "rooms", value: "many", reason: "it is no integer" },
  ]);
  // The row that does not fit keeps its place.
  assert.match(ran.text, /\nmany,red,2,\n5,"two\nlines",3,[\d.-]+\n6,pink,inf,[\d.-]+\n$/u);
  model.dispose();
});

test("PREDICT-2: CSV, JSON lines and Parquet, in and out, from a file or a stream, say the same", async () => {
  const model = await priceModel();
  const rows = [
    { colour: "red", rooms: 3, size: 1.5, price: 7 },
    { colour: "pink", rooms: null, size: 4.5, price: 5 },
    { colour: null, rooms: 6, size: null, price: 13 },
  ];
  const csv = `colour,rooms,size,price\n${rows.map((row) => Object.values(row).join(",")).join("\n")}\n`;
  const jsonl = rows.map((row) => JSON.stringify(row)).join("\n");
  const files = [
    put("same.csv", csv),
    put("semicolon.csv", csv.replaceAll(",", ";")),
    put("same.tsv", csv.replaceAll(",", "\t")),
    put("same.jsonl", jsonl),
  ];
  const expected = lines((await run(model, files[0] ?? "")).text).map((line) => line.split(",").at(-1));
  for (const file of files) {
    const ran = await run(model, file);
    assert.deepEqual(
      lines(ran.text).map((line) => line.split(",").at(-1)),
      expected,
      file,
    );
    const { rightness } = valueOf(ran);
    assert.ok(
      rightness?.kind === "values" && rightness.rows === 3 && rightness.rmse >= rightness.meanAbsoluteError,
    );
  }
  for (const pieces of [[csv], [...csv], [jsonl], [...jsonl]]) {
    const streamed = await run(model, "-", { stdin: streamOf(pieces) });
    assert.deepEqual(
      lines(streamed.text).map((line) => line.split(",").at(-1)),
      expected,
    );
  }
  const parquet = join(buildFolder, "answered.parquet");
  valueOf(await run(model, files[0] ?? "", { out: parquet, format: "parquet" }));
  const engine = await openEngine({ workDir: buildFolder, threads: 1, memoryMiB: 256, onDisk: false });
  const found = await engine.rows(`SELECT colour, rooms, prediction FROM read_parquet(${lit(parquet)})`);
  assert.deepEqual(
    found.map(([colour, rooms]) => [colour, rooms]),
    [
      ["red", "3"],
      ["pink", null],
      [null, "6"],
    ],
  );
  assert.deepEqual(
    found.map(([, , prediction]) => Math.fround(Number(prediction))),
    expected.slice(1).map((text) => Math.fround(Number(text))),
  );
  engine.close();
  // And read again: the prediction that it has is in the way.
  const again = await run(model, parquet);
  assert.ok(
    !again.done.ok && again.done.refusal.message.startsWith('the rows have a column "prediction" already'),
  );
  const once = await run(model, parquet, { only: true });
  assert.deepEqual(lines(once.text), expected);
  const out = join(buildFolder, "answered.jsonl");
  valueOf(await run(model, files[3] ?? "", { out, format: "jsonl" }));
  assert.deepEqual(
    lines(readFileSync(out, "utf8")).map((line): unknown => JSON.parse(line)),
    rows.map((row, at) => ({ ...row, prediction: Number(expected[at + 1]) })),
  );
  model.dispose();
});

test("PREDICT-2: a file with one other column that is plainly the text is read, and that is said", async () => {
  const model = await moodModel();
  const wordy = put("wordy.csv", "id,day,remark\n1,mon,a good old lion\n2,tue,some bad cow\n");
  const ran = await run(model, wordy);
  assert.deepEqual(valueOf(ran).rows, 2);
  assert.deepEqual(ran.said, [`${wordy} has no column "text"; column "remark" is taken for the text`]);
  const two = await run(model, put("two.csv", "a,b\nsome words here,more words there\n"));
  assert.ok(
    !two.done.ok && /there is no column "text", which the model reads/u.test(two.done.refusal.message),
  );
  for (const [content, sentence] of [
    ["", /holds no row$/u],
    ["text\n", /holds no row$/u],
    ['[{"text": "a"}]', /is a JSON array/u],
    ["PK\u0003\u0004\u0000\u0000", /is a ZIP archive/u],
    ["{}\n", /holds no JSON object/u],
  ] as const) {
    const refused = await run(model, put("strange", content));
    assert.ok(!refused.done.ok, content);
    assert.match(refused.done.refusal.message, sentence);
  }
  const missing = await run(model, join(buildFolder, "nowhere.csv"));
  assert.ok(!missing.done.ok);
  model.dispose();
});

test("PREDICT-3: a text of a megabyte is a text, one of ten is told, wherever they stand", async () => {
  const model = await moodModel();
  const long = (characters: number) => "good lion ".repeat(characters / 10);
  const texts = [long(1_000_000), "some bad cow", long(10_000_000), "a good bee"];
  const files = [
    put("long.jsonl", texts.map((text) => JSON.stringify({ text })).join("\n")),
    put("long.csv", `text\n${texts.join("\n")}\n`),
    put("long-quoted.csv", `text\n${texts.map((text) => `"${text}"`).join("\n")}\n`),
  ];
  for (const [at, file] of files.entries()) {
    const ran = await run(model, file, { only: true });
    assert.deepEqual(lines(ran.text), ["prediction", "good", "bad", "good"], file);
    assert.deepEqual(
      ran.bad.map(({ line }) => line),
      [at === 0 ? 3 : 4],
    );
    assert.match(ran.bad[0]?.reason ?? "", /longer than 8 MiB|never closed/u);
  }
  model.dispose();
});

test("PREDICT-4: what is stopped or refused leaves no file under the name", async () => {
  const model = await moodModel();
  const out = join(buildFolder, "half", "out.csv");
  put("half/there", "");
  const stop = new AbortController();
  const many = `text\n${"a good lion\n".repeat(100_000)}`;
  const ran = await run(model, put("many.csv", many), {
    out,
    signal: stop.signal,
    onProgress: () => stop.abort(),
  });
  assert.ok(!ran.done.ok);
  assert.ok(!existsSync(out));
  assert.deepEqual(readdirSync(join(buildFolder, "half")), ["there"]);
  // Also while a stream that says nothing is waited for.
  const waiting = new AbortController();
  const silent = await run(model, "-", {
    out,
    stdin: sayingOnce("text\na good lion\n"),
    signal: waiting.signal,
    onProgress: () => waiting.abort(),
  });
  assert.ok(!silent.done.ok);
  assert.deepEqual(readdirSync(join(buildFolder, "half")), ["there"]);
  model.dispose();
});

test("PREDICT-2: whatever cells hold, they come back as they were, each row with the answer to its text", async () => {
  const model = await moodModel();
  const cell = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.replaceAll("\0", "").toWellFormed()),
    fc.constantFrom('"', ",", "a\nb", "a\r\nb", " ", "=1+1", "é", "\u{1f600}", "good lion", "bad"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 20 }), async (cells) => {
      const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
      const given = cells.map(([other, text]) => [other, `x${text}`] as const);
      const csv = `other,text\n${given.map((row) => row.map(quote).join(",")).join("\n")}\n`;
      const ran = await run(model, put("any.csv", csv));
      valueOf(ran);
      const records = recordsOf(ran.text);
      assert.equal(records.length, given.length + 1);
      for (const [at, [other, text]] of given.entries()) {
        const [ownOther, ownText, prediction] = records[at + 1] ?? [];
        assert.deepEqual([ownOther, ownText], [other, text]);
        const answer = model.answerTexts?.([text]) ?? [];
        assert.equal(prediction, (answer[0] ?? 0) >= (answer[1] ?? 0) ? "good" : "bad");
      }
    }),
    { numRuns: 40, endOnFailure: true },
  );
  model.dispose();
});

/** Records of CSV, read apart from the writer: by its quotes. */
function recordsOf(csv: string): readonly (readonly string[])[] {
  const records: string[] = [];
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at < csv.length; at++) {
    if (csv[at] === '"') isQuoted = !isQuoted;
    if (csv[at] !== "\n" || isQuoted) continue;
    records.push(csv.slice(from, at));
    from = at + 1;
  }
  return records.map((record) => fieldsOf(record, ",", '"'));
}
