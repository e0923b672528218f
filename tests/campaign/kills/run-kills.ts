/**
 * Lets one misfortune after the other befall a mesh that is at work, then lets all of it end, and looks at what came of it: the
 * journal, replayed from outside, the promises kept, what the processes said, and that none is left.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { auditHome } from "../../support/audit-home.ts";
import { allGone } from "../../support/home-process.ts";
import { randomStream } from "../../../search/space/random-stream.ts";
import { until } from "../../support/until.ts";
import { KillMesh, ownHome } from "./kill-mesh.ts";
import { misfortunes, type Befallen, type Misfortune, type Random, type Scene } from "./misfortune.ts";
import { Workload } from "./workload.ts";

export interface KillOptions {
  readonly count: number;
  readonly seed: number;
  /** Between two misfortunes. */
  readonly everyMs: number;
  readonly onMisfortune: (number: number, what: string) => void;
}

export interface KillReport {
  readonly seed: number;
  readonly befallen: Readonly<Record<string, number>>;
  readonly sweeps: number;
  readonly acknowledged: number;
  readonly trials: number;
  readonly attempts: number;
  readonly events: number;
  readonly leaders: number;
  readonly lateReports: number;
  /** How the machines' parts ended, and how often. */
  readonly ends: Readonly<Record<string, number>>;
  readonly refusals: Readonly<Record<string, number>>;
  /** Empty where all is well. */
  readonly violations: readonly string[];
  /** Kept where something is wrong. */
  readonly folder: string | null;
}

const lastTold = 12;

export async function runKills(options: KillOptions): Promise<KillReport> {
  const mesh = new KillMesh();
  const violations: string[] = [];
  const told: string[] = [];
  const befallen: Record<string, number> = {};
  let facts: Facts | null = null;
  const work = new Workload(mesh);
  try {
    await mesh.open();
    await work.begin();
    const random = randomStream(options.seed, "kills", 0);
    const scene: Scene = { mesh, work, random: () => random.next(), commands: new Set() };
    if (!mesh.hasDisks) violations.push("this user may not mount small disks, so none was full");
    await befallAll(scene, options, (name, number, what) => {
      befallen[name] = (befallen[name] ?? 0) + 1;
      told.push(`${number}: ${what}`);
      options.onMisfortune(number, what);
    });
    for (const command of scene.commands) await command.end("SIGKILL");
    await allEnd(mesh, work);
    await mesh.whole();
    facts = await audit(mesh, work, violations);
    violations.push(...(await endOf(mesh)));
  } catch (error) {
    violations.push(error instanceof Error ? error.message : String(error));
  }
  violations.push(...faultsSaid(mesh));
  const isWell = violations.length === 0;
  if (!isWell) violations.push(...told.slice(-lastTold).map((line) => `before: ${line}`));
  await mesh.close(!isWell);
  return {
    seed: options.seed,
    befallen,
    ...(facts ?? {
      sweeps: 0,
      acknowledged: 0,
      trials: 0,
      attempts: 0,
      events: 0,
      leaders: 0,
      lateReports: 0,
    }),
    ends: counted(
      mesh.machines.flatMap(({ name, part }) =>
        part.ends.map((end) => `${name}: ${end.replaceAll(/\d{3,}/g, "N")}`),
      ),
    ),
    refusals: Object.fromEntries(work.refusals),
    violations,
    folder: isWell ? null : mesh.folder,
  };
}

/** Until as many have befallen it as are wanted; what passes has passed when this resolves. */
async function befallAll(
  scene: Scene,
  { count, everyMs }: KillOptions,
  tell: (name: string, number: number, what: string) => void,
): Promise<void> {
  const passing = new Set<Promise<void>>();
  let submitting: Promise<void> | null = null;
  for (let number = 1; number <= count;) {
    submitting ??= scene.work.submit().finally(() => (submitting = null));
    if (number % 10 === 0) void scene.work.grant().catch(() => undefined);
    const chosen = choose(scene.random);
    const happened = await chosen.befall(scene);
    if (happened !== null) {
      tell(chosen.name, number, happened.what);
      number += 1;
      passes(happened, passing);
    }
    await sleep(everyMs);
  }
  await Promise.all(passing);
  await submitting;
}

function passes({ passes: passing }: Befallen, all: Set<Promise<void>>): void {
  if (passing === null) return;
  const over = sleep(passing.afterMs)
    .then(passing.by)
    .finally(() => all.delete(over));
  all.add(over);
}

function choose(random: Random): Misfortune {
  const whole = misfortunes.reduce((sum, { weight }) => sum + weight, 0);
  let left = random() * whole;
  for (const misfortune of misfortunes) {
    left -= misfortune.weight;
    if (left < 0) return misfortune;
  }
  throw new Error("no misfortune has a weight");
}

/** Every sweep comes to its end, with tokens for whoever is short of them. */
async function allEnd(mesh: KillMesh, work: Workload): Promise<void> {
  await until("the end of every sweep", async (note) => {
    const { client } = await mesh.owner();
    const answer = await client.query("sweeps", { limit: 500 });
    if (!answer.ok) return null;
    const open = answer.value.sweeps.filter(({ state }) => state !== "done" && state !== "stopped");
    note(open);
    if (open.some(({ requester }) => requester !== "owner")) await work.grant();
    return open.length === 0 || null;
  });
}

type Facts = Pick<
  KillReport,
  "sweeps" | "acknowledged" | "trials" | "attempts" | "events" | "leaders" | "lateReports"
>;

async function audit(mesh: KillMesh, work: Workload, violations: string[]): Promise<Facts> {
  const {
    events,
    lateReports,
    leaders,
    outcomes,
    state,
    violations: broken,
  } = await auditHome(mesh.homePath(ownHome));
  violations.push(...broken);
  for (const trial of state.trials.keys())
    if (!outcomes.has(trial)) violations.push(`OUTCOME-1: ${trial} has no outcome`);
  for (const sweep of work.sweeps)
    if (!state.sweeps.has(sweep)) violations.push(`sweep ${sweep} was acknowledged and is lost`);
  for (const [requester, promised] of work.granted) {
    const granted = state.accounts.get(requester)?.granted ?? 0;
    const atMost = promised + (work.perhapsGranted.get(requester) ?? 0);
    if (granted < promised || granted > atMost)
      violations.push(`${requester} was granted ${promised} to ${atMost} and has ${granted}`);
  }
  return {
    sweeps: state.sweeps.size,
    acknowledged: work.sweeps.size,
    trials: state.trials.size,
    attempts: [...state.trials.values()].reduce((sum, { attempts }) => sum + attempts.length, 0),
    events,
    leaders: leaders.length,
    lateReports,
  };
}

/** Asks everything to end; nothing may be left. */
async function endOf(mesh: KillMesh): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const { name, part } of mesh.machines.toReversed()) {
    const code = await part.stop();
    if (code !== 0) wrong.push(`${name} ended with ${code} when it was asked to end`);
  }
  await allGone(mesh.folder).catch((error: unknown) => wrong.push(String(error)));
  return wrong;
}

/** Stack traces, and faults of our own. */
function faultsSaid(mesh: KillMesh): readonly string[] {
  return mesh.machines.flatMap(({ name, part }) =>
    part.said
      .split("\n")
      .filter((line) => /^\s+at .*:\d+:\d+|a fault in trialmesh itself|broken invariant/.test(line))
      .map((line) => `${name} said: ${line}`),
  );
}

function counted(all: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const each of all) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
}
