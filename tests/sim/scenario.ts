// One run of the simulation: a mesh, sweeps and misfortunes drawn from the seed; then quiet; then the audit.
import type { MeshClient } from "../../protocol/client.ts";
import type { CommandBody, CommandName } from "../../protocol/command.ts";
import { sleep } from "../../protocol/time/clock.ts";
import { sweepSpecSchema, type SweepSpec } from "../../protocol/sweep.ts";
import { auditWorld } from "./audit.ts";
import { World, type AgentPlan } from "./world.ts";

export interface RunReport {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  readonly trials: number;
  readonly events: number;
  readonly misfortunes: number;
}

const minuteMs = 60_000;
const stormMs = 5 * minuteMs;
const calmLimitMs = 120 * minuteMs;
const enough = 1_000_000_000;

export async function runScenario(seed: number): Promise<RunReport> {
  const world = new World(seed);
  try {
    return await play(world, seed);
  } catch (error) {
    // A run that cannot come to its end is a finding like any other, and has its seed.
    const why = error instanceof Error ? error.message : String(error);
    const violations = [...new Set(world.violations), `the run broke off: ${why}`];
    return { seed, violations, trace: world.trace, trials: 0, events: 0, misfortunes: 0 };
  }
}

async function play(world: World, seed: number): Promise<RunReport> {
  const plans = planAgents(world);
  world.startCandidate("one");
  world.startCandidate("two");
  for (const plan of plans) world.startAgent(plan);
  world.hub.faults = {
    delayMs: [1, world.between(2, 60)],
    loss: world.random.next() * 0.08,
    duplication: world.random.next() * 0.08,
    reorder: world.chance(0.5),
    lostAppend: world.random.next() * 0.04,
    lostAck: world.random.next() * 0.04,
  };
  const owner = world.client("owner", "owner");
  const requesters = ["ada", "bob"];
  const submitted: Promise<string | null>[] = [];
  for (const who of requesters) {
    const weight = world.between(1, 4);
    const grant = world.chance(0.4) ? world.between(5_000, 60_000) : 2_000_000;
    const client = world.client("requester", who);
    submitted.push(
      owner.command("account-open", { requester: who, weight, grant }).then(async () => {
        const spec = planSweep(world, who);
        for (;;) {
          const answer = await client.command("sweep-run", { spec });
          if (answer.ok) return answer.value.sweep;
          if (answer.refusal.code !== "no-agent-fits") {
            world.violations.push(`sweep of ${who} refused: ${answer.refusal.message}`);
            return null;
          }
          // The one agent that fits has not joined yet.
          await sleep(world.clock, 5_000);
        }
      }),
    );
  }
  const misfortunes = scheduleMisfortunes(world, plans) + scheduleOrders(world, owner, plans, requesters);
  scheduleOwners(world, plans);
  await world.clock.advance(stormMs);

  world.calm();
  world.hub.start();
  for (const name of ["one", "two"]) if (!world.candidates.has(name)) world.startCandidate(name);
  for (const plan of plans) if (!world.agents.has(plan.name)) world.startAgent(plan);
  const grants = Promise.all([
    ...requesters.map((requester) => owner.command("account-set", { requester, sweepCap: null })),
    ...requesters.map((requester) => owner.command("budget-grant", { requester, amount: enough })),
    ...plans.map(({ name }) => owner.command("agent-drain", { agent: name, drain: false })),
    ...plans.map(({ name }) => owner.command("agent-cordon", { agent: name, cordon: false })),
  ]);
  await world.clock
    .settle(grants, 10 * minuteMs)
    .catch(() => world.violations.push("no leader after the storm"));
  const sweeps = await world.clock.settle(Promise.all(submitted), 10 * minuteMs).catch(() => [null]);
  await waitForSweeps(world, sweeps);
  // The last paused process wakes up and finds out what has happened meanwhile.
  await world.clock.advance(minuteMs);
  const audit = await auditWorld(world);
  return {
    seed,
    violations: [...new Set(world.violations), ...audit.violations],
    trace: world.trace,
    trials: audit.state.trials.size,
    events: audit.events,
    misfortunes,
  };
}

async function waitForSweeps(world: World, sweeps: readonly (string | null)[]): Promise<void> {
  const viewer = world.client("owner", "watcher");
  const deadline = world.clock.monotonic() + calmLimitMs;
  while (world.clock.monotonic() < deadline) {
    const answer = await world.clock.settle(viewer.query("sweeps", {}), 10 * minuteMs).catch(() => null);
    if (
      answer?.ok === true &&
      answer.value.sweeps.every(({ state }) => state === "done" || state === "stopped")
    )
      return;
    await world.clock.advance(5_000);
    if (world.violations.length > 20) return;
  }
  const answer = await world.clock.settle(viewer.query("sweeps", {}), 10 * minuteMs);
  const left = answer.ok
    ? answer.value.sweeps.filter(({ state }) => state !== "done" && state !== "stopped")
    : [];
  for (const { counts, sweep, waiting } of left) {
    world.violations.push(
      `LIVE-1: ${sweep} never ended (${JSON.stringify(counts)}; ${waiting ?? "running"}); of ${sweeps.join()}`,
    );
  }
}

