/** The sparse kernels compute what their formulas say, written here once more in plain double precision. */
import assert from "node:assert/strict";
import test from "node:test";
import { workloadDataset } from "../../agent/capability/workload.ts";
import { sparseBackend } from "../../training/runtime/backend.ts";
import { fasttext } from "../../training/text/fasttext.ts";
import { linear } from "../../training/text/linear.ts";
import { nbsvm } from "../../training/text/nbsvm.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import type { NgramRows } from "../../training/sparse/ngram.ts";
import { stream } from "../../training/tensor/seeded-stream.ts";
import { fasttextModule, fasttextScratchBytes } from "../../training/sparse/fasttext-kernel.ts";
import { linearModule, linearScratchBytes } from "../../training/sparse/linear-kernel.ts";
import { SparseEngine, vectorsOf, type KernelPlan } from "../../training/sparse/sparse-engine.ts";
import { Workspace } from "../../training/sparse/workspace.ts";

const rows = 40;
const examples = 60;
/** Single against double precision. */
const tolerance = 2e-4;

/** Examples of 0 to 12 rows; every third label is rare, every tenth example has no row. */
function dataOf(labels: number, seed: number): NgramRows {
  const random = stream(seed, "data", 0);
  const offsets = new Int32Array(examples + 1);
  const all: number[] = [];
  for (let example = 0; example < examples; example++) {
    const count = example % 10 === 9 ? 0 : 1 + Math.floor(random.next() * 12);
    for (let at = 0; at < count; at++) all.push(Math.floor(random.next() * rows));
    offsets[example + 1] = all.length;
  }
  const truths = Int32Array.from({ length: examples }, () => Math.floor(random.next() * labels));
  return { offsets, rows: Int32Array.from(all), labels: truths };
}

const rowsOf = (data: NgramRows, example: number) => [
  ...data.rows.subarray(data.offsets[example], data.offsets[example + 1]),
];
const order = Int32Array.from({ length: examples }, (_, at) => (at * 7) % examples);
const rates = Float32Array.from({ length: examples }, (_, at) => 0.5 - at / 200);
const weightsOf = (labels: number) => Float32Array.from({ length: labels }, (_, at) => 1 + at / 4);
const zeros = (height: number, width: number) =>
  Array.from({ length: height }, () => Array.from({ length: width }, () => 0));

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

function engineOf(plan: KernelPlan, labels: number): SparseEngine {
  const made = SparseEngine.create(plan, labels);
  assert.ok(made.ok);
  return made.value;
}

function probabilitiesOf(engine: SparseEngine, data: NgramRows, labels: number): number[][] {
  const out: number[][] = [];
  engine.score(data, (probabilities, at) => out.push([...probabilities.subarray(at, at + labels)]));
  return out;
}

function assertNear(
  actual: readonly (readonly number[])[],
  wanted: readonly (readonly number[])[],
  what: string,
) {
  assert.equal(actual.length, wanted.length, what);
  actual.forEach((row, at) =>
    row.forEach((value, index) => {
      const other = wanted[at]?.[index] ?? Number.NaN;
      assert.ok(Math.abs(value - other) < tolerance, `${what}[${at}][${index}] is ${value}, not ${other}`);
    }),
  );
}

const folded = (values: ArrayLike<number>, width: number) =>
  Array.from({ length: values.length / width }, (_, row) =>
    Array.from({ length: width }, (__, at) => values[row * width + at] ?? Number.NaN),
  );

for (const [dim, labels] of [
  [2, 2],
  [10, 3],
  [32, 5],
  [37, 9],
] as const) {
  test(`SPARSE-1: fastText's kernel, width ${dim}, ${labels} labels: a pass and the probabilities after it`, async () => {
    const data = dataOf(labels, dim);
    const random = stream(dim, "start", 0);
    const embeddings = zeros(rows, dim).map((row) => row.map(() => Math.fround(random.next() - 0.5)));
    const output = zeros(labels, dim);
    const vectors = vectorsOf(dim);
    const engine = engineOf(
      {
        module: fasttextModule(vectors, false),
        tensors: [
          {
            name: "embeddings",
            rows,
            width: dim,
            fill: (values, stride) => embeddings.forEach((row, at) => values.set(row, at * stride)),
          },
          { name: "output", rows: labels, width: dim },
        ],
        numbers: [],
        scratchBytes: fasttextScratchBytes(vectors, labels),
      },
      labels,
    );
    const forward = (example: number) => {
      const found = rowsOf(data, example);
      const hidden = zeros(1, dim)[0]?.map(
        (_, at) =>
          found.reduce((sum, row) => sum + (embeddings[row]?.[at] ?? 0), 0) / Math.max(1, found.length),
      );
      assert.ok(hidden !== undefined);
      const scores = output.map((row) => row.reduce((sum, value, at) => sum + value * (hidden[at] ?? 0), 0));
      return { found, hidden, probabilities: softmax(scores) };
    };
    const weights = weightsOf(labels);
    let loss = 0;
    order.forEach((example, at) => {
      const { found, hidden, probabilities } = forward(example);
      const truth = data.labels[example] ?? 0;
      loss -= Math.log(probabilities[truth] ?? 0);
      const gradient = hidden.map(() => 0);
      output.forEach((row, label) => {
        const push =
          (rates[at] ?? 0) *
          (weights[truth] ?? 0) *
          ((label === truth ? 1 : 0) - (probabilities[label] ?? 0));
        row.forEach((value, index) => {
          gradient[index] = (gradient[index] ?? 0) + push * value;
          row[index] = value + push * (hidden[index] ?? 0);
        });
      });
      for (const row of found) {
        embeddings[row]?.forEach((value, index, all) => {
          all[index] = value + (gradient[index] ?? 0) / found.length;
        });
      }
    });
    const given = await engine.learn(data, weights, order, rates);
    assert.ok(Math.abs(given - loss / examples) < tolerance, `loss ${given}, not ${loss / examples}`);
    const tensors = engine.tensors();
    assertNear(folded(tensors.get("embeddings")?.data ?? [], dim), embeddings, "embeddings");
    assertNear(folded(tensors.get("output")?.data ?? [], dim), output, "output");
    const wanted = Array.from({ length: examples }, (_, example) => forward(example).probabilities);
    assertNear(probabilitiesOf(engine, data, labels), wanted, "probabilities");
  });
}

