/**
 * The networks on libtensorflow: stopped and resumed is never stopped, bit for bit. A process of its own, since
 * TensorFlow.js keeps one backend per process. Skipped where no runtime is installed.
 */
import test from "node:test";
import { openBackend } from "../../training/runtime/open.ts";
import { checkResume, type ResumeCase } from "../support/resume-check.ts";

const text = "text-classification";
const backend = "tfjs-node";
const cases: readonly ResumeCase[] = [
  { task: text, model: "textcnn", backend, params: { rowsPerEpoch: 300, batch: 16, dropout: 0.3 } },
  {
    task: text,
    model: "gru",
    backend,
    params: { rowsPerEpoch: 300, batch: 16, width: 8, units: 8, length: 6, schedule: "linear" },
  },
  {
    task: text,
    model: "transformer",
    backend,
    params: { rowsPerEpoch: 300, batch: 16, width: 8, heads: 2, length: 6, warmupEpochs: 1 },
  },
  {
    task: "tabular",
    model: "mlp",
    backend,
    params: { rowsPerEpoch: 300, batch: 16, width: 16, weightDecay: 0.1 },
    chance: 1 / 4,
  },
  {
    task: "tabular",
    model: "mlp",
    backend,
    params: { rowsPerEpoch: 500, batch: 16, width: 16, layers: 1, dropout: 0, lr: 0.01 },
    regression: true,
  },
];

const opened = await openBackend(backend);
if (opened.ok) for (const one of cases) checkResume(one);
else test(`networks on ${backend}`, { skip: opened.refusal.message }, () => undefined);
