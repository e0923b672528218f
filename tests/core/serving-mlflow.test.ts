/** MLflow's scoring protocol and the plain one as pure functions: each form of a request is the same rows, and each slip a sentence. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readCsv } from "../../serving/protocol/csv-rows.ts";
import { describeModel } from "../../serving/protocol/described-model.ts";
import { readInvocation, writeInvocation } from "../../serving/protocol/mlflow-request.ts";
import { readPlain } from "../../serving/protocol/plain-request.ts";
import { readContentType, type RequestBody } from "../../serving/protocol/request-body.ts";
import { rowsPerRequestMax } from "../../serving/protocol/serving-limit.ts";
import { tableModel, textModel } from "../support/stand-in-model.ts";

const texts = describeModel(textModel());
const table = describeModel(tableModel());

function body(value: unknown, type = "application/json"): RequestBody {
  const bytes = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  return { bytes, ...readContentType(type), inferenceHeader: null };
}

const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
const words = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.isWellFormed());
const rows = fc.array(
  fc.record({
    size: fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
    kind: words,
    note: fc.option(fc.integer()),
  }),
  { minLength: 1, maxLength: 8 },
);

describe("SERVE-17: each form of MLflow's protocol is the same rows", () => {
  test("of a table: split, records, inputs by column, instances, CSV, with columns that nobody wants", () => {
    fc.assert(
      fc.property(rows, (given) => {
        const list = given.map(({ kind, note, size }) => [note, size, "extra", kind]);
        const columns = ["note", "size", "more", "kind"];
        const csv = [
          columns.join(","),
          ...given.map(({ kind, note, size }) => [note ?? "", size, "extra", cell(kind)].join(",")),
        ];
        const forms: readonly RequestBody[] = [
          body({ dataframe_split: { columns, data: list, index: [] }, params: {} }),
          body({ dataframe_records: given.map((row) => ({ ...row, more: 1 })) }),
          body({
            inputs: {
              size: given.map(({ size }) => size),
              kind: given.map(({ kind }) => [kind]),
              note: given.map(({ note }) => note),
            },
          }),
          body({ instances: given }),
          body({ instances: given.map(({ kind, note, size }) => [size, kind, note]) }),
          body(csv.join("\n"), "text/csv; charset=utf-8"),
          body(`${csv.join("\r\n")}\r\n`, "text/csv"),
        ];
        for (const form of forms) {
          const read = readInvocation(form, table);
          assert.ok(read.ok && read.value.kind === "table", read.ok ? "" : read.down.message);
          assert.equal(read.value.count, given.length);
          for (const name of ["size", "kind", "note"] as const)
            assert.deepEqual(
              read.value.rows.columns.get(name),
              given.map((row) => row[name]),
            );
        }
      }),
    );
  });

  test("of texts", () => {
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 8 }), (given) => {
        const forms = [
          body({ dataframe_split: { columns: ["text"], data: given.map((text) => [text]) } }),
          body({ dataframe_split: { data: given.map((text) => [text]) } }),
          body({ dataframe_records: given.map((text) => ({ text })) }),
          body({ inputs: given }),
          body({ inputs: { text: given } }),
          body({ instances: given }),
          body(["text", ...given.map(cell)].join("\n"), "text/csv"),
        ];
        for (const form of forms) {
          const read = readInvocation(form, texts);
          assert.ok(read.ok, read.ok ? "" : read.down.message);
          assert.deepEqual(read.value, { kind: "texts", count: given.length, texts: given });
        }
      }),
    );
  });

  test("a regressor's answers are numbers", () => {
    const { body: written } = writeInvocation(table, 2, { kind: "values", values: Float32Array.of(1.5, -2) });
    assert.equal(written, '{"predictions":[1.5,-2]}');
  });

  test("any JSON, any CSV is refused with a sentence or is rows", () => {
    const nearly = fc.record(
      {
        dataframe_split: fc.jsonValue(),
        dataframe_records: fc.jsonValue(),
        inputs: fc.jsonValue(),
        instances: fc.jsonValue(),
        params: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const sent = fc.oneof(
      fc.jsonValue().map((value) => body(value)),
      nearly.map((value) => body(value)),
      fc.string().map((text) => body(text, "text/csv")),
      fc
        .array(fc.constantFrom("text", "size", "kind", ",", '"', "\n", "\r\n", "a", "1", ""), {
          maxLength: 30,
        })
        .map((parts) => body(parts.join(""), "text/csv")),
      nearly.map((value) => body({ text: value.inputs, rows: value.instances })),
    );
    fc.assert(
      fc.property(sent, fc.constantFrom(texts, table), (request, described) => {
        for (const read of [readInvocation(request, described), readPlain(request, described)])
          if (!read.ok)
            assert.ok([400, 413, 415].includes(read.down.status) && read.down.message.length > 10);
      }),
      { numRuns: 1_500 },
    );
  });
});

describe("SERVE-3: what MLflow's protocol does not take is refused with its status", () => {
  const wrong: readonly (readonly [string, RequestBody, number, RegExp])[] = [
    ["none of the forms", body({}), 400, /exactly one/],
    ["two of the forms", body({ inputs: ["a"], instances: ["a"] }), 400, /exactly one/],
    ["a type that is none of these", body("<a/>", "application/xml"), 415, /text\/csv or application/],
    ["another character set", body("text\na", "text/csv; charset=latin1"), 415, /UTF-8/],
    ["a quote without an end", body('text\n"a', "text/csv"), 400, /line 2 .* quote/],
    ["text behind a quote", body('text\n"a"b', "text/csv"), 400, /after a quote/],
    ["no rows", body("text\n", "text/csv"), 400, /no rows/],
    ["a row that is short", body("size,kind\n1", "text/csv"), 400, /row 1 has 1 values/],
    [
      "a million rows",
      body(`text\n${"a\n".repeat(1_000_000)}`, "text/csv"),
      413,
      new RegExp(String(rowsPerRequestMax)),
    ],
    [
      "columns of several lengths",
      body({ inputs: { size: [1, 2], kind: ["a"] } }),
      400,
      /"kind" has 1 values/,
    ],
    [
      "a column twice",
      body({ dataframe_split: { columns: ["text", "text"], data: [["a", "b"]] } }),
      400,
      /twice/,
    ],
    ["NaN as Python writes it", body('{"inputs": [NaN]}'), 400, /NaN/],
  ];
  for (const [what, request, status, sentence] of wrong)
    test(what, () => {
      const described = /size|columns of/.test(String(request.bytes.subarray(0, 40))) ? table : texts;
      const read = readInvocation(request, described);
      assert.ok(!read.ok, "it was taken");
      assert.equal(read.down.status, status);
      assert.match(read.down.message, sentence);
    });

  test("a number that a CSV writes as text is said with its row", () => {
    const read = readInvocation(body("size,kind\n1,a\ntwo,b", "text/csv"), table);
    assert.ok(!read.ok && /row 2 of "size"/.test(read.down.message));
  });

  test("cells with quotes, commas and line ends come as they were written", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string({ maxLength: 8 }), { minLength: 2, maxLength: 2 }), {
          minLength: 1,
          maxLength: 6,
        }),
        (given) => {
          const read = readCsv(
            Buffer.from(["a,b", ...given.map((row) => row.map(cell).join(","))].join("\r\n")),
            100,
          );
          assert.ok(read.ok);
          // An empty cell is none, in quotes or not, as in files.
          const cells = given.map((row) => row.map((one) => (one === "" ? null : one)));
          assert.deepEqual(read.value.records, cells);
        },
      ),
    );
  });
});
