/**
 * trialmesh as people run it: `trialmesh up` with its own server (every write flushed), one coordinator and one
 * agent, each a process of its own. A round is one sweep of no-op trials, from its submission to its end as a
 * client sees it.
 */
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { mainFile } from "../../cli/shell/main-file.ts";
import { connectMesh } from "../../client/connect/connect-mesh.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { sweepSpecSchema, type SweepSpec } from "../../protocol/sweep.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { ChildProgram } from "../shared/child-program.ts";
import { processorTimes } from "../shared/processor-time.ts";
import { median } from "../shared/median.ts";
import { valueOf } from "../shared/value-of.ts";

export interface MeshRound {
  readonly trialsPerSecond: number;
  /** Median time from a trial's offer to its settlement, ms. */
  readonly p50Ms: number;
  /** Processor time per trial by part of the mesh, in microseconds; empty where it cannot be known. */
  readonly processorUs: Readonly<Record<string, number>>;
}

export interface MeshLane {
  /** `numbers`: how many of its own each trial's checkpoint has; with none all are alike. */
  round(trials: number, numbers?: number): Promise<MeshRound>;
  close(): Promise<void>;
}

export interface MeshLaneOptions {
  readonly folder: string;
  readonly slots: number;
  /** False: what encryption costs. */
  readonly tls: boolean;
  /** Where coordinator and agent leave their CPU profiles at their end, or null. */
  readonly profile: string | null;
  readonly say: (line: string) => void;
}

const pollMs = 20;
/** Plenty, so that money never stands in the way; every trial is reserved, posted and released all the same. */
const grantTokens = 100_000_000;
/** Trials whose times are looked at for the median. */
const sampleTrials = 1_000;

export async function openMeshLane({ folder, slots, profile, say, tls }: MeshLaneOptions): Promise<MeshLane> {
  const environment = {
    ...process.env,
    TRIALMESH_HOME: join(folder, "home"),
    ...(profile === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${resolve(profile)}` }),
  };
  say("starting a mesh: server, coordinator, agent");
  const up = new ChildProgram(
    process.execPath,
    [mainFile, "up", "--port", "0", "--name", "bench", "--slots", String(slots), "--tls", tls ? "on" : "off"],
    environment,
  );
  try {
    await up.line(/ is up at /);
    const connected = valueOf(await connectMesh(environment));
    const { client } = connected;
    const grant = { requester: client.who, amount: grantTokens * milliTokensPerToken, note: "bench" };
    valueOf(await client.command("budget-grant", grant));
    let seed = 0;
    return {
      async round(trials, numbers = 0) {
        const before = processorTimes(up.pid);
        const round = await runSweep(client, noopSweep(trials, ++seed, numbers));
        const spent = [...processorTimes(up.pid)].map(([part, ms]) => {
          return [part, Math.round(((ms - (before.get(part) ?? 0)) * 1_000) / trials)] as const;
        });
        return { ...round, processorUs: Object.fromEntries(spent) };
      },
      async close() {
        await client.close();
        await up.stop();
      },
    };
  } catch (error) {
    await up.stop();
    throw error;
  }
}

async function runSweep(client: MeshClient, spec: SweepSpec) {
  const from = performance.now();
  const { trials } = spec.search;
  const { sweep } = valueOf(await client.command("sweep-run", { spec }));
  for (;;) {
    // The list of sweeps costs the coordinator next to nothing, however many trials a sweep has.
    const summary = valueOf(await client.query("sweeps", {})).sweeps.find((one) => one.sweep === sweep);
    if (summary?.state === "done") {
      if (summary.counts.completed !== trials)
        throw new Error(`${summary.counts.completed} of ${trials} trials were completed`);
      break;
    }
    await sleep(pollMs);
  }
  const seconds = (performance.now() - from) / 1_000;
  return { trialsPerSecond: trials / seconds, p50Ms: await medianTime(client, sweep, trials) };
}

/** From a trial's offer to its settlement, in ms on the coordinator's clock, of trials in the middle of the sweep. */
async function medianTime(client: MeshClient, sweep: string, trials: number): Promise<number> {
  const limit = Math.min(sampleTrials, trials);
  const offset = Math.floor((trials - limit) / 2);
  const view = valueOf(await client.query("sweep", { sweep, offset, limit }));
  return median(
    view.trials.flatMap(({ attempts }) =>
      attempts.flatMap(({ startedAt, endedAt }) => (endedAt === null ? [] : [endedAt - startedAt])),
    ),
  );
}

function noopSweep(trials: number, seed: number, numbers: number): SweepSpec {
  return sweepSpecSchema.parse({
    name: `noop-${seed}`,
    task: "noop",
    dataset: null,
    objective: { metric: "accuracy", goal: "maximize" },
    search: { method: "random", trials, seed },
    stopping: { policy: "none", max: 1 },
    models: [
      {
        model: "noop",
        space: {
          x: { distribution: "uniform", min: 0, max: 1 },
          ...(numbers === 0 ? {} : { numbers: { distribution: "choice", values: [numbers] } }),
        },
      },
    ],
    needs: {},
    cap: null,
    trialSeed: seed,
    codeVersion: "bench",
    reuse: false,
    register: null,
  });
}
