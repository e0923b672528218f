/**
 * One network on every lane, in turns, so that what else the machine does falls on all alike. The first round is
 * each lane's warm-up: it counts for the loss, not for the speed.
 */
import { join } from "node:path";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { AdamOptions } from "../../training/network/adam-options.ts";
import type { OpenedBackend } from "../../training/runtime/backend.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { median } from "../shared/median.ts";
import { openOwnLane, type LaneRound } from "./own-lane.ts";
import { PeerLane } from "./peer-lane.ts";
import { examplesOf, writeWorkload, type ModelName } from "./workload.ts";

/** Examples per epoch, and epochs per round, so that a round takes a second or two. */
const rowsPerEpoch = 6400;
const epochsPerRound: Readonly<Record<ModelName, number>> = { textcnn: 1, gru: 1, mlp: 8 };

export interface RaceOptions {
  readonly backend: OpenedBackend;
  readonly optimizer: AdamOptions;
  /** Rounds that count. */
  readonly rounds: number;
  readonly threads: number;
  /** Steps that Keras runs between two looks at its loss. */
  readonly stepsPerExecution: number;
  /** A Python that has the peers' packages; null to run alone. */
  readonly python: string | null;
  /** A folder for what the peers read. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

export interface Lane extends LaneRound {
  readonly name: string;
  readonly version: string;
}

interface OpenLane {
  readonly name: string;
  readonly version: string;
  round(epochs: number): Promise<LaneRound>;
  close(): Promise<void>;
}

/** Medians of the rounds, and the loss after all of them. A peer that does not start is said and left out. */
export async function race(model: ModelName, options: RaceOptions): Promise<readonly Lane[]> {
  const { backend, rounds, say } = options;
  const lanes = await openLanes(model, options);
  try {
    const seen = new Map<OpenLane, LaneRound[]>(lanes.map((lane) => [lane, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const lane of lanes) {
        const done = await lane.round(epochsPerRound[model]);
        seen.get(lane)?.push(done);
        say(
          `${model} round ${round}: ${lane.name} ${Math.round(done.perSecond)} examples/s, loss ${done.loss.toFixed(4)}`,
        );
      }
    }
    return [...seen].map(([{ name, version }, all]) => {
      const timed = all.slice(1);
      return {
        name,
        version,
        perSecond: median(timed.map((round) => round.perSecond)),
        perProcessorSecond: median(timed.map((round) => round.perProcessorSecond)),
        loss: all.at(-1)?.loss ?? Number.NaN,
      };
    });
  } finally {
    for (const lane of lanes) await lane.close();
    say(`${model} is done on ${backend.name}`);
  }
}

async function openLanes(model: ModelName, options: RaceOptions): Promise<OpenLane[]> {
  const { backend, optimizer, python, say, threads } = options;
  const examples = examplesOf(model, rowsPerEpoch);
  const own = openOwnLane(backend, model, examples, optimizer);
  const lanes: OpenLane[] = [
    {
      name: "ours",
      version: `${backend.name} ${backend.version}`,
      round: (epochs) => Promise.resolve(own.round(epochs)),
      close: () => Promise.resolve(own.network.dispose()),
    },
  ];
  if (python === null) return lanes;
  const folder = join(options.folder, model);
  writeWorkload(folder, model, examples, own.network.tensors(), threads, options.stepsPerExecution);
  for (const name of ["keras", "torch"]) {
    const script = join(projectFolder, "bench", "training", "peers", `${name}_peer.py`);
    try {
      const peer = await PeerLane.open(python, script, [model, folder], threads);
      lanes.push({
        name,
        version: peer.version,
        round: (epochs) => peer.round(epochs),
        close: () => peer.close(),
      });
    } catch (error) {
      say(`${name} is left out: ${errorSentence(error)}`);
    }
  }
  return lanes;
}
