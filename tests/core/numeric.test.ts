import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { betaCumulative, betaQuantile } from "../../numeric/beta-law.ts";
import { factoriseRow, factoriseSingular, solveLower, solveUpper } from "../../numeric/cholesky.ts";
import { fnv1a, fnvBasis, fnvStep } from "../../numeric/fnv.ts";
import { chiSquareTail, logChoose, logGamma, upperGamma } from "../../numeric/gamma.ts";
import { mix, mixUnsigned } from "../../numeric/mix.ts";
import { meanOf, sumOf, varianceOf } from "../../numeric/moment.ts";
import { normalCumulative, normalDensity, normalQuantile } from "../../numeric/normal-law.ts";
import { factorInOrder, solveInOrder } from "../../numeric/ordered-cholesky.ts";
import { quantile, quantileOfSorted } from "../../numeric/quantile.ts";
import { median } from "../../bench/shared/median.ts";
import { logSumExp, softmax } from "../../numeric/softmax.ts";

const finite = fc.double({ min: -1e3, max: 1e3, noNaN: true });
const some = fc.array(finite, { minLength: 1, maxLength: 40 });

function assertNear(found: number, wanted: number, share: number, what = ""): void {
  assert.ok(
    Math.abs(found - wanted) <= share * Math.max(1, Math.abs(wanted)),
    `${what} ${found}, not ${wanted}`,
  );
}

/** A · Aᵀ + ridge, [size, size]. */
function positiveMatrix(a: readonly number[], size: number, ridge: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      let sum = row === column ? ridge : 0;
      for (let at = 0; at < size; at++) sum += (a[row * size + at] ?? 0) * (a[column * size + at] ?? 0);
      matrix[row * size + column] = sum;
    }
  }
  return matrix;
}

function product(matrix: Float64Array, x: Float64Array): Float64Array {
  const size = x.length;
  return x.map((_, row) => x.reduce((sum, value, at) => sum + (matrix[row * size + at] ?? 0) * value, 0));
}

const system = fc.integer({ min: 1, max: 9 }).chain((size) =>
  fc.record({
    size: fc.constant(size),
    a: fc.array(fc.double({ min: -2, max: 2, noNaN: true }), {
      minLength: size * size,
      maxLength: size * size,
    }),
    b: fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: size, maxLength: size }),
  }),
);

describe("NUM-1: Cholesky's factor", () => {
  test("solves the system it is of, however its sums are taken", () => {
    fc.assert(
      fc.property(system, ({ a, b, size }) => {
        const matrix = positiveMatrix(a, size, 0.5);
        const fast = matrix.slice();
        factoriseSingular(fast, size, size);
        const x = Float64Array.from(b);
        solveLower(fast, size, size, x);
        solveUpper(fast, size, size, x);
        for (const [row, value] of product(matrix, x).entries()) assertNear(value, b[row] ?? 0, 1e-9);
        const ordered = factorInOrder(matrix, size);
        assert.ok(ordered !== null);
        for (let row = 0; row < size; row++)
          for (let at = 0; at <= row; at++)
            assertNear(ordered[row * size + at] ?? 0, fast[row * size + at] ?? 0, 1e-9);
        const half = Float64Array.from(b);
        solveLower(fast, size, size, half);
        for (const [row, value] of solveInOrder(ordered, Float64Array.from(b)).entries())
          assertNear(value, half[row] ?? 0, 1e-9);
      }),
    );
  });

  test("of a matrix that is not positive definite there is none", () => {
    assert.equal(factorInOrder(Float64Array.of(1, 2, 2, 1), 2), null);
    assert.equal(factorInOrder(Float64Array.of(Number.NaN), 1), null);
    const row = Float64Array.of(1, 0, 1, 1);
    assert.equal(factoriseRow(row, 1, 2), false, "a pivot of 0 is none");
    assert.equal(row[3], 1, "and the diagonal stays");
    assert.equal(factoriseRow(Float64Array.of(1, 0, 1, 1.5), 1, 2, 0.5), false);
    assert.equal(factoriseRow(Float64Array.of(1, 0, 1, 1.5), 1, 2, 0.49), true);
  });

  test("a direction that adds nothing has next to no share in what is solved with a singular one", () => {
    // The third row is the sum of the other two.
    const matrix = positiveMatrix([1, 0, 0, 0, 1, 0, 1, 1, 0], 3, 0);
    factoriseSingular(matrix, 3, 3);
    const x = Float64Array.of(2, 3, 5);
    solveLower(matrix, 3, 3, x);
    solveUpper(matrix, 3, 3, x);
    assert.deepEqual(
      Array.from(x, (value) => Math.round(value * 1e9) / 1e9),
      [2, 3, 0],
    );
  });
});

