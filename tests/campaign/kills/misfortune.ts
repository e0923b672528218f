/** What may befall a mesh, one kind a line. Each is done at once, and says what it did and how it passes; null where it cannot be just now. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CliProcess } from "../../support/cli-mesh.ts";
import type { ProxyMode } from "./cut-proxy.ts";
import { agents, kill, ownHome, smallAgent, type KillMesh } from "./kill-mesh.ts";
import type { Workload } from "./workload.ts";

/** Uniform in [0, 1). */
export type Random = () => number;

export interface Scene {
  readonly mesh: KillMesh;
  readonly work: Workload;
  readonly random: Random;
  /** Commands that people have under way. */
  readonly commands: Set<CliProcess>;
}

export interface Befallen {
  readonly what: string;
  /** After so long it passes by itself; null where there is nothing to pass. */
  readonly passes: { readonly afterMs: number; readonly by: () => void } | null;
}

export interface Misfortune {
  readonly name: string;
  /** How often, beside the others. */
  readonly weight: number;
  readonly befall: (scene: Scene) => Befallen | null | Promise<Befallen | null>;
}

const hourMs = 3_600_000;
/** Longest and shortest of what passes: from a hiccup to more than a lease. */
const lastsMinMs = 300;
const lastsMaxMs = 9_000;
const fillBytes = 1 << 20;

const lasts = (random: Random): number => Math.round(lastsMinMs * (lastsMaxMs / lastsMinMs) ** random());
const one = <T>(random: Random, of: readonly T[]): T | null => of[Math.floor(random() * of.length)] ?? null;
const done = (what: string): Befallen => ({ what, passes: null });

/** What a process is, by its command line. */
function roleOf(pid: number): string | null {
  let words: readonly string[];
  try {
    words = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
  } catch {
    return null;
  }
  const line = words.join(" ");
  // Who joins with a line has it taken out of sight.
  if (line.startsWith("trialmesh ")) return words[0]?.trim().replace(/^trialmesh /, "joined ") ?? null;
  if (line.includes("nats-server")) return "server";
  const name = words[words.indexOf("--name") + 1] ?? "";
  if (line.includes("main.js agent")) return `agent ${name}`;
  if (line.includes("main.js coordinator")) return `coordinator ${name}`;
  if (line.includes("main.js up")) return "up";
  if (line.includes("main.js")) return "command";
  if (line.includes("child.js")) return "training child";
  if (line.includes("trap")) return "guard";
  return line.includes("run.sh") || line.includes("sleep") ? "program" : "other";
}

/** One process whose role starts so; each role is as likely as any other, however many processes it has. */
function victim(
  { mesh, random }: Scene,
  wanted: readonly string[],
): { readonly pid: number; readonly role: string } | null {
  const byRole = new Map<string, number[]>();
  for (const pid of mesh.processes()) {
    const role = roleOf(pid);
    if (role !== null && wanted.some((start) => role.startsWith(start)))
      byRole.set(role, [...(byRole.get(role) ?? []), pid]);
  }
  const role = one(random, [...byRole.keys()].toSorted());
  const pid = one(random, byRole.get(role ?? "") ?? []);
  return role === null || pid === null ? null : { pid, role };
}

function killed(scene: Scene, ...wanted: readonly string[]): Befallen | null {
  const found = victim(scene, wanted);
  if (found === null) return null;
  kill(found.pid);
  return done(`kill -9 of ${found.role} (${found.pid})`);
}

function stopped(scene: Scene, ...wanted: readonly string[]): Befallen | null {
  const found = victim(scene, wanted);
  if (found === null) return null;
  const { pid, role } = found;
  const afterMs = lasts(scene.random);
  kill(pid, "SIGSTOP");
  return {
    what: `${role} (${pid}) stands still for ${afterMs} ms`,
    passes: { afterMs, by: () => kill(pid, "SIGCONT") },
  };
}

