/** A race's result as tables for people. */
import type { ProposalTime } from "./proposal-time.ts";
import type { BatchKept, Comparison, Row } from "./result.ts";
import { table } from "../../text/table.ts";

interface Result {
  readonly rows: readonly Row[];
  readonly tests: readonly Comparison[];
  readonly batchKept: readonly BatchKept[];
  readonly proposals: Readonly<Record<string, ProposalTime>>;
}

function figure(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "none";
}

export function printResult({ batchKept, proposals, rows, tests }: Result): void {
  const parts = [
    table(
      rows,
      [
        { head: "FUNCTION", cell: (row) => row.function },
        { head: "SAMPLER", cell: (row) => row.sampler },
        { head: "BATCH", cell: (row) => String(row.batch), right: true },
        { head: "SEEDS", cell: (row) => String(row.seeds), right: true },
        { head: "REGRET AT 50", cell: (row) => figure(row.regret50), right: true },
        { head: "AT 100", cell: (row) => figure(row.regret100), right: true },
      ],
      "nothing was run",
    ),
    table(
      tests,
      [
        { head: "FUNCTION", cell: (test) => test.function },
        { head: "BATCH", cell: (test) => String(test.batch), right: true },
        { head: "TRIALS", cell: (test) => String(test.trials), right: true },
        { head: "OURS", cell: (test) => `${test.ours} ${figure(test.medianOurs)}` },
        { head: "THEIRS", cell: (test) => `${test.theirs} ${figure(test.medianTheirs)}` },
        { head: "WINS", cell: (test) => String(test.wins), right: true },
        { head: "LOSSES", cell: (test) => String(test.losses), right: true },
        { head: "P", cell: (test) => figure(test.p), right: true },
      ],
      "nothing to compare",
    ),
    table(
      batchKept,
      [
        { head: "FUNCTION", cell: (row) => row.function },
        { head: "SAMPLER", cell: (row) => row.sampler },
        { head: "BATCH", cell: (row) => String(row.batch), right: true },
        { head: "TRIALS", cell: (row) => String(row.trials), right: true },
        { head: "KEEPS OF ITS GAIN", cell: (row) => `${Math.round(100 * row.kept)} %`, right: true },
      ],
      "no batch to compare with batch 1",
    ),
    ...Object.entries(proposals).map(
      ([sampler, { ms, processorMs }]) =>
        `${sampler}: ${ms} ms per proposal at 250 trials in 10 dimensions (${processorMs} ms of processor time)`,
    ),
  ];
  console.log(parts.join("\n\n"));
}