describe("NUM-2: special functions", () => {
  test("ln Γ of whole numbers is that of factorials, and Γ(x + 1) = x Γ(x)", () => {
    let factorial = 0;
    for (let n = 1; n < 60; n++) {
      assertNear(logGamma(n), factorial, 1e-13, `ln Γ(${n})`);
      factorial += Math.log(n);
    }
    assertNear(logGamma(0.5), 0.5 * Math.log(Math.PI), 1e-14);
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e4, noNaN: true }), (x) =>
        assertNear(logGamma(x + 1), logGamma(x) + Math.log(x), 1e-12),
      ),
    );
  });

  test("n over k is Pascal's triangle", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }), (n, k) => {
        fc.pre(k < n);
        const above = Math.exp(logChoose(n - 1, k - 1)) + Math.exp(logChoose(n - 1, k));
        assertNear(Math.exp(logChoose(n, k)) / above, 1, 1e-11);
      }),
    );
  });

  test("the tail of a chi-square with two degrees is an exponential, with one twice a normal's", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 200, noNaN: true }), (x) => {
        assertNear(chiSquareTail(x, 2) / Math.exp(-x / 2), 1, 1e-11);
        if (x < 40) assertNear(chiSquareTail(x, 1), 2 * normalCumulative(-Math.sqrt(x)), 1e-9);
      }),
    );
    assert.equal(upperGamma(3, 0), 1);
  });

  test("the normal's quantile and share undo each other, and its density is the share's slope", () => {
    fc.assert(
      fc.property(fc.double({ min: -6, max: 6, noNaN: true }), (x) => {
        const p = normalCumulative(x);
        assertNear(normalCumulative(normalQuantile(p)) / p, 1, 1e-9);
        assertNear(normalCumulative(-x), 1 - p, 1e-14);
        const width = 1e-4;
        assertNear(
          (normalCumulative(x + width) - normalCumulative(x - width)) / (2 * width),
          normalDensity(x),
          1e-8,
        );
      }),
    );
    assert.deepEqual([normalQuantile(0), normalQuantile(0.5), normalQuantile(1)], [-Infinity, 0, Infinity]);
  });

  test("the beta's share is its mirror image's rest, and its quantile undoes it", () => {
    const shape = fc.double({ min: 0.2, max: 20, noNaN: true });
    fc.assert(
      fc.property(shape, shape, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (a, b, x) => {
        assertNear(betaCumulative(a, b, x), 1 - betaCumulative(b, a, 1 - x), 1e-11);
        const u = betaCumulative(a, b, x);
        fc.pre(u > 1e-6 && u < 1 - 1e-6);
        assertNear(betaQuantile(a, b, u), x, 1e-6);
      }),
    );
  });
});

describe("NUM-3: softmax", () => {
  test("sums to 1, keeps the order, and does not see a shift of all scores", () => {
    fc.assert(
      fc.property(some, fc.double({ min: -500, max: 500, noNaN: true }), (scores, shift) => {
        const own = Float64Array.from(scores);
        softmax(own);
        assertNear(sumOf(own), 1, 1e-12);
        const shifted = Float64Array.from(scores, (score) => score + shift);
        softmax(shifted);
        for (const [at, probability] of own.entries()) {
          assertNear(shifted[at] ?? 0, probability, 1e-9);
          for (const [other, score] of scores.entries())
            if (score > (scores[at] ?? 0)) assert.ok((own[other] ?? 0) >= probability);
        }
      }),
    );
  });

  test("its normaliser is the logarithm of the sum, and overflows nowhere", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 1 }), (values) => {
        const plain = Math.log(sumOf(values.map(Math.exp)));
        assertNear(logSumExp(Float64Array.from(values)), plain, 1e-12);
      }),
    );
    assertNear(logSumExp(Float64Array.of(1e4, 1e4)), 1e4 + Math.LN2, 1e-15);
    assert.equal(logSumExp(Float64Array.of(-Infinity, -Infinity)), -Infinity);
    assert.equal(logSumExp(new Float64Array(0)), -Infinity);
  });
});

