/** The statement of an account: every line with what was held after it, and how near to its limit the account came. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { accountText } from "../../cli/print/account-text.ts";
import { rangeBar } from "../../text/canvas/range-bar.ts";
import { accountBar } from "../../text/canvas/account-bar.ts";
import { asciiGlyphs } from "../../text/glyph.ts";
import { durationText, formatDuration } from "../../text/duration.ts";
import { peakOf, peakText, statementText } from "../../cli/print/statement-text.ts";
import type { LedgerLineView } from "../../protocol/view.ts";
import { fixtureNow } from "../support/view-fixture.ts";
import { accountFixture } from "../support/why-fixture.ts";

function ledgerLine(granted: number, posted: number, pending: number): LedgerLineView {
  return {
    at: fixtureNow,
    kind: "reserve",
    amount: 1,
    trial: "s1-1",
    fence: 1,
    agent: "desk",
    note: "",
    granted,
    posted,
    pending,
  };
}

const anyLine = fc
  .tuple(fc.nat(10_000), fc.nat(10_000), fc.nat(10_000))
  .map(([granted, posted, pending]) => ledgerLine(granted, posted, pending));

describe("STATEMENT-1: the closing line names the line where the largest share of the grant was posted or pending", () => {
  test("for any lines, and counts every line above the grant", () => {
    fc.assert(
      fc.property(fc.array(anyLine, { minLength: 1 }), (lines) => {
        const peak = peakOf(lines);
        assert.ok(peak !== null);
        const used = (line: LedgerLineView) => line.posted + line.pending;
        const at = lines[peak.line - 1];
        assert.ok(at !== undefined);
        assert.deepEqual([peak.used, peak.granted], [used(at), at.granted]);
        // As a product, for a grant of nothing has no share.
        for (const line of lines)
          assert.ok(used(line) * at.granted <= used(at) * line.granted || at.granted === 0);
        assert.equal(peak.over, lines.filter((line) => used(line) > line.granted).length);
      }),
    );
  });

  test("in words: never above, or loudly above", () => {
    const good = [ledgerLine(5000, 0, 0), ledgerLine(5000, 2000, 1500), ledgerLine(9000, 2000, 1000)];
    assert.match(
      peakText(good),
      /^over these 3 lines .* nearest to granted with 3\.50 of 5\.00 \(70\.0%\) at line 2, .*; never above it$/,
    );
    assert.match(
      peakText([...good, ledgerLine(9000, 9000, 1)]),
      /; ABOVE it at 1 line: the ledger is broken/,
    );
    assert.equal(peakText([]), "no line, so nothing was ever spent or held");
  });

  test("an overspent line shows less than nothing as available", () => {
    assert.match(statementText([ledgerLine(1000, 900, 350)]), / -0\.25$/m);
  });
});

describe("an account", () => {
  const ada = accountFixture("ada");
  test("says its place in the fair order among those who have something queued", () => {
    const all = [
      ada,
      accountFixture("bo", { startTag: 3 }),
      accountFixture("cy", { startTag: 1, queued: 0 }),
      accountFixture("di", { startTag: 99 }),
    ];
    assert.match(accountText(ada, all), /^fair order {2}2 of 3, after bo; 5 trials queued$/m);
    assert.match(accountText(accountFixture("cy", { queued: 0 }), all), /^fair order {2}nothing queued$/m);
  });
  test("says its weight, refill and limit for a sweep", () => {
    const text = accountText(
      accountFixture("ada", {
        weight: 3,
        refill: { amount: 50_000, everyMs: 12 * 3_600_000, upTo: 600_000, nextAt: fixtureNow },
        sweepCap: 200_000,
      }),
      [],
    );
    assert.match(text, /^account +ada, weight 3$/m);
    assert.match(text, /^refill +50\.0 every 12h while less than 600\.0 is available, next 2026-01-01 /m);
    assert.match(text, /^per sweep +at most 200\.0$/m);
  });
});

describe("bars", () => {
  test("an account's bar is as wide as asked, and shows every sliver", () => {
    const part = fc.nat(1_000_000);
    fc.assert(
      fc.property(part, part, part, fc.integer({ min: 2, max: 60 }), (posted, pending, granted, width) => {
        const bar = accountBar({ posted, pending, granted }, width, asciiGlyphs);
        assert.match(bar, /^#*=*\.*$/);
        assert.equal(bar.length, width);
        if (posted > 0) assert.match(bar, /#/);
        if (posted + pending >= granted && granted > 0) assert.match(bar, /[#=]/);
      }),
    );
  });
  test("a range's bar marks what is expected between the least and the most", () => {
    assert.equal(rangeBar({ low: 0, expected: 50, high: 100 }, 200, 9), "[--|--....]");
    assert.equal(rangeBar({ low: 7, expected: 7, high: 7 }, 0, 3), "[|..]");
  });
});

describe("spans of time", () => {
  const table: readonly (readonly [string, number])[] = [
    ["90m", 5_400_000],
    ["12h", 43_200_000],
    ["1d", 86_400_000],
    ["1.5h", 5_400_000],
  ];
  for (const [text, ms] of table) {
    test(`${text} is ${ms} ms`, () => {
      assert.equal(durationText.parse(text), ms);
      assert.equal(durationText.parse(formatDuration(ms)), ms);
    });
  }
  for (const text of ["", "1", "d", "-1d", "1w", "0m", "30s", "1 d"]) {
    test(`"${text}" is refused with what would be right`, () => {
      const parsed = durationText.safeParse(text);
      assert.match(parsed.error?.issues[0]?.message ?? "", /such as 90m, 12h or 1d|1m to 3650d/);
    });
  }
});
