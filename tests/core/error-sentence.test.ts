import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import * as z from "zod";
import { errorMessage, errorSentence } from "../../protocol/error-sentence.ts";
import { systemCode } from "../../system/system-error.ts";

test("ERROR-1: whatever was thrown is told in one line, and never with a stack", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.anything({ withNullPrototype: false })), (thrown) => {
      const error = typeof thrown === "string" ? new Error(thrown) : thrown;
      try {
        String(error);
      } catch {
        return; // Nothing can be said of it.
      }
      assert.equal(errorSentence(error).includes("\n"), false);
      if (typeof thrown === "string" && thrown !== "") assert.equal(errorMessage(error), thrown);
    }),
  );
  assert.equal(errorSentence(new Error("the first line\nthe second")), "the first line");
  assert.equal(errorSentence(new RangeError("")), "RangeError");
  assert.equal(errorSentence("just a text"), "just a text");
});

test("ERROR-2: data that does not parse is told by its first fault, not as JSON", () => {
  const shape = z.object({ pace: z.object({ rate: z.number() }) });
  const { error } = shape.safeParse({ pace: { rate: "fast" } });
  assert.match(errorSentence(error), /^field pace\.rate: .*number/);
});

test("ERROR-3: only a system's error has a system's code", () => {
  const codeOf = (work: () => void): string | null => {
    try {
      work();
    } catch (error) {
      return systemCode(error);
    }
    assert.fail("nothing was thrown");
  };
  assert.equal(
    codeOf(() => readFileSync("/nowhere/at/all")),
    "ENOENT",
  );
  assert.equal(
    codeOf(() => new URL("no address")),
    null,
  );
  assert.equal(systemCode({ code: "ENOENT", message: "not an error" }), null);
  assert.equal(systemCode(undefined), null);
});
