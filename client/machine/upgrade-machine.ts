/**
 * Brings machines that were added to this build, one after the other: the build first, while the agent goes on; then it is emptied, started
 * of the new one, and takes trials again (ADD-6). One that does not come up runs its old build again. Coordinators are not its to
 * change: that of this home must run this build before any agent does.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { homePath, openHome, type Home } from "../../mesh/home.ts";
import { readBuild, type Build } from "../../mesh/build/own-build.ts";
import { unpackedBytes } from "../../mesh/build/pack-build.ts";
import { findUp } from "../../mesh/part/up-record.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { AgentView } from "../../protocol/view.ts";
import type { Surroundings } from "../../system/environment.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { connectMesh } from "../connect/connect-mesh.ts";
import { bringBuild } from "./bring-build.ts";
import { fitOf, readFacts, type HostFacts } from "./host-fact.ts";
import { listMachines, saveMachine, type MachineRecord } from "./machine-record.ts";
import { probeScript, switchScript } from "./remote-script.ts";
import { openSsh, type SshSession } from "./ssh-session.ts";
import { lastSeen, startAgent, untilPresent } from "./start-agent.ts";

const pollMs = 250;

export interface Upgraded {
  readonly agent: string;
  readonly outcome: "upgraded" | "current" | "failed";
  /** Why it failed. */
  readonly why: string | null;
}

export interface UpgradeOptions {
  /** Empty: all that were added. */
  readonly names: readonly string[];
  /** How long trials there may take to come to a checkpoint. */
  readonly drainMs: number;
}

export async function upgradeMachines(
  surroundings: Surroundings,
  { drainMs, names }: UpgradeOptions,
): Promise<Outcome<readonly Upgraded[]>> {
  const home = openHome(homePath(surroundings.environment));
  if (!home.ok) return home;
  const chosen = chooseMachines(home.value, names);
  if (!chosen.ok) return chosen;
  const build = readBuild(projectFolder);
  if (!build.ok) return build;
  const first = await coordinatorFirst(home.value, build.value);
  if (!first.ok) return first;
  const connected = await connectMesh(surroundings.environment);
  if (!connected.ok) return connected;
  const { client } = connected.value;
  try {
    const done: Upgraded[] = [];
    for (const record of chosen.value) {
      const session = openSsh(surroundings.environment, record);
      const upgrade = {
        surroundings,
        home: home.value,
        build: build.value,
        client,
        session,
        record,
        drainMs,
      };
      const outcome = await upgradeOne(upgrade);
      await session.close();
      const { agent } = record;
      done.push(
        outcome.ok
          ? { agent, outcome: outcome.value, why: null }
          : { agent, outcome: "failed", why: outcome.refusal.message },
      );
    }
    return accept(done);
  } finally {
    await client.close();
  }
}

function chooseMachines(home: Home, names: readonly string[]): Outcome<readonly MachineRecord[]> {
  const all = listMachines(home);
  if (!all.ok || names.length === 0) return all;
  const known = all.value.map(({ agent }) => agent);
  const unknown = names.find((name) => !known.includes(name));
  return unknown === undefined
    ? accept(all.value.filter(({ agent }) => names.includes(agent)))
    : refuse(
        "unknown",
        `${unknown} was not added from here, so it is upgraded by hand (docs/upgrading.md) or added with \`trialmesh add user@host --name ${unknown}\`; ${suggestion(unknown, known)}`,
      );
}

async function coordinatorFirst(home: Home, build: Build): Promise<Outcome<null>> {
  const up = await findUp(home);
  if (up === null)
    return refuse(
      "unavailable",
      `the mesh of ${home.path} is not up, and coordinators come first; start it with \`trialmesh up\` of this build`,
    );
  return up.build === build.id
    ? accept(null)
    : refuse(
        "conflict",
        `the coordinator here runs build ${up.build ?? "of an earlier version"} and this is ${build.id}; coordinators come first: \`trialmesh down\`, then \`trialmesh up\`, and then the agents`,
      );
}

interface Upgrade {
  readonly surroundings: Surroundings;
  readonly home: Home;
  readonly build: Build;
  readonly client: MeshClient;
  readonly session: SshSession;
  readonly record: MachineRecord;
  readonly drainMs: number;
}

async function upgradeOne(upgrade: Upgrade): Promise<Outcome<"upgraded" | "current">> {
  const { build, client, record, session, surroundings } = upgrade;
  const { agent } = record;
  const said = await session.run(probeScript({}));
  if (!said.ok) return said;
  const facts = readFacts(said.value, session.destination);
  if (!facts.ok) return facts;
  const before = await viewOf(client, agent);
  const isPresent = before !== undefined && before.state !== "silent";
  if (facts.value.current === build.id && record.build === build.id && isPresent) return accept("current");
  const here = { platform: process.platform, arch: process.arch };
  const fit = fitOf(facts.value, here, unpackedBytes(build), session.destination);
  if (!fit.ok) return fit;
  const brought = await bringBuild(surroundings, session, build, { facts: facts.value, fit: fit.value });
  if (!brought.ok) return brought;
  if (!isPresent) return await replace(upgrade, facts.value);
  surroundings.say(
    `${agent} takes no new trials; what runs there goes on elsewhere from its next checkpoint`,
  );
  const drained = await client.command("agent-drain", { agent, drain: true });
  if (!drained.ok) return drained;
  try {
    const empty = await untilEmpty(upgrade);
    return empty.ok ? await replace(upgrade, facts.value) : empty;
  } finally {
    if (before.state !== "draining") await client.command("agent-drain", { agent, drain: false });
  }
}

/** Starts it of the new build; of the one before where that does not come up. */
async function replace(upgrade: Upgrade, facts: HostFacts): Promise<Outcome<"upgraded">> {
  const { build, home, record } = upgrade;
  const started = await startOf(upgrade, facts, build.id);
  if (started.ok) {
    const saved = saveMachine(home, { ...record, build: build.id, packageVersion: build.version });
    return saved.ok ? accept("upgraded") : saved;
  }
  const old = facts.current;
  if (old === null || old === build.id || !facts.builds.includes(old)) return started;
  const back = await startOf(upgrade, facts, old);
  const now = back.ok ? "the one before runs again" : `nor does the one before: ${back.refusal.message}`;
  return refuse(
    "unavailable",
    `the new build does not come up on ${record.agent}: ${started.refusal.message}; ${now}`,
  );
}

async function startOf(
  { client, record, session }: Upgrade,
  facts: HostFacts,
  build: string,
): Promise<Outcome<null>> {
  const { agent, service, words } = record;
  const switched = await session.run(switchScript(build));
  if (!switched.ok) return switched;
  const seenBefore = await lastSeen(client, agent);
  const started = await startAgent(session, facts, { name: agent, words, service });
  return started.ok ? untilPresent(client, session, { name: agent, seenBefore, service }) : started;
}

async function untilEmpty({ client, drainMs, record }: Upgrade): Promise<Outcome<null>> {
  const deadline = performance.now() + drainMs;
  for (;;) {
    const view = await viewOf(client, record.agent);
    if (view !== undefined && view.running.length === 0) return accept(null);
    if (performance.now() > deadline)
      return refuse(
        "unavailable",
        `${record.agent} still runs a trial that has come to no checkpoint; nothing was changed there, try again later or with a longer --wait`,
      );
    await sleep(pollMs);
  }
}

async function viewOf(client: MeshClient, name: string): Promise<AgentView | undefined> {
  const mesh = await client.query("mesh", {});
  return mesh.ok ? mesh.value.agents.find(({ agent }) => agent === name) : undefined;
}