function partition({ mesh, random }: Scene): Befallen | null {
  const mode = one<ProxyMode>(random, ["cut", "stall", "stall-up", "stall-down", "slow"]) ?? "cut";
  const machine = one(
    random,
    mesh.machines.filter(({ proxy }) => proxy !== null && proxy.mode === "open"),
  );
  const proxy = machine?.proxy ?? null;
  if (machine === null || proxy === null) return null;
  const afterMs = lasts(random);
  proxy.set(mode);
  return {
    what: `${machine.name}'s way is ${mode} for ${afterMs} ms`,
    passes: { afterMs, by: () => proxy.set("open") },
  };
}

function clockStep({ mesh, random }: Scene): Befallen | null {
  const machine = one(random, mesh.machines);
  if (machine === null) return null;
  const file = mesh.clockFile(machine.name);
  const offsetMs = one(random, [-hourMs, 0, hourMs]) ?? 0;
  writeFileSync(file, String(offsetMs));
  return done(`${machine.name}'s clock is ${offsetMs / hourMs} h off`);
}

function fullDisk({ mesh, random }: Scene): Befallen | null {
  if (!mesh.hasDisks) return null;
  const name = random() < 0.7 ? smallAgent : ownHome;
  if (!mesh.isOnSmallDisk(name))
    throw new Error(`the small disk of ${name} was taken away; nothing is filled`);
  const filler = join(mesh.homePath(name), "filler");
  const afterMs = lasts(random);
  const bytes = Buffer.alloc(fillBytes);
  try {
    for (;;) appendFileSync(filler, bytes);
  } catch {
    // It is full.
  }
  return {
    what: `${name}'s disk is full for ${afterMs} ms`,
    passes: { afterMs, by: () => rmSync(filler, { force: true }) },
  };
}

async function revoked({ mesh, random }: Scene): Promise<Befallen | null> {
  const name = one(random, agents);
  if (name === null || !(await mesh.revoke(name))) return null;
  for (let tries = 0; tries < 100; tries++)
    if (await mesh.inviteAgain("agent", name)) return done(`${name} is revoked, and invited again`);
  throw new Error(`${name} was revoked and could not be invited again`);
}

async function restarted({ mesh, random }: Scene): Promise<Befallen | null> {
  const machine = one(random, mesh.machines);
  if (machine === null) return null;
  void machine.part.restart();
  return done(`${machine.name} is asked to end, and started again`);
}

async function begun({ commands, mesh, random, work }: Scene): Promise<Befallen> {
  const command = random() < 0.3 ? mesh.start(ownHome, "tui") : work.command();
  commands.add(command);
  void command.ended.then(() => commands.delete(command));
  const afterMs = lasts(random);
  return {
    what: `a command begins, and is killed after ${afterMs} ms`,
    passes: { afterMs, by: () => kill(command.pid) },
  };
}

export const misfortunes: readonly Misfortune[] = [
  { name: "kill agent", weight: 12, befall: (scene) => killed(scene, "agent", "joined agent") },
  {
    name: "kill coordinator",
    weight: 12,
    befall: (scene) => killed(scene, "coordinator", "joined coordinator"),
  },
  { name: "kill server", weight: 6, befall: (scene) => killed(scene, "server") },
  { name: "kill up", weight: 2, befall: (scene) => killed(scene, "up") },
  { name: "kill work", weight: 16, befall: (scene) => killed(scene, "training child", "program") },
  { name: "kill guard", weight: 3, befall: (scene) => killed(scene, "guard") },
  {
    name: "stop",
    weight: 14,
    befall: (scene) => stopped(scene, "agent", "coordinator", "server", "training child", "program"),
  },
  { name: "partition", weight: 14, befall: partition },
  { name: "clock", weight: 6, befall: clockStep },
  { name: "full disk", weight: 3, befall: fullDisk },
  { name: "revoke", weight: 2, befall: revoked },
  { name: "restart", weight: 3, befall: restarted },
  { name: "command", weight: 8, befall: begun },
];