describe("NUM-4: order statistics and moments", () => {
  test("a quantile rises with its share, from the least to the most; the median halves", () => {
    fc.assert(
      fc.property(some, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const sorted = Float64Array.from(values).sort();
        // Of 0 and -0, which are equal, either may come first; what is told is 0.
        assert.equal(quantile(values, 0), (sorted[0] ?? Number.NaN) + 0);
        assert.equal(quantile(values, 1), (sorted.at(-1) ?? Number.NaN) + 0);
        assert.equal(quantile(values, share), quantileOfSorted(sorted, share));
        const at = quantile(values, share);
        assert.ok(at >= quantile(values, share / 2) && at <= quantile(values, (1 + share) / 2));
        const half = values.length / 2;
        assert.ok(values.filter((value) => value < median(values)).length <= half);
        assert.ok(values.filter((value) => value > median(values)).length <= half);
      }),
    );
    assert.equal(median([1, Infinity]), Infinity);
    assert.ok(Number.isNaN(quantile([], 0.5)));
  });

  test("as numpy's default", () => {
    // numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], [.1, .25, .5, .9])
    const values = [3, 1, 4, 1, 5, 9, 2, 6];
    for (const [share, wanted] of [
      [0.1, 1],
      [0.25, 1.75],
      [0.5, 3.5],
      [0.9, 6.9],
    ] as const)
      assertNear(quantile(values, share), wanted, 1e-15);
  });

  test("the variance is the mean square less the square of the mean, and does not see a shift", () => {
    fc.assert(
      fc.property(some, finite, (values, shift) => {
        const squares = meanOf(values.map((value) => value * value));
        assertNear(varianceOf(values), squares - meanOf(values) ** 2, 1e-7);
        const shifted = values.map((value) => value + shift);
        assertNear(varianceOf(shifted), varianceOf(values), 1e-7);
        assertNear(meanOf(shifted), meanOf(values) + shift, 1e-9);
        assert.ok(varianceOf(values) >= 0);
      }),
    );
    assert.ok(Number.isNaN(meanOf([])) && Number.isNaN(varianceOf([])));
  });
});

describe("NUM-5: hashes", () => {
  test("FNV-1a gives the published values, and goes on where it was", () => {
    const known = { "": 0x811c9dc5, a: 0xe40c292c, foobar: 0xbf9cf968 };
    for (const [text, hash] of Object.entries(known)) assert.equal(fnv1a(text) >>> 0, hash);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (head, tail) => {
        assert.equal(fnv1a(tail, fnv1a(head)), fnv1a(head + tail));
        assert.equal(fnv1a(head + tail, fnvBasis, head.length), fnv1a(tail));
        assert.equal(fnvStep(fnv1a(head), 97), fnv1a(`${head}a`));
      }),
    );
  });

  test("MurmurHash3's finaliser gives its values, is one to one, and turns about half of the bits", () => {
    // fmix32 of 1, 2 and 2³² - 1 as MurmurHash3.cpp has them.
    assert.deepEqual([mixUnsigned(0), mixUnsigned(1), mixUnsigned(2)], [0, 0x514e28b7, 0x30f4c306]);
    assert.equal(mixUnsigned(-1), 0x81f16f39);
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => {
        assert.equal(mix(a) | 0, mix(a));
        assert.equal(mix(a) >>> 0, mixUnsigned(a));
        assert.equal(mix(a) === mix(b), a === b, "one to one");
      }),
    );
    let turned = 0;
    const tries = 2000;
    for (let value = 0; value < tries; value++)
      turned += bitsOf(mix(value * 7919) ^ mix((value * 7919) ^ (1 << (value & 31))));
    assertNear(turned / tries, 16, 0.03);
  });
});

function bitsOf(value: number): number {
  let count = 0;
  for (let left = value >>> 0; left > 0; left = Math.floor(left / 2)) count += left & 1;
  return count;
}
