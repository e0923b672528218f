/** What a sweep's own file says is kept of it stands where the sweep is shown, in the words of its file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sweepText } from "../../cli/print/sweep-text.ts";
import { mustGet } from "../../coordinator/state/state.ts";
import { sweepViewOf } from "../../coordinator/view/sweep-answer.ts";
import { sweepView } from "../../protocol/view.ts";
import { formatDuration } from "../../text/duration.ts";
import { Fold, sweepSpec } from "../support/fold.ts";

const dayMs = 86_400_000;

test("a sweep says what its file keeps of it, and nothing where its file says nothing", () => {
  const keep = fc.record(
    { checkpoints: fc.nat(100), logsMs: fc.integer({ min: 1, max: 1_000 }).map((days) => days * dayMs) },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.option(keep, { nil: undefined }), (kept) => {
      const fold = new Fold();
      fold.open("ada", 1_000_000);
      fold.join("den", 1);
      fold.must("sweep-run", { spec: sweepSpec(kept === undefined ? {} : { keep: kept }) });
      const query = { sweep: "s1", offset: 0, limit: 9, order: "number" } as const;
      const view = sweepViewOf(fold.state, mustGet(fold.state.sweeps, "s1", "sweep"), query, fold.settings);
      assert.deepEqual(sweepView.parse(view).keep, kept);
      const said = /^keeps +(.*)$/m.exec(sweepText(view))?.[1];
      if (kept === undefined) return assert.equal(said, undefined);
      const { checkpoints, logsMs } = kept;
      if (checkpoints !== undefined)
        assert.ok(
          said?.startsWith(`the best ${checkpoints} checkpoint${checkpoints === 1 ? "" : "s"}`),
          said,
        );
      if (logsMs !== undefined) assert.ok(said?.endsWith(`logs for ${formatDuration(logsMs)}`), said);
      if (checkpoints === undefined && logsMs === undefined) assert.match(said ?? "", /what the mesh keeps/);
    }),
    { numRuns: 40 },
  );
});
