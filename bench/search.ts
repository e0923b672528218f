/**
 * `npm run bench -- search [--json]`: how near our samplers and Optuna's come to known optima after 50 and 100 trials, at
 * equal seeds, one trial at a time and eight. Not a test: it holds to no figure.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { errorSentence } from "../protocol/error-sentence.ts";
import { methodNames } from "../protocol/sweep.ts";
import { nearestName } from "../protocol/name.ts";
import type { BenchFunction } from "./search/bench-function.ts";
import { benchFunctions } from "./search/function.ts";
import { optunaVersion, findOptuna } from "./search/optuna-place.ts";
import { peerSamplers, racePeer, type PeerSampler } from "./search/optuna-lane.ts";
import { OwnLane } from "./search/own-lane.ts";
import { PeerRecord } from "./search/peer-record.ts";
import { printResult } from "./search/print-result.ts";
import { batchKept, compare, rowsOf, type Lane } from "./search/result.ts";
import type { ProposalTime } from "./search/proposal-time.ts";
import type { Regret } from "./search/run.ts";

const ownSamplers = methodNames.filter((name) => name !== "outside");
type OwnSampler = (typeof ownSamplers)[number];

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seeds: { type: "string", default: "20" },
    functions: { type: "string", default: benchFunctions.map(({ name }) => name).join(",") },
    samplers: { type: "string", default: "auto,gp,tpe,random" },
    batches: { type: "string", default: "1,8" },
    peer: { type: "boolean", default: true },
    "peer-samplers": { type: "string", default: "tpe,gp,random" },
    /** Run the peer again, though it has been run before. */
    "fresh-peer": { type: "boolean", default: false },
    /** Only what the peer has been run on before: whoever tunes ours need not wait. */
    "recorded-peer": { type: "boolean", default: false },
    processes: { type: "string", default: "2" },
  },
  allowNegative: true,
});

const seeds = Array.from({ length: wholeNumber("seeds", values.seeds) }, (_, at) => at + 1);
const batches = values.batches.split(",").map((text) => wholeNumber("batches", text));
const processes = wholeNumber("processes", values.processes);
const chosen = namesIn(
  "functions",
  values.functions,
  benchFunctions.map(({ name }) => name),
);
const functions = benchFunctions.filter(({ name }) => chosen.includes(name));
const samplers = namesIn("samplers", values.samplers, ownSamplers);
const peers = values.peer ? namesIn("peer-samplers", values["peer-samplers"], peerSamplers) : [];
const jobsOfRun = batches.flatMap((batch) => seeds.map((seed) => ({ seed, batch })));

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  return end(`--${option} takes whole numbers above 0, not "${text}"`);
}

function namesIn<N extends string>(option: string, text: string, known: readonly N[]): readonly N[] {
  return (text === "" ? [] : text.split(",")).map((word) => {
    const found = known.find((name) => name === word);
    if (found !== undefined) return found;
    const nearest = nearestName(word, known);
    const hint = nearest === null ? "" : ` Did you mean "${nearest}"?`;
    return end(`--${option} knows no "${word}".${hint} There are: ${known.join(", ")}`);
  });
}

function end(sentence: string): never {
  console.error(sentence);
  process.exit(2);
}

function say(line: string): void {
  console.error(line);
}

/** At most `processes` of them at once. */
async function inTurns(jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = [...jobs];
  const turn = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await job();
  };
  await Promise.all(Array.from({ length: processes }, turn));
}

const lanes: (Lane & { regrets: Regret[] })[] = [];
let recorded = 0;

function laneOf(benchFunction: BenchFunction, sampler: string): Regret[] {
  const regrets: Regret[] = [];
  lanes.push({ function: benchFunction.name, sampler, regrets });
  return regrets;
}

async function raceOwn(benchFunction: BenchFunction, sampler: OwnSampler): Promise<void> {
  const regrets = laneOf(benchFunction, sampler);
  const lane = new OwnLane();
  try {
    for (const job of jobsOfRun) {
      regrets.push(await lane.race({ kind: "race", sampler, function: benchFunction.name, ...job }));
    }
  } catch (error) {
    say(`${sampler} on ${benchFunction.name} is left out: ${errorSentence(error)}`);
  } finally {
    await lane.close();
  }
  say(`${sampler} on ${benchFunction.name}: done`);
}

async function raceOptuna(python: string | null, benchFunction: BenchFunction, sampler: PeerSampler) {
  const regrets = laneOf(benchFunction, `optuna-${sampler}`);
  const record = new PeerRecord(benchFunction, sampler);
  if (values["fresh-peer"]) record.forget();
  const known = record.read();
  const missing = jobsOfRun.filter((job) => {
    const before = known.find(({ batch, seed }) => batch === job.batch && seed === job.seed);
    if (before !== undefined) regrets.push(before);
    return before === undefined;
  });
  recorded += jobsOfRun.length - missing.length;
  if (missing.length === 0 || python === null) return;
  await racePeer(python, sampler, benchFunction, missing, (regret) => {
    record.add(regret);
    regrets.push(regret);
  });
  say(`optuna-${sampler} on ${benchFunction.name}: done`);
}

async function pythonOfPeer(): Promise<string | null> {
  if (peers.length === 0 || values["recorded-peer"]) return null;
  const found = await findOptuna(say);
  if (found.ok) return found.value;
  say(`the peer is left out, but for what it was recorded with: ${found.refusal.message}`);
  return null;
}

const python = await pythonOfPeer();
await inTurns(
  functions.flatMap((benchFunction) => [
    ...samplers.map((sampler) => () => raceOwn(benchFunction, sampler)),
    ...peers.map((sampler) => () => raceOptuna(python, benchFunction, sampler)),
  ]),
);
const proposals: Record<string, ProposalTime> = {};
for (const sampler of samplers) {
  const lane = new OwnLane();
  const { ms, processorMs } = await lane.proposalTime(sampler);
  proposals[sampler] = { ms: Number(ms.toFixed(2)), processorMs: Number(processorMs.toFixed(2)) };
  await lane.close();
}
const rows = rowsOf(lanes, batches);
const result = {
  rows,
  // The default against each of the peer's, the others against their namesakes.
  tests: samplers.flatMap((ours) =>
    peers
      .filter((theirs) => ours === "auto" || ours === theirs)
      .flatMap((theirs) => compare(lanes, batches, ours, `optuna-${theirs}`)),
  ),
  batchKept: samplers.flatMap((sampler) => batchKept(rows, sampler)),
  /** Of the default sampler, where it took part. */
  proposalMs250: proposals["auto"]?.ms ?? null,
  /** At 250 trials in 10 dimensions. */
  proposals,
  peer: peers.length === 0 ? null : { name: "optuna", version: optunaVersion, recordedRuns: recorded },
  cores: cpus().length,
  cpuModel: cpus()[0]?.model ?? "unknown",
};
if (recorded > 0)
  say(
    `${recorded} runs of the peer were read from the record of earlier runs (--fresh-peer runs them again)`,
  );
if (values.json) console.log(JSON.stringify(result));
else printResult(result);
