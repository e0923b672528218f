/** The files that the people of a golden home wrote: sweeps and datasets, small and fixed. Not what is done with them. */

const minutesPerDay = 24 * 60;

/** Two tastes that one word of each text gives away: enough to learn from in an epoch. */
export function tasteRows(): string {
  const tastes = {
    sweet: ["honey", "sugar", "syrup", "cake"],
    sour: ["lemon", "vinegar", "lime", "rhubarb"],
  };
  const measures = ["spoon", "cup", "bowl", "jar", "glass"];
  const places = ["kitchen", "cellar", "garden", "market"];
  const rows = Object.entries(tastes).flatMap(([label, words]) =>
    words.flatMap((word) =>
      measures.flatMap((measure) =>
        places.map((place) => `${label},a ${measure} of ${word} from the ${place}`),
      ),
    ),
  );
  return ["label,text", ...rows, ""].join("\n");
}

export const tasteDataset = (more: string) => `name: tastes
sources: [{ path: tastes.csv }]
plan:
  - clean: { columns: [text], whitespace: true }
  - split: { train: 0.8, validation: 0.1, test: 0.1, stratify: label }
text: text
label: label
${more}`;

export function weightRows(): string {
  const rows = Array.from(
    { length: 60 },
    (_, row) => `${row},${(row * 7) % 13},${2 * row + ((row * 7) % 13)}`,
  );
  return ["length,width,weight", ...rows, ""].join("\n");
}

export const weightDataset = (more: string) => `name: weights
sources: [{ path: weights.csv }]
plan:
  - split: { train: 0.6, validation: 0.2, test: 0.2 }
  - features: { numeric: standard }
target: weight
task: regression
${more}`;

export const weightSweep = () => `name: weights
task: tabular
dataset: weights
objective: { metric: rmse, goal: minimize }
search: { method: grid, trials: 4, seed: 1 }
stopping: { policy: none, max: 2 }
models: { linear: { lr: [0.01, 0.1] } }
`;

const linear = "linear: { lr: { distribution: uniform, min: 0.2, max: 0.5 }, bucketBits: 10 }";

export const tasteSweep = (name: string, seed: number) => `name: ${name}
experiment: tastes
task: text-classification
dataset: tastes
gate: true
search: { method: random, trials: 4, seed: ${seed} }
stopping: { policy: asha, min: 1, max: 3, eta: 3 }
models: { ${linear} }
register: { model: tastes, alias: champion }
`;

/** Points come by hand; two of three wait at the first rung to be beaten. */
export const pausedSweep = () => `name: judged
task: text-classification
dataset: tastes
search: { method: outside, trials: 9, seed: 1 }
stopping: { policy: asha, min: 1, max: 9, eta: 3 }
models: { linear: { lr: { distribution: uniform, min: 0.1, max: 0.6 }, bucketBits: 10 } }
`;

/** Far longer than anybody waits, on any machine: it is left in the middle. */
export const atticSweep = () => `name: attic
task: text-classification
dataset: tastes
search: { method: random, trials: 1, seed: 5 }
stopping: { policy: none, max: 100000 }
models: { textcnn: { lr: 0.01, batch: 4, dropout: 0.3, filters: 16 } }
needs: { backend: [wasm], labels: { room: attic } }
`;

export interface NoopOptions {
  readonly trials: number;
  readonly max: number;
  readonly milliseconds: number;
  /** Further parameters. */
  readonly more?: string;
}

/** Costs time but no processor. */
export const noop = (name: string, { max, milliseconds, more = "", trials }: NoopOptions) => `name: ${name}
task: noop
search: { method: random, trials: ${trials}, seed: ${name.length} }
stopping: { policy: none, max: ${max} }
models:
  noop:
    x: { distribution: uniform, min: 0, max: 1 }
    milliseconds: ${milliseconds}
    ${more}
reuse: false
`;

export const brokeSweep = () =>
  `${noop("broke", { trials: 8, max: 40, milliseconds: 250 })}beyondBudget: true\npriority: 2\nweight: 0.5\n`;

