/**
 * Adds a machine over ssh: looks at it, brings Node and this very build, joins it with an invitation of one use, starts its agent, and
 * waits until the mesh has it. Doing it again changes nothing that is as it was asked for (ADD-2). Prints nothing.
 */
import { networkInterfaces } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { homePath, openHome, type Home } from "../../mesh/home.ts";
import { readBuild, type Build } from "../../mesh/build/own-build.ts";
import { unpackedBytes } from "../../mesh/build/pack-build.ts";
import { nameProblem } from "../../mesh/admission.ts";
import { readUser } from "../../mesh/user.ts";
import { loadIdentity } from "../../mesh/identity.ts";
import { withdrawInvite } from "../../mesh/invite.ts";
import { plainName } from "../../mesh/part/machine-name.ts";
import { findUp } from "../../mesh/part/up-record.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Surroundings } from "../../system/environment.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { connectMesh } from "../connect/connect-mesh.ts";
import { makeInvitation } from "../connect/make-invitation.ts";
import { bringBuild } from "./bring-build.ts";
import { clockNote, fitOf, platformOf, readFacts, type Fit, type HostFacts } from "./host-fact.ts";
import { listMachines, saveMachine, type MachineRecord } from "./machine-record.ts";
import { meshAddress } from "./mesh-address.ts";
import { joinScript, probeScript, switchScript } from "./remote-script.ts";
import { openSsh, type SshPlace, type SshSession } from "./ssh-session.ts";
import { lastSeen, notesIn, servicePlatforms, startAgent, untilPresent } from "./start-agent.ts";

/** It is used up within seconds. */
const invitationLifeS = 600;
const msPerS = 1_000;

export interface AddOptions {
  readonly place: SshPlace;
  /** Of the agent; null: what the machine calls itself. */
  readonly name: string | null;
  /** Flags of the agent's owner. */
  readonly words: readonly string[];
  readonly service: boolean;
  /** Of the mesh as that machine reaches it; null: what ssh shows. */
  readonly url: string | null;
}

export interface Added {
  readonly agent: string;
  readonly destination: string;
  readonly build: string;
  readonly version: string;
  readonly platform: string;
  readonly service: boolean;
  /** It was as asked for before. */
  readonly already: boolean;
}

export async function addMachine(surroundings: Surroundings, options: AddOptions): Promise<Outcome<Added>> {
  const home = openHome(homePath(surroundings.environment));
  if (!home.ok) return home;
  const identity = loadIdentity(home.value);
  if (!identity.ok) return identity;
  if ((await findUp(home.value)) === null)
    return refuse(
      "unavailable",
      `the mesh of ${home.value.path} is not up, and who joins is let in by it; start it with \`trialmesh up --listen 0.0.0.0:4222\``,
    );
  const build = readBuild(projectFolder);
  if (!build.ok) return build;
  const connected = await connectMesh(surroundings.environment);
  if (!connected.ok) return connected;
  const session = openSsh(surroundings.environment, options.place);
  try {
    const { client } = connected.value;
    return await addOver(surroundings, { session, home: home.value, build: build.value, client }, options);
  } finally {
    await session.close();
    await connected.value.client.close();
  }
}

interface Adding {
  readonly session: SshSession;
  readonly home: Home;
  readonly build: Build;
  readonly client: MeshClient;
}

async function addOver(
  surroundings: Surroundings,
  adding: Adding,
  options: AddOptions,
): Promise<Outcome<Added>> {
  const { build, client, home, session } = adding;
  const found = await lookAt(surroundings, adding, options);
  if (!found.ok) return found;
  const { facts, name } = found.value;
  const known = listMachines(home);
  if (!known.ok) return known;
  const record = recordOf(adding, options, found.value);
  const before = known.value.find(({ agent }) => agent === name);
  const seenBefore = await lastSeen(client, name);
  const added = { ...record, version: build.version };
  if (facts.current === build.id && isSame(before, record) && (await isPresent(client, name)))
    return accept({ ...added, already: true });
  const brought = await bringBuild(surroundings, session, build, found.value);
  if (!brought.ok) return brought;
  if (!facts.agents.includes(name)) {
    const joined = await joinOver(surroundings, adding, found.value);
    if (!joined.ok) return joined;
  }
  const switched = await session.run(switchScript(build.id));
  if (!switched.ok) return switched;
  const saved = saveMachine(home, { ...record, addedAt: before?.addedAt ?? Date.now() });
  if (!saved.ok) return saved;
  const started = await startAgent(session, facts, { name, words: options.words, service: options.service });
  if (!started.ok) return started;
  for (const note of [...notesIn(switched.value), ...started.value]) surroundings.say(note);
  surroundings.say(`${name} is started; the first time it measures its machine`);
  const present = await untilPresent(client, session, { name, seenBefore, service: options.service });
  return present.ok ? accept({ ...added, already: false }) : present;
}