interface PlainLinearOptions {
  readonly data: NgramRows;
  readonly labels: number;
  readonly loss: "logistic" | "squared-hinge";
  readonly ratio: readonly (readonly number[])[];
  readonly mix: number;
  readonly l2: number;
}

/** The linear model in plain arrays: what the kernel does with tables and lanes, an example at a time. */
class PlainLinear {
  readonly weight: number[][];
  readonly bias: number[];
  readonly #options: PlainLinearOptions;
  readonly #accumulators = new Float64Array(rows);
  #biasAccumulator = 0;

  constructor(options: PlainLinearOptions) {
    this.#options = options;
    this.weight = zeros(rows, options.labels);
    this.bias = Array.from({ length: options.labels }, () => 0);
  }

  means(): number[] {
    return this.bias.map(
      (_, label) => this.weight.reduce((sum, row) => sum + Math.abs(row[label] ?? 0), 0) / rows,
    );
  }

  scores(example: number, mixed: boolean): number[] {
    const found = rowsOf(this.#options.data, example);
    const means = this.means();
    const scale = found.length === 0 ? 0 : 1 / Math.sqrt(found.length);
    return this.bias.map((value, label) =>
      found.reduce((sum, row) => {
        const learnt = this.weight[row]?.[label] ?? 0;
        const used = mixed
          ? this.#options.mix * learnt + (1 - this.#options.mix) * (means[label] ?? 0)
          : learnt;
        return sum + used * (this.#options.ratio[row]?.[label] ?? 0) * scale;
      }, value),
    );
  }

  probabilities(scores: readonly number[]): number[] {
    if (this.#options.loss === "logistic") return softmax(scores);
    const shares = scores.map((score) =>
      score > -0.9 ? (1 + score) / 2 : 0.05 * Math.exp((score + 0.9) / 0.1),
    );
    const sum = shares.reduce((total, share) => total + share, 0);
    return shares.map((share) => share / sum);
  }

  /** Learns one example; gives its loss. */
  learn(example: number, labelWeights: Float32Array, rate: number): number {
    const truth = this.#options.data.labels[example] ?? 0;
    const scores = this.scores(example, false);
    const probabilities = this.probabilities(scores);
    const gradients = scores.map((score, label) => {
      const sign = label === truth ? 1 : -1;
      const gradient =
        this.#options.loss === "logistic"
          ? (probabilities[label] ?? 0) - (label === truth ? 1 : 0)
          : -sign * Math.max(0, 1 - sign * score);
      return (labelWeights[truth] ?? 0) * gradient;
    });
    this.#biasAccumulator += gradients.reduce((sum, gradient) => sum + gradient * gradient, 0);
    gradients.forEach((gradient, label) => {
      this.bias[label] =
        (this.bias[label] ?? 0) - (rate / Math.sqrt(this.#biasAccumulator + 1e-8)) * gradient;
    });
    const found = rowsOf(this.#options.data, example);
    for (const row of found) this.#learnRow(row, gradients, found.length, rate);
    return -Math.log(probabilities[truth] ?? 0);
  }

  #learnRow(row: number, gradients: readonly number[], found: number, rate: number): void {
    const scaled = gradients.map(
      (gradient, label) => (gradient * (this.#options.ratio[row]?.[label] ?? 0)) / Math.sqrt(found),
    );
    const sum =
      (this.#accumulators[row] ?? 0) + scaled.reduce((all, gradient) => all + gradient * gradient, 0);
    this.#accumulators[row] = sum;
    const step = rate / Math.sqrt(sum + 1e-8);
    this.weight[row]?.forEach((value, label, all) => {
      all[label] = value * (1 - step * this.#options.l2) - step * (scaled[label] ?? 0);
    });
  }
}

for (const [labels, ratios, loss] of [
  [2, false, "logistic"],
  [6, false, "logistic"],
  [34, false, "logistic"],
  [2, true, "logistic"],
  [6, true, "squared-hinge"],
  [34, true, "squared-hinge"],
] as const) {
  test(`SPARSE-2: the linear kernel, ${labels} labels, ${loss}${ratios ? ", ratios" : ""}: a pass and the probabilities after it`, async () => {
    const data = dataOf(labels, labels);
    const random = stream(labels, "ratio", 0);
    const ratio = zeros(rows, labels).map((row) =>
      row.map(() => (ratios ? Math.fround(random.next() * 4 - 2) : 1)),
    );
    const mix = ratios ? 0.3 : 1;
    const l2 = 0.01;
    const plain = new PlainLinear({ data, labels, loss, ratio, mix, l2 });
    const vectors = vectorsOf(labels);
    const extra = [
      {
        name: "ratios",
        rows,
        width: labels,
        fill: (values: Float32Array, stride: number) =>
          ratio.forEach((row, at) => values.set(row, at * stride)),
      },
      { name: "means", rows: 1, width: labels },
    ];
    const engine = engineOf(
      {
        module: linearModule({ vectors, ratios, loss, shared: false }),
        tensors: [
          { name: "weights", rows, width: labels },
          { name: "bias", rows: 1, width: labels },
          { name: "accumulators", rows, width: 1 },
          { name: "biasAccumulator", rows: 1, width: 1 },
          ...(ratios ? extra : []),
        ],
        numbers: [l2, mix],
        scratchBytes: linearScratchBytes(vectors, labels),
        ...(ratios
          ? {
              beforeScore: (values: (tensor: string) => Float32Array) =>
                values("means").set(plain.means().map((mean) => (1 - mix) * mean)),
            }
          : {}),
      },
      labels,
    );
    const labelWeights = weightsOf(labels);
    let total = 0;
    order.forEach((example, at) => {
      total += plain.learn(example, labelWeights, rates[at] ?? 0);
    });
    const given = await engine.learn(data, labelWeights, order, rates);
    assert.ok(Math.abs(given - total / examples) < tolerance, `loss ${given}, not ${total / examples}`);
    const tensors = engine.tensors();
    assertNear(folded(tensors.get("weights")?.data ?? [], labels), plain.weight, "weights");
    assertNear([[...(tensors.get("bias")?.data ?? [])]], [plain.bias], "bias");
    const wanted = Array.from({ length: examples }, (_, example) =>
      plain.probabilities(plain.scores(example, true)),
    );
    assertNear(probabilitiesOf(engine, data, labels), wanted, "probabilities");
  });
}

test("SPARSE-3: tables that no memory can hold are refused with their size", () => {
  const refused = Workspace.create(2 ** 33);
  assert.ok(!refused.ok);
  assert.match(refused.refusal.message, /need 8192 MiB, and at most 4095\S* MiB can be held/u);
});

test("SPARSE-4: memory that grows keeps what is in it, and gives back what was lent", () => {
  const made = Workspace.create(1000);
  assert.ok(made.ok);
  const workspace = made.value;
  const at = workspace.put(Int32Array.of(1, 2, 3));
  const lent = workspace.during(() => workspace.allocate(2 ** 22));
  assert.ok(workspace.memory.buffer.byteLength > 2 ** 22);
  assert.deepEqual([...workspace.ints(at, 3)], [1, 2, 3]);
  assert.equal(workspace.allocate(8), lent);
});

test("SPARSE-5: threads that learn at once come to weights as good, and say that a resume is approximate", async () => {
  const held = process.env["OMP_NUM_THREADS"];
  process.env["OMP_NUM_THREADS"] = "3";
  try {
    for (const declaration of [fasttext, linear, nbsvm]) {
      const params = resolveParams(declaration, {
        threads: 3,
        ...(declaration === fasttext ? { lr: 4 } : {}),
      });
      assert.ok(params.ok);
      const workload = workloadDataset();
      const dataset = { ...workload, test: workload.train };
      const made = declaration.create({ params: params.value, seed: 1, dataset, backend: sparseBackend });
      assert.ok(made.ok);
      const trainer = made.value;
      let loss = Number.POSITIVE_INFINITY;
      for (let epoch = 0; epoch < 8; epoch++) ({ loss } = await trainer.trainEpoch());
      const { accuracy = 0 } = trainer.evaluate("test");
      assert.ok(accuracy > 0.9 && Number.isFinite(loss), `${declaration.model}: ${accuracy} at loss ${loss}`);
      assert.deepEqual(trainer.restore(trainer.save()), { ok: true, value: { exact: false } });
      trainer.dispose();
    }
  } finally {
    if (held === undefined) delete process.env["OMP_NUM_THREADS"];
    else process.env["OMP_NUM_THREADS"] = held;
  }
});
