/** What a coordinator signs: JSON that is read as before by whoever knows of no signatures, and that nobody else can make. */
import * as fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { keysOf, trustOf } from "../support/order-key.ts";

const { signer, trust } = keysOf("m");
const field = ',"signed":"';
/** Texts that look like what is signed, too. */
const texts = fc.oneof(fc.string(), fc.constantFrom("signed", field, `${field}x y"}`, '\\",', "}"));
const bodies = fc.dictionary(
  texts.filter((key) => key !== "signed" && key !== "__proto__"),
  fc.oneof(texts, fc.integer(), fc.dictionary(fc.constantFrom("signed", "a"), texts)),
  { minKeys: 1 },
);

test("SIGN-1: what was signed is read with the signature, byte by byte, and without it as one more field", () => {
  fc.assert(
    fc.property(bodies, texts, (value, context) => {
      const body = toBytes(value);
      const bytes = signer.sign(context, body);
      const opened = trust.open(context, bytes);
      assert.equal(opened?.by, "lead");
      assert.equal(Buffer.compare(opened.body, body), 0);
      const { signed, ...plain } = fromBytes(bytes) as Record<string, unknown>;
      assert.equal(typeof signed, "string");
      assert.deepEqual(plain, fromBytes(body));
    }),
  );
});

test("SIGN-2: with any byte changed, left out or added, for another purpose or in another mesh it opens for nobody", () => {
  const body = toBytes({ kind: "drain", nested: { signed: "x y" } });
  const bytes = Buffer.from(signer.sign("for this", body));
  assert.ok(trust.open("for this", bytes) !== null);
  assert.equal(trust.open("for that", bytes), null);
  assert.equal(trustOf("other").open("for this", bytes), null);
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 4;
    assert.equal(trust.open("for this", changed), null, `byte ${at} changed`);
    const shorter = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    assert.equal(trust.open("for this", shorter), null, `byte ${at} left out`);
  }
  const { signed } = fromBytes(bytes) as { signed: string };
  for (const text of [
    `${String(bytes)} `,
    ` ${String(bytes)}`,
    `{"signed":"${signed}"}`,
    String(body),
    "",
    "{}",
  ])
    assert.equal(trust.open("for this", Buffer.from(text)), null, text);
});

test("SIGN-3: what is no JSON object with fields is not signed", () => {
  for (const text of ["", "{}", "[1]", "1"])
    assert.throws(() => signer.sign("for this", Buffer.from(text)), /only a JSON object is signed/);
});
