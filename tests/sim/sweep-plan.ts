// What people ask for in a run of the simulation: agents and sweeps, drawn from the world's random.
import { sweepSpecSchema, type SweepSpec } from "../../protocol/sweep.ts";
import type { AgentPlan } from "./agent-process.ts";
import type { World } from "./world.ts";

export function planAgents(world: World): AgentPlan[] {
  const count = world.between(2, 4);
  return Array.from({ length: count }, (_, index) => {
    const rates: Record<string, number> = { alpha: 0.3 + world.random.next() * 3 };
    if (index === 0 || world.chance(0.6)) rates["beta"] = 0.3 + world.random.next() * 3;
    const idleOnly = world.chance(0.4);
    return { name: `agent-${index + 1}`, slots: world.between(1, 3), rates, idleOnly };
  });
}

export function planSweep(world: World, who: string): SweepSpec {
  const stopping = planStopping(world);
  const grid = world.chance(0.3);
  const lr = grid
    ? ({ distribution: "choice", values: [0.1, 0.2, 0.3, 0.4] } as const)
    : ({ distribution: "log-uniform", min: 0.001, max: 1 } as const);
  const two = world.chance(0.5);
  // An evolution strategy moves all parameters in every trial, so it cannot choose between models.
  const methods = ["random", "sobol", "tpe", "auto", "pbt", two ? "nsga-ii" : "cma-es"] as const;
  const method = grid ? "grid" : (world.pick(methods) ?? "random");
  const space = {
    lr: { ...lr },
    width: { distribution: "int", min: 1, max: 3 },
  };
  return sweepSpecSchema.parse({
    name: `sweep-of-${who}`,
    task: "simulated",
    dataset: null,
    objective: { metric: world.chance(0.5) ? "accuracy" : "loss", goal: "maximize" },
    search: { method, trials: world.between(4, 20), seed: world.between(0, 1_000) },
    stopping,
    models: (two ? ["alpha", "beta"] : ["alpha"]).map((model) => ({ model, space })),
    needs: {},
    cap: null,
    // Half of the accounts are too small on purpose: running out and going on is part of the run.
    beyondBudget: true,
    weight: world.between(1, 3),
    priority: world.between(-1, 1),
    trialSeed: 1,
    codeVersion: "sim",
    reuse: world.chance(0.8),
    register: { model: `best-of-${who}`, alias: "champion" },
  });
}

function planStopping(world: World): SweepSpec["stopping"] {
  const max = world.between(3, 9);
  const target = world.chance(0.2) ? { target: 0.9 } : {};
  switch (world.between(1, 8)) {
    case 1:
      return { policy: "none", max: world.between(1, 4) };
    case 2:
      return { policy: "hyperband", min: 1, max, eta: world.between(2, 3), ...target };
    case 3:
      return { policy: "median", max, minTrials: 2, ...target };
    case 4:
      return { policy: "percentile", max, minTrials: 2, percentile: 40, ...target };
    case 5:
      return { policy: "patience", max, patience: 1, minDelta: 0.01, ...target };
    default:
      return { policy: "asha", min: 1, max, eta: world.between(2, 3), ...target };
  }
}
