/** Starts or restarts the agent of a machine that was added, and waits until the mesh has it. Brings nothing. */
import { setTimeout as sleep } from "node:timers/promises";
import type { MeshClient } from "../../protocol/client.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { darwin } from "./platform/darwin.ts";
import { linux } from "./platform/linux.ts";
import type { ServicePlatform } from "./platform/service.ts";
import type { HostFacts } from "./host-fact.ts";
import { lookScript, serviceScript, startScript, stopScript } from "./remote-script.ts";
import type { SshSession } from "./ssh-session.ts";

const pollMs = 250;
/** Asking over ssh what became of it is dearer than asking the mesh. */
const pollsPerLook = 12;
/** Measuring a slow machine's backends for the first time can take a minute. */
const presentTimeoutMs = 240_000;

/** By what `uname` says. */
export const servicePlatforms: Readonly<Record<string, ServicePlatform>> = { Linux: linux, Darwin: darwin };

export interface AgentStart {
  readonly name: string;
  /** Flags of its owner. */
  readonly words: readonly string[];
  readonly service: boolean;
}

/** Ends the one that runs and starts it of the current build. What the machine had to say, line by line. */
export async function startAgent(
  session: SshSession,
  facts: HostFacts,
  { name, service, words }: AgentStart,
): Promise<Outcome<readonly string[]>> {
  const stopped = await session.run(stopScript(name));
  if (!stopped.ok) return stopped;
  const all = ["agent", "--name", name, ...words];
  const platform = servicePlatforms[facts.os];
  if (service && platform !== undefined) {
    const { path, text } = platform.file(name, facts.home, all);
    const enabled = await session.run(serviceScript(path, platform.enable(name)), { text });
    return enabled.ok ? accept(notesIn(enabled.value)) : enabled;
  }
  const started = await session.run(startScript(name, all));
  return started.ok ? accept([]) : started;
}

/** Lines that a script marked as to be told. */
export function notesIn(said: string): readonly string[] {
  return said
    .split("\n")
    .filter((line) => line.startsWith("note="))
    .map((line) => line.slice("note=".length));
}

/** When the mesh last heard of an agent, by its clock; null: never. */
export async function lastSeen(client: MeshClient, name: string): Promise<number | null> {
  const mesh = await client.query("mesh", {});
  if (!mesh.ok) return null;
  return mesh.value.agents.find(({ agent }) => agent === name)?.lastSeenAt ?? null;
}

/** ADD-4: added is what the mesh has heard of after `seenBefore`. */
export async function untilPresent(
  client: MeshClient,
  session: SshSession,
  { name, seenBefore, service }: { name: string; seenBefore: number | null; service: boolean },
): Promise<Outcome<null>> {
  const deadline = performance.now() + presentTimeoutMs;
  for (let polls = 1; performance.now() < deadline; polls++) {
    const mesh = await client.query("mesh", {});
    if (!mesh.ok && mesh.refusal.code !== "unavailable") return mesh;
    const agent = mesh.ok ? mesh.value.agents.find((one) => one.agent === name) : undefined;
    const seen = agent?.lastSeenAt ?? null;
    if (agent !== undefined && agent.state !== "silent" && seen !== null && seen > (seenBefore ?? 0))
      return accept(null);
    if (!service && polls % pollsPerLook === 0) {
      const look = await session.run(lookScript(name));
      if (look.ok && look.value.includes("runs=no"))
        return refuse("unavailable", `the agent on ${session.destination} ended: ${saidIn(look.value)}`);
    }
    await sleep(pollMs);
  }
  return refuse(
    "unavailable",
    `the agent on ${session.destination} was started, and the mesh has not heard of it within ${presentTimeoutMs / 1000} s; its words are in ~/.local/share/trialmesh/agent-${name}.log there`,
  );
}

function saidIn(text: string): string {
  const said = /^said=(.+)$/mu.exec(text)?.[1];
  return said === undefined ? "it said nothing" : said.replace(/^trialmesh: /u, "");
}
