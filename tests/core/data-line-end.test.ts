/** Every line end there is: what is read, and which line is named, do not depend on how lines end or a file stops. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { openEngine } from "../../data/engine/sql-engine.ts";
import { cutRecords } from "../../data/source/record.ts";
import { loadSources } from "../../data/source/load-source.ts";
import { buildFolder, declared, put } from "../support/dataset-build.ts";

const end = fc.constantFrom("\n", "\r\n", "\r");
/** A value with what a reader could take for the end of it; quoted, all of it is kept. */
const quoted = fc
  .array(fc.constantFrom("a", "é", ",", " ", "\r\n", "\n", "\r", '"'), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(""));

interface Line {
  readonly text: string;
  readonly value: string;
}

async function loaded(name: string, content: string, source: string) {
  put(name, content);
  const engine = await openEngine({ workDir: buildFolder, threads: 2, memoryMiB: 256, onDisk: false });
  try {
    const declaration = declared(
      `name: ends\nsources: [{path: ${name}${source}}]\ntext: h\nlabel: k\nbadRows: {max: 1}\n`,
    );
    const outcome = await loadSources(engine, declaration, buildFolder);
    assert.ok(outcome.ok, outcome.ok ? "" : outcome.refusal.message);
    const rows = await engine.rows("SELECT __line, h, k FROM loaded_0 ORDER BY __line");
    return { rows, bad: outcome.value[0]?.bad ?? [] };
  } finally {
    engine.close();
  }
}

test("END-1: CSV is the same rows on the same lines with LF, CRLF, CR, mixed ends, and none at the last; inside quotes all is kept", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ text: quoted, value: fc.constantFrom("x", "y y") }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.array(end, { minLength: 9, maxLength: 9 }),
      fc.boolean(),
      async (lines: readonly Line[], ends, open) => {
        const records = [
          "h,k",
          ...lines.map(({ text, value }) => `"${text.replaceAll('"', '""')}",${value}`),
        ];
        const content = records
          .map((record, at) => record + (open && at === records.length - 1 ? "" : (ends[at] ?? "\n")))
          .join("");
        const { bad, rows } = await loaded("ends.csv", content, ", types: {h: text, k: text}");
        let line = 2;
        const expected = lines.map(({ text, value }) => {
          const row = [line, text, value];
          line += 1 + [...text.matchAll(/\r\n|\n|\r/gu)].length;
          return row;
        });
        assert.deepEqual(bad, []);
        assert.deepEqual(rows, expected);
      },
    ),
    { numRuns: 60 },
  );
});

test("END-2: so are JSON lines", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(end, { minLength: 4, maxLength: 4 }), fc.boolean(), async (ends, open) => {
      const objects = ["a\r\nb", "c", "d\re"].map((h, at) => JSON.stringify({ h, k: `l${at}` }));
      const content = objects.map((one, at) => one + (open && at === 2 ? "" : (ends[at] ?? "\n"))).join("");
      const { rows } = await loaded("ends.jsonl", content, ", types: {h: text}");
      assert.deepEqual(rows, [
        [1, "a\r\nb", "l0"],
        [2, "c", "l1"],
        [3, "d\re", "l2"],
      ]);
    }),
    { numRuns: 30 },
  );
});

test("END-3: a line end that lies across two blocks is one", () => {
  const bytes = Buffer.from("a,b\r\nc,d\re,f\n\r\ng,h\r");
  const whole: string[] = [];
  const dialect = { delimiter: 0x2c, quote: 0x22 };
  cutRecords(bytes, bytes.length, true, dialect, ({ from, to }) =>
    whole.push(bytes.toString("utf8", from, to)),
  );
  assert.deepEqual(whole, ["a,b", "c,d", "e,f", "", "g,h"]);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const parts: string[] = [];
    const taken = cutRecords(bytes, cut, false, dialect, ({ from, to }) =>
      parts.push(bytes.toString("utf8", from, to)),
    );
    const rest = bytes.subarray(taken);
    cutRecords(rest, rest.length, true, dialect, ({ from, to }) =>
      parts.push(rest.toString("utf8", from, to)),
    );
    assert.deepEqual(parts, whole, `cut at ${cut}`);
  }
});
