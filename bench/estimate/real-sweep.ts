/** The files of small real sweeps to record: models on the phrases that Node carries, and scripts; every way to stop, some of a kind first and some later. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const slowScript = `import sys, time
time.sleep(1.5)
rate = float(dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])["rate"])
for epoch in range(1, 7):
    time.sleep(0.1 + 0.1 * rate)
    print(f"score={1 - abs(rate - 0.5) - 1 / (1 + epoch):.4f}", flush=True)
`;

const language = (model: string) => `task: text-classification
dataset: language-id
objective: { metric: accuracy, goal: maximize }
models: { ${model}: {} }
`;
const script = `command: ["\${interpreter}", train.py, "\${args}"]
objective: { metric: score, keep: max }
parameters: { rate: { distribution: uniform, min: 0, max: 1 } }
`;

const kinds = [
  { name: "script", text: script },
  { name: "linear", text: language("linear") },
  { name: "fasttext", text: language("fasttext") },
  { name: "textcnn", text: language("textcnn") },
  { name: "gru", text: language("gru") },
];
const quickKinds = 3;
const plans = [
  { trials: 4, stopping: "{ policy: none, max: 2 }" },
  { trials: 9, stopping: "{ policy: asha, min: 1, max: 6, eta: 3 }" },
  { trials: 6, stopping: "{ policy: none, max: 1 }" },
  { trials: 8, stopping: "{ policy: hyperband, min: 1, max: 6, eta: 3 }" },
  { trials: 12, stopping: "{ policy: median, max: 4, interval: 1, minTrials: 3 }" },
  { trials: 3, stopping: "{ policy: none, max: 5 }" },
];

/** Writes them, each with a seed of its own; their paths, in the order in which they are to be run. */
export function writeRealSweeps(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "train.py"), slowScript);
  let seed = 0;
  // The quick kinds in turns first, then the slow ones: a recording that is cut short has several of each kind it has.
  return [kinds.slice(0, quickKinds), kinds.slice(quickKinds)].flatMap((group) =>
    plans.flatMap(({ stopping, trials }, index) =>
      group.map(({ name, text }) => {
        const path = join(folder, `${name}-${index + 1}.yaml`);
        const search = `search: { method: random, trials: ${trials}, seed: ${++seed} }`;
        writeFileSync(path, `name: ${name}-${index + 1}\n${text}${search}\nstopping: ${stopping}\n`);
        return path;
      }),
    ),
  );
}