const space = `
    x: { distribution: uniform, min: 0, max: 1, when: { milliseconds: { min: 0 } } }
    milliseconds: { distribution: int, min: 0, max: 3 }`;

const quick = (name: string, search: string, stopping: string, models: string, more = "") => `name: ${name}
task: noop
search: ${search}
stopping: ${stopping}
models:
  noop:${models}
${more}`;

/** One for each sampler but those that the other sweeps use. */
export function searchSweeps(): readonly string[] {
  const none = "{ policy: none, max: 2 }";
  const two = "objectives: [{ metric: accuracy, goal: maximize }, { metric: logLoss, goal: minimize }]\n";
  const wide = "\n    x: { distribution: uniform, min: 0, max: 1 }\n    milliseconds: [0, 1]";
  return [
    quick("sobol", "{ method: sobol, trials: 4, seed: 1 }", none, wide),
    quick("tpe", "{ method: tpe, trials: 12, seed: 1 }", none, space),
    quick("gp", "{ method: gp, trials: 6, seed: 1 }", none, wide),
    quick("cma-es", "{ method: cma-es, trials: 8, seed: 1 }", none, wide),
    quick("auto", "{ method: auto, trials: 6, seed: 1 }", none, wide),
    quick("nsga-ii", "{ method: nsga-ii, trials: 8, seed: 1 }", none, wide, two),
  ];
}

/** One for each policy but those that the other sweeps use; with constraints, caps and preferences on the way. */
export function stoppingSweeps(): readonly string[] {
  const random = (seed: number) => `{ method: random, trials: 8, seed: ${seed} }`;
  const plain = "\n    x: { distribution: uniform, min: 0, max: 1 }\n    milliseconds: 5";
  const bound = `${plain}\n    where: ["x <= 0.9"]`;
  return [
    quick("median", random(11), "{ policy: median, max: 6, interval: 2, minTrials: 2 }", bound),
    quick(
      "percentile",
      random(12),
      "{ policy: percentile, max: 6, interval: 2, minTrials: 2, percentile: 40 }",
      plain,
    ),
    quick(
      "patience",
      random(13),
      "{ policy: patience, max: 8, interval: 1, patience: 1, minDelta: 0.2 }",
      plain,
    ),
    quick("hyperband", random(14), "{ policy: hyperband, max: 9 }", plain, "budget: { tokens: 5 }\n"),
    quick("bohb", "{ method: tpe, trials: 8, seed: 15 }", "{ policy: bohb, max: 9 }", plain),
    quick(
      "target",
      random(16),
      "{ policy: none, max: 3, target: 0.8 }",
      plain,
      "prefers: { first: cheapest }\n",
    ),
    quick("pbt", "{ method: pbt, trials: 8, seed: 17 }", "{ policy: none, max: 4 }", plain),
  ];
}

/** The second goes on where the first ended: the same, but longer. */
export const longerSweeps = (): readonly string[] =>
  [2, 4].map((max) =>
    quick(
      `longer-${max}`,
      "{ method: random, trials: 2, seed: 21 }",
      `{ policy: none, max: ${max} }`,
      "\n    x: { distribution: uniform, min: 0, max: 1 }\n    milliseconds: 1",
    ),
  );

export const outsideSweep = () =>
  quick(
    "outside",
    "{ method: outside, trials: 5, seed: 1 }",
    "{ policy: none, max: 2 }",
    "\n    x: { distribution: uniform, min: 0, max: 1 }\n    milliseconds: 0",
  );

export const scoreScript = `for word in "$@"; do echo "got $word"; done
echo "score=0.25"
echo "score=0.5"
`;

export const programSweep = () => `name: scored
command: [sh, score.sh, "\${args}"]
objective: { metric: score, goal: maximize }
search: { method: random, trials: 2, seed: 1 }
parameters:
  rate: { distribution: log-uniform, min: 0.001, max: 1 }
  shape: [round, square]
`;

/** A span of the day that does not hold this minute, as owners write it. */
export function otherHours(now: Date): string {
  const time = (hours: number) => {
    const minute = (now.getHours() * 60 + now.getMinutes() + hours * 60) % minutesPerDay;
    return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
  };
  return `${time(2)}-${time(3)}`;
}
