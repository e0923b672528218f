/** PROG-28: the source that Python quotes in a trace or behind a warning is no metric. */
import assert from "node:assert/strict";
import test, { describe } from "node:test";
import * as fc from "fast-check";
import { QuotedSource } from "../../agent/program/quoted-source.ts";

function heard(lines: readonly string[]): string[] {
  const source = new QuotedSource();
  return lines.filter((line) => !source.hear(line));
}

const frameOf = (prefix: string, file: string, line: number) =>
  `${prefix}  File "${file}", line ${line}, in <module>`;

describe("PROG-28: quoted source", () => {
  test("a trace keeps its frames and its error, and loses its source, whatever stands before its lines", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("", "[rank0]: ", "  | ", "    | "),
        fc.array(
          fc.record({
            file: fc.constantFrom("train.py", "/a b/c.py", "<stdin>"),
            line: fc.integer({ min: 1, max: 9_999 }),
            source: fc.array(
              fc.constantFrom("fit(x, loss=1)", "loss=0.5", "    loss=2,", '{"loss": 3}', "~~~^^^"),
              {
                maxLength: 4,
              },
            ),
          }),
          { minLength: 1, maxLength: 6 },
        ),
        (prefix, frames) => {
          const kept = [`${prefix}Traceback (most recent call last):`];
          const all = [...kept];
          for (const { file, line, source } of frames) {
            const frame = frameOf(prefix, file, line);
            kept.push(frame);
            all.push(frame, ...source.map((text) => `${prefix}    ${text}`));
          }
          for (const after of [`${prefix}ValueError: no`, "loss=0.25", "  loss=0.75", "    loss=0.125"]) {
            kept.push(after);
            all.push(after);
          }
          assert.deepEqual(heard(all), kept);
        },
      ),
    );
  });

  test("one line behind a warning is its source, the next is not", () => {
    const lines = ["a/train.py:12: UserWarning: it is slow", "  fit(x, loss=1)", "  loss=0.5"];
    assert.deepEqual(heard(lines), [lines[0], lines[2]]);
  });

  test("lines that stand in no trace are all the program's, however deep", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("loss=1", "    loss=2", "File of 3", 'File "x"', "", "  Warning: loss=4")),
        (lines) => assert.deepEqual(heard(lines), lines),
      ),
    );
  });

  test("a trace that is cut off takes no more than one statement's lines with it", () => {
    const after = Array.from({ length: 60 }, (_, index) => `      loss=${index}`);
    assert.equal(heard([frameOf("", "train.py", 3), ...after]).length, 1 + 10);
  });
});
