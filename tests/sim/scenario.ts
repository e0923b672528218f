// One run of the simulation: a mesh, sweeps and misfortunes drawn from the seed; then quiet; then the audit.
import type { MeshClient } from "../../protocol/client.ts";
import { sleep } from "../../protocol/time/clock.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import type { AgentPlan } from "./agent-process.ts";
import { auditWorld } from "./audit.ts";
import { Deployer } from "./deployer.ts";
import { strike } from "./misfortune.ts";
import { People } from "./people.ts";
import { planAgents, planSweep } from "./sweep-plan.ts";
import { settings, World, type WorldPlan } from "./world.ts";

export interface RunReport {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  readonly trials: number;
  readonly events: number;
  readonly misfortunes: number;
  /** Artifacts removed from the mesh's store. */
  readonly removals: number;
}

const minuteMs = 60_000;
const stormMs = 5 * minuteMs;
const calmLimitMs = 120 * minuteMs;
/** What began in the storm has ended by then: a lease and its grace, and some. */
const settlingMs = 30_000;
/** Longer than any report is on its way before its lease is over. */
const uploadMs = 90_000;
const enough = 1_000_000_000;

export async function runScenario(seed: number): Promise<RunReport> {
  const world = new World(seed, planWorld(seed));
  try {
    return await play(world, seed);
  } catch (error) {
    // A run that cannot come to its end is a finding like any other, and has its seed.
    const why = error instanceof Error ? error.message : String(error);
    const violations = [...new Set(world.violations), `the run broke off: ${why}`];
    return { seed, violations, trace: world.trace, trials: 0, events: 0, misfortunes: 0, removals: 0 };
  }
}

function planWorld(seed: number): WorldPlan {
  const random = randomStream(seed, "plan", 0);
  return { isMixed: random.next() < 0.25, slowDisks: random.next() < 0.25 };
}

async function play(world: World, seed: number): Promise<RunReport> {
  const plans = planAgents(world);
  world.startCandidate("one");
  world.startCandidate("two");
  for (const plan of plans) world.startAgent(plan);
  world.hub.faults = {
    delayMs: [1, world.chance(0.15) ? world.between(500, 4_000) : world.between(2, 60)],
    loss: world.random.next() * 0.08,
    duplication: world.random.next() * 0.08,
    reorder: world.chance(0.5),
    lostAppend: world.random.next() * 0.04,
    lostAck: world.random.next() * 0.04,
    full: world.chance(0.3) ? world.random.next() * 0.1 : 0,
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
  // Little is kept and not for long, so that much goes while everything else happens.
  const retention = { checkpoints: world.between(0, 3), graceMs: world.between(0, 30_000), uploadMs };
  void owner.command("retention-set", retention).catch(() => null);
  const people = new People(world, owner, plans, requesters);
  const misfortunes = scheduleMisfortunes(world, plans) + people.planOrders(stormMs);
  people.planVisits(stormMs);
  const deployer = Deployer.for(world, owner, seed);
  deployer?.start(stormMs);
  await world.clock.advance(stormMs);

  world.calm();
  world.hub.start();
  for (const name of ["one", "two"]) world.startCandidate(name);
  for (const plan of plans) world.startAgent(plan);
  await people.done();
  await settleAccounts(world, owner, plans, requesters);
  const calmFrom = (world.journalTime() ?? Infinity) + settlingMs;
  const sweeps = await world.clock.settle(Promise.all(submitted), 10 * minuteMs).catch(() => [null]);
  await deployer?.settle();
  await waitForSweeps(world, sweeps);
  await collectAll(world, owner);
  // The last paused process wakes up and finds out what has happened meanwhile.
  await world.clock.advance(minuteMs);
  const audit = await auditWorld(world, calmFrom);
  // Each asked for one, however often the question was sent.
  const made = [...audit.state.sweeps.values()].filter(({ deployment }) => deployment === undefined).length;
  const asked = requesters.length + (deployer?.sweeps ?? 0);
  if (made > asked) world.violations.push(`CMD-1: ${made} sweeps of ${asked} that were asked for`);
  return {
    seed,
    violations: [...new Set(world.violations), ...audit.violations],
    trace: world.trace,
    trials: audit.state.trials.size,
    events: audit.events,
    misfortunes,
    removals: world.removals,
  };
}

/** What nothing refers to goes now, and what was put up lately does too. */
async function collectAll(world: World, owner: MeshClient): Promise<void> {
  await world.clock.advance(settings.collectRestMs);
  const orders = async () => {
    await owner.command("retention-set", { uploadMs: 0, graceMs: 0 });
    await owner.command("gc-run", { graceMs: 0 });
  };
  await world.clock.settle(orders(), 10 * minuteMs).catch(() => null);
  // Marked in one look, collected in another, removed after that.
  await world.clock.advance(3 * settings.collectEveryMs);
}

/** Nothing is to end for want of money, or because somebody closed a machine. */
async function settleAccounts(
  world: World,
  owner: MeshClient,
  plans: readonly AgentPlan[],
  requesters: readonly string[],
): Promise<void> {
  const answers = Promise.all([
    ...requesters.map((requester) => owner.command("account-set", { requester, sweepCap: null })),
    ...requesters.map((requester) => owner.command("budget-grant", { requester, amount: enough })),
    ...plans.map(({ name }) => owner.command("agent-drain", { agent: name, drain: false })),
    ...plans.map(({ name }) => owner.command("agent-cordon", { agent: name, cordon: false })),
  ]);
  const given = await world.clock.settle(answers, 10 * minuteMs).catch(() => null);
  if (given === null) world.violations.push("no leader after the storm");
  // Most are not paused, or have ended.
  const resumed = Promise.all(["s1", "s2"].map((sweep) => owner.command("sweep-resume", { sweep })));
  await world.clock.settle(resumed, 10 * minuteMs).catch(() => null);
  for (const answer of given ?? []) {
    if (!answer.ok) world.violations.push(`refused after the storm: ${answer.refusal.message}`);
  }
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
    // A late word may name one that has been started anew since.
    for (const agent of world.liars)
      void viewer.command("agent-cordon", { agent, cordon: false }).catch(() => null);
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

/** What goes wrong during the storm, each at its own time. */
function scheduleMisfortunes(world: World, plans: readonly AgentPlan[]): number {
  const count = world.between(3, 16);
  for (let index = 0; index < count; index++) {
    const at = world.between(5_000, stormMs - 20_000);
    const length = world.between(1_000, 40_000);
    world.clock.setTimer(at, () => strike(world, plans, length));
  }
  return count;
}