interface Found {
  readonly facts: HostFacts;
  readonly fit: Fit;
  readonly name: string;
  /** Of the mesh, for an invitation; undefined: what any invitation would name. */
  readonly url: string | undefined;
}

/** Everything that can be known before anything is brought. */
async function lookAt(
  { say }: Surroundings,
  { build, home, session }: Adding,
  options: AddOptions,
): Promise<Outcome<Found>> {
  const { destination } = session;
  const probes = Object.entries(servicePlatforms).map(([uname, { probe }]) => [uname, probe] as const);
  const said = await session.run(probeScript(Object.fromEntries(probes)));
  if (!said.ok) return said;
  const read = readFacts(said.value, destination);
  if (!read.ok) return read;
  const facts = read.value;
  const fit = fitOf(
    facts,
    { platform: process.platform, arch: process.arch },
    facts.builds.includes(build.id) ? 0 : unpackedBytes(build),
    destination,
  );
  if (!fit.ok) return fit;
  if (options.service && !facts.mayHaveServices)
    return refuse(
      "unavailable",
      `${destination} has no ${servicePlatforms[facts.os]?.keeper ?? "services for its users"}, or lets this user have none; leave --service out, and start the agent there yourself after a restart`,
    );
  const note = clockNote(facts, Date.now(), destination);
  if (note !== null) say(note);
  if (facts.mesh !== null && facts.mesh !== home.mesh)
    return refuse(
      "conflict",
      `the home of ${destination} (~/.trialmesh) belongs to mesh ${facts.mesh}, not to ${home.mesh}; come as another user there, or move that folder away`,
    );
  const name = nameOf(facts, options.name, destination);
  if (!name.ok) return name;
  const found = { facts, fit: fit.value, name: name.value };
  if (facts.agents.includes(name.value)) return accept({ ...found, url: undefined });
  const url = await addressFor(home, facts, options, destination);
  if (!url.ok) return url;
  const known = readUser(home, "agent", name.value);
  if (!known.ok) return known;
  const taken = nameProblem({ role: "agent", name: name.value }, known.value);
  return taken === null
    ? accept({ ...found, url: url.value })
    : refuse("conflict", `${taken} for ${destination} with --name`);
}

async function addressFor(
  home: Home,
  { seenFrom }: HostFacts,
  { url }: AddOptions,
  destination: string,
): Promise<Outcome<string | undefined>> {
  if (url !== null) return accept(url);
  const up = await findUp(home);
  const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  return meshAddress({ destination, seenFrom, listen: up?.listen ?? null, url: home.url, own });
}

function nameOf(facts: HostFacts, asked: string | null, destination: string): Outcome<string> {
  const [first] = facts.agents;
  const name = asked ?? first ?? plainName(facts.host);
  if (first !== undefined && !facts.agents.includes(name))
    return refuse(
      "conflict",
      `${destination} is agent ${first} of this mesh already; \`trialmesh add ${destination} --name ${first}\` brings this build to it`,
    );
  return accept(name);
}

async function joinOver(
  { environment }: Surroundings,
  { build, home, session }: Adding,
  { name, url }: Found,
): Promise<Outcome<null>> {
  const { destination } = session;
  const nowS = Math.floor(Date.now() / msPerS);
  const made = await makeInvitation(environment, { role: "agent", name, url, lifeS: invitationLifeS, nowS });
  if (!made.ok) return made;
  const joined = await session.run(joinScript(build.id), { text: `${made.value.code}\n` });
  if (joined.ok) return accept(null);
  await withdrawInvite(home, made.value.id, nowS);
  const why = joined.refusal.message.replace(`${destination}: trialmesh: `, "");
  return refuse(joined.refusal.code, `${destination} has the build, and could not join: ${why}`);
}

function recordOf(
  { build }: Adding,
  { place, service, words }: AddOptions,
  { facts, name }: Found,
): MachineRecord {
  const { arch = facts.arch, platform = facts.os } = platformOf(facts) ?? {};
  return {
    version: 1,
    agent: name,
    ...place,
    build: build.id,
    packageVersion: build.version,
    platform: `${platform}-${arch}`,
    service,
    words: [...words],
    addedAt: 0,
  };
}

function isSame(before: MachineRecord | undefined, now: MachineRecord): boolean {
  if (before === undefined) return false;
  return isDeepStrictEqual({ ...before, addedAt: 0 }, now);
}

async function isPresent(client: MeshClient, name: string): Promise<boolean> {
  const mesh = await client.query("mesh", {});
  return mesh.ok && mesh.value.agents.some(({ agent, state }) => agent === name && state !== "silent");
}
