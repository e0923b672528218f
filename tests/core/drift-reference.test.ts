/** Drift figures against the answers of scipy and scikit-learn: recorded ones, and fresh ones where Python is at hand. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import * as z from "zod";
import { projectFolder } from "../../training/version/code-version.ts";
import { chiSquare } from "../../data/drift/chi-square.ts";
import { binned, jensenShannon, stabilityIndex, tenthsOf, wasserstein } from "../../data/drift/distance.ts";
import { kolmogorovSmirnov } from "../../data/drift/kolmogorov-smirnov.ts";
import { kolmogorovTail } from "../../data/drift/kolmogorov-tail.ts";
import { rocAuc } from "../../data/drift/roc-auc.ts";

const list = z.array(z.number());
const tested = z.tuple([z.number(), z.number(), z.number()]);
const casesSchema = z.object({
  numbers: z.array(
    z.object({
      a: list,
      b: list,
      statistic: z.number(),
      exact: z.number(),
      asymptotic: z.number(),
      wasserstein: z.number(),
      stability: z.number(),
    }),
  ),
  tables: z.array(z.object({ counts: z.array(list), plain: tested, corrected: tested })),
  shares: z.array(z.object({ a: list, b: list, distance: z.number() })),
  ranked: z.array(z.object({ labels: list, scores: list, auc: z.number() })),
});
type Cases = z.infer<typeof casesSchema>;

const folder = join(projectFolder, "tests", "fixture", "drift");
const tolerance = 1e-9;
const sorted = (values: readonly number[]) => Float64Array.from(values).sort();

function near(found: number, wanted: number, what: string): void {
  assert.ok(
    Math.abs(found - wanted) <= tolerance * Math.max(1, Math.abs(wanted)),
    `${what}: ${found} is not ${wanted}`,
  );
}

function compare({ numbers, ranked, shares, tables }: Cases): void {
  for (const [at, one] of numbers.entries()) {
    const [a, b] = [sorted(one.a), sorted(one.b)];
    near(kolmogorovSmirnov(a, b).statistic, one.statistic, `statistic ${at}`);
    near(kolmogorovSmirnov(a, b, "exact").pValue, one.exact, `exact p ${at}`);
    near(kolmogorovSmirnov(a, b, "asymptotic").pValue, one.asymptotic, `asymptotic p ${at}`);
    near(wasserstein(a, b), one.wasserstein, `Wasserstein ${at}`);
    const bounds = tenthsOf(a);
    near(stabilityIndex(binned(a, bounds), binned(b, bounds)), one.stability, `stability ${at}`);
  }
  for (const [at, { corrected, counts, plain }] of tables.entries()) {
    for (const [correction, wanted] of [
      [false, plain],
      [true, corrected],
    ] as const) {
      const found = chiSquare(counts, correction);
      near(found.statistic, wanted[0], `chi-square ${at}`);
      assert.equal(found.freedom, wanted[1]);
      near(found.pValue, wanted[2], `chi-square p ${at}`);
    }
  }
  for (const { a, b, distance } of shares) near(jensenShannon(a, b), distance, "Jensen-Shannon");
  for (const { auc, labels, scores } of ranked) {
    near(rocAuc(Int32Array.from(labels), Float64Array.from(scores)), auc, "AUC");
  }
}

describe("DRIFT-1: drift figures equal scipy's and scikit-learn's to 1e-9", () => {
  test("as recorded", () => {
    compare(casesSchema.parse(JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"))));
  });

  const python = process.env["TRIALMESH_PYTHON"] ?? "";
  const able =
    python !== "" &&
    spawnSync(python, ["-c", "import scipy, sklearn, numpy"], { stdio: "ignore" }).status === 0;
  test("as they answer now", { skip: able ? false : "TRIALMESH_PYTHON names no Python with scipy" }, () => {
    const made = spawnSync(python, [join(folder, "make.py"), "2"], { encoding: "utf8" });
    assert.equal(made.status, 0, made.stderr);
    compare(casesSchema.parse(JSON.parse(made.stdout)));
  });
});

test("DRIFT-1: the tail of Kolmogorov's distribution is scipy's kstwo.sf in each of its ranges", () => {
  const known = [
    [5, 0.3, 0.664],
    [50, 0.1, 0.6623112704658186],
    [50, 0.2, 0.03143877776953241],
    [140, 0.05, 0.8576480297656114],
    [140, 0.19, 0.00006711071724199073],
    [500, 0.02, 0.9859871786857471],
    [500, 0.04, 0.3902508696049749],
    [5000, 0.01, 0.6954557253913853],
    [5000, 0.03, 0.00024159234422666817],
    [200000, 0.003, 0.0545369786611305],
  ] as const;
  for (const [n, d, tail] of known) near(kolmogorovTail(n, d), tail, `n ${n}, d ${d}`);
});