function planAgents(world: World): AgentPlan[] {
  const count = world.between(2, 4);
  return Array.from({ length: count }, (_, index) => {
    const rates: Record<string, number> = { alpha: 0.3 + world.random.next() * 3 };
    if (index === 0 || world.chance(0.6)) rates["beta"] = 0.3 + world.random.next() * 3;
    const idleOnly = world.chance(0.4);
    return { name: `agent-${index + 1}`, slots: world.between(1, 3), rates, idleOnly };
  });
}

function planSweep(world: World, who: string): SweepSpec {
  const stopping = planStopping(world);
  const grid = world.chance(0.3);
  const lr = grid
    ? ({ distribution: "choice", values: [0.1, 0.2, 0.3, 0.4] } as const)
    : ({ distribution: "log-uniform", min: 0.001, max: 1 } as const);
  const two = world.chance(0.5);
  // An evolution strategy moves all parameters in every trial, so it cannot choose between models.
  const methods = ["random", "sobol", "tpe", "auto", "pbt", two ? "nsga-ii" : "cma-es"] as const;
  const method = grid ? "grid" : (methods[world.between(0, methods.length - 1)] ?? "random");
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

/** What goes wrong during the storm, each at its own time. */
function scheduleMisfortunes(world: World, plans: readonly AgentPlan[]): number {
  const count = world.between(3, 12);
  for (let index = 0; index < count; index++) {
    const at = world.between(5_000, stormMs - 20_000);
    const kind = world.between(1, 6);
    const length = world.between(1_000, 40_000);
    const agent = plans[world.between(0, plans.length - 1)];
    world.clock.setTimer(at, () => strike(world, kind, length, agent));
  }
  return count;
}

/** People come back to machines they lend only while away, mostly while trials run there. */
function scheduleOwners(world: World, plans: readonly AgentPlan[]): void {
  for (const { idleOnly, name } of plans) {
    for (let visit = world.between(1, 3); idleOnly && visit > 0; visit--) {
      const at = world.between(5_000, stormMs / 3);
      const length = world.between(500, 60_000);
      world.clock.setTimer(at, () => world.returnOwner(name, length));
    }
  }
}

/** What an owner does meanwhile: drains and cordons, sets weights, refills and caps, tunes sweeps. Refusals are fine. */
function scheduleOrders(
  world: World,
  owner: MeshClient,
  plans: readonly AgentPlan[],
  requesters: readonly string[],
): number {
  const count = world.between(0, 6);
  for (let index = 0; index < count; index++) {
    const at = world.between(5_000, stormMs - 20_000);
    const length = world.between(5_000, 60_000);
    const kind = world.between(1, 4);
    const agent = plans[world.between(0, plans.length - 1)]?.name ?? "";
    const requester = requesters[world.between(0, requesters.length - 1)] ?? "";
    const weight = world.between(1, 5);
    const amount = world.between(1_000, 20_000);
    const send = <N extends CommandName>(name: N, body: CommandBody<N>) => {
      // In a storm nobody may be there to hear it.
      void owner.command(name, body).then(
        (answer) => world.note(`${name}: ${answer.ok ? "done" : answer.refusal.message}`),
        (error: unknown) => world.note(`${name}: ${error instanceof Error ? error.message : "lost"}`),
      );
    };
    world.clock.setTimer(at, () => {
      if (kind === 1) {
        send("agent-drain", { agent, drain: true });
        world.clock.setTimer(length, () => send("agent-drain", { agent, drain: false }));
      } else if (kind === 2) {
        send("agent-cordon", { agent, cordon: true });
        world.clock.setTimer(length, () => send("agent-cordon", { agent, cordon: false }));
      } else if (kind === 3) {
        const refill = { amount, everyMs: minuteMs, upTo: amount * 2 };
        send("account-set", { requester, weight, refill, sweepCap: amount * 10 });
      } else send("sweep-tune", { sweep: `s${world.between(1, 2)}`, weight, priority: world.between(-3, 3) });
    });
  }
  return count;
}

function strike(world: World, kind: number, length: number, agent: AgentPlan | undefined): void {
  const leader = world.leader();
  switch (kind) {
    case 1:
      if (leader === null) return;
      world.killCandidate(leader);
      world.clock.setTimer(length, () => {
        if (!world.candidates.has(leader)) world.startCandidate(leader);
      });
      return;
    case 2:
      if (leader !== null) world.pauseCandidate(leader, length);
      return;
    case 3:
    case 4:
      if (agent === undefined) return;
      world.killAgent(agent.name);
      world.clock.setTimer(length, () => {
        if (!world.agents.has(agent.name)) world.startAgent(agent);
      });
      return;
    case 5:
      if (agent !== undefined) world.partitionAgent(agent.name, length);
      return;
    default:
      world.stopServer(Math.min(length, 15_000));
  }
}
