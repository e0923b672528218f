/** The list of who was revoked: signed, newer than the one before, for this mesh, or of no effect. */
import fc from "fast-check";
import assert from "node:assert/strict";
import { generateKeyPairSync, sign as signWith, verify } from "node:crypto";
import { test } from "node:test";
import { RevokedList, revokedMessage } from "../../protocol/certificate/revoked-list.ts";
import { skewSentence, spanText } from "../../protocol/certificate/clock-sentence.ts";

const [operator, other] = [generateKeyPairSync("ed25519"), generateKeyPairSync("ed25519")];
const sign = (bytes: Uint8Array) => signWith(null, bytes, operator.privateKey);
const newList = () =>
  new RevokedList("house", (bytes, signature) => verify(null, bytes, operator.publicKey, signature));
const users = fc.uniqueArray(fc.stringMatching(/^U[A-Z2-7]{55}$/), { maxLength: 5 });

test("TLS-8: of lists in any order the newest counts, and no older one afterwards", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), users), { minLength: 1, maxLength: 12 }), (sent) => {
      const list = newList();
      let newest: readonly [number, readonly string[]] = [-1, []];
      for (const [number, revoked] of sent) {
        const isNews = list.take(revokedMessage({ mesh: "house", number, users: revoked }, sign));
        assert.equal(isNews, number > newest[0]);
        if (isNews) newest = [number, revoked];
        assert.equal(list.number, newest[0]);
        for (const user of revoked) assert.equal(list.isRevoked(user), newest[1].includes(user));
      }
    }),
  );
});

test("TLS-8: what another signed, of another mesh, changed by a bit, or anything at all changes nothing", () => {
  const known = revokedMessage({ mesh: "house", number: 5, users: ["a"] }, sign);
  const list = newList();
  assert.ok(list.take(known));
  const unchanged = (message: Uint8Array) => {
    assert.equal(list.take(message), false);
    assert.deepEqual([list.number, list.isRevoked("a"), list.isRevoked("b")], [5, true, false]);
  };
  unchanged(
    revokedMessage({ mesh: "house", number: 9, users: ["b"] }, (bytes) =>
      signWith(null, bytes, other.privateKey),
    ),
  );
  unchanged(revokedMessage({ mesh: "barn", number: 9, users: ["b"] }, sign));
  const next = revokedMessage({ mesh: "house", number: 9, users: ["b"] }, sign);
  fc.assert(fc.property(fc.uint8Array(), unchanged));
  fc.assert(
    fc.property(fc.nat(next.length * 8 - 1), (bit) => {
      const turned = Uint8Array.from(next);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const fresh = newList();
      // A letter of base64url may say bits that do not count.
      if (fresh.take(turned)) assert.ok(fresh.isRevoked("b") && fresh.number === 9);
    }),
  );
});

test("TLS-3: clocks that differ are told with how much, in the right direction", () => {
  const sides = { own: "this machine's", other: "the mesh's" };
  fc.assert(
    fc.property(fc.integer({ min: -(10 ** 11), max: 10 ** 11 }), (byMs) => {
      const now = Date.UTC(2026, 10, 30);
      const sentence = skewSentence(now + byMs, now, sides);
      if (Math.abs(byMs) < 300_000) return assert.equal(sentence, null);
      assert.match(sentence ?? "", byMs < 0 ? / behind the mesh's: / : / ahead of the mesh's: /);
      assert.ok(sentence?.includes(`clock is ${spanText(Math.abs(byMs))} `));
    }),
  );
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY])
    assert.equal(skewSentence(wrong, 0, sides), null);
});
