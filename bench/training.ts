/**
 * `npm run bench -- training [--json]`: examples per second of three small networks on tfjs-node, beside Keras and
 * PyTorch on the same examples, sizes, first weights and threads, in turns; and the sparse engine beside C++ fastText.
 * Not a test: it holds to no figure. TRIALMESH_PYTHON names a Python that has tensorflow and torch.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { backendNameSchema } from "../protocol/capability.ts";
import { openBackend } from "../training/runtime/open.ts";
import { table } from "../text/table.ts";
import { benchFolder } from "./shared/bench-folder.ts";
import { race, type Lane, type RaceOptions } from "./training/race.ts";
import { benchSparse } from "./training/sparse.ts";
import { models, sizes, type ModelName } from "./training/workload.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    models: { type: "string", default: models.join(",") },
    backend: { type: "string", default: "tfjs-node" },
    threads: { type: "string", default: String(cpus().length) },
    /** Steps that Keras runs between two looks at its loss; 1 is its own default. */
    "steps-per-execution": { type: "string", default: "1" },
    /** Move every row of an embedding table in every step, as the peers do, not only touched ones. */
    dense: { type: "boolean", default: false },
    peers: { type: "boolean", default: true },
    /** The sparse engine beside fastText. */
    sparse: { type: "boolean", default: true },
  },
  allowNegative: true,
});

interface Raced {
  readonly model: ModelName;
  readonly lanes: readonly Lane[];
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`--${name} takes a whole number above 0, not "${text}"`);
  process.exit(2);
}

function say(line: string): void {
  console.error(line);
}

const rounds = wholeNumber("rounds", values.rounds);
const threads = wholeNumber("threads", values.threads);
const chosen = models.filter((model) => values.models.split(",").includes(model));
const raced = await raceNetworks();
const sparse = values.sparse ? await benchSparse(rounds) : "left out";
if (typeof sparse === "string") say(`the sparse engine beside fastText: ${sparse}`);
report();

async function raceNetworks(): Promise<readonly Raced[]> {
  // Read when TensorFlow starts.
  process.env["TF_NUM_INTRAOP_THREADS"] = String(threads);
  process.env["TF_NUM_INTEROP_THREADS"] = String(threads);
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
  const name = backendNameSchema.safeParse(values.backend);
  if (!name.success) {
    console.error(`--backend takes the name of a backend, not "${values.backend}"`);
    process.exit(2);
  }
  const backend = await openBackend(name.data);
  if (!backend.ok) {
    say(`the networks are left out: backend ${values.backend}: ${backend.refusal.message}`);
    return [];
  }
  mkdirSync(benchFolder, { recursive: true });
  const folder = mkdtempSync(join(benchFolder, "training-"));
  const options: RaceOptions = {
    backend: backend.value,
    optimizer: { kind: "adam", dense: values.dense },
    rounds,
    threads,
    stepsPerExecution: wholeNumber("steps-per-execution", values["steps-per-execution"]),
    python: values.peers ? (process.env["TRIALMESH_PYTHON"] ?? "python3") : null,
    folder,
    say,
  };
  const done: Raced[] = [];
  try {
    for (const model of chosen) done.push({ model, lanes: await race(model, options) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return done;
}

/** Ours by theirs, for each model that both ran. */
function ratios(peer: string, measure: "perSecond" | "perProcessorSecond"): Readonly<Record<string, number>> {
  return Object.fromEntries(
    raced.flatMap(({ lanes, model }) => {
      const ours = lanes.find((lane) => lane.name === "ours");
      const theirs = lanes.find((lane) => lane.name === peer);
      if (ours === undefined || theirs === undefined) return [];
      return [[model, Number((ours[measure] / theirs[measure]).toFixed(3))]];
    }),
  );
}

function report(): void {
  const kerasRatio = ratios("keras", "perSecond");
  const torchRatio = ratios("torch", "perSecond");
  const beside = typeof sparse === "string" ? { fasttextRatio: null, fasttext: sparse } : sparse;
  if (values.json) {
    const result = {
      kerasRatio,
      torchRatio,
      fasttextRatio: beside.fasttextRatio,
      kerasProcessorRatio: ratios("keras", "perProcessorSecond"),
      torchProcessorRatio: ratios("torch", "perProcessorSecond"),
      networks: raced,
      fasttext: "rows" in beside ? beside.rows : beside.fasttext,
      sizes,
      rounds,
      threads,
      dense: values.dense,
      cores: cpus().length,
      cpuModel: cpus()[0]?.model ?? "unknown",
    };
    console.log(JSON.stringify(result));
    return;
  }
  const whole = (value: number): string => String(Math.round(value));
  console.log(
    table(
      raced.flatMap(({ lanes, model }) => lanes.map((lane) => ({ model, ...lane }))),
      [
        { head: "MODEL", cell: (row) => row.model },
        { head: "LANE", cell: (row) => row.name },
        { head: "EXAMPLES/S", cell: (row) => whole(row.perSecond), right: true },
        { head: "PER PROCESSOR SECOND", cell: (row) => whole(row.perProcessorSecond), right: true },
        { head: "LOSS", cell: (row) => row.loss.toFixed(4), right: true },
      ],
      "no network was run",
    ),
  );
  for (const [peer, ratio] of Object.entries({ keras: kerasRatio, torch: torchRatio }))
    for (const [model, value] of Object.entries(ratio)) console.log(`${model}: ${value} times ${peer}`);
  if (!("rows" in beside)) return;
  for (const row of beside.rows) {
    const { ours, theirs } = row.accuracy;
    console.log(
      `sparse on ${row.dataset}: ${row.ratio.toFixed(2)} times fastText, accuracy ${ours.toFixed(3)} and ${theirs.toFixed(3)}`,
    );
  }
}
