/** An agent as a process: its credential, its folder, its owner's policy, its measured machine, until it is stopped. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { startAgent } from "../../agent/agent.ts";
import { openDiskCache } from "../../artifact/cache/disk-cache.ts";
import type { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import { idleSourcesHere } from "../../agent/owner/idle/sources-here.ts";
import { DiskReserve } from "../../agent/owner/disk-reserve.ts";
import { othersLoad } from "../../agent/owner/others-load.ts";
import { readPower } from "../../agent/owner/power.ts";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import { ReachedReplicas } from "../../agent/serving/reached-replica.ts";
import type { Runner } from "../../agent/runner/runner.ts";
import { machineRunner } from "../../agent/child/machine-runner.ts";
import type { Credential } from "../credential.ts";
import type { Home } from "../home.ts";
import { loadIdentity } from "../identity.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import type { Capability, Policy } from "../../protocol/capability.ts";
import type { MeshTrust } from "../../protocol/signature.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Store } from "../../store/store.ts";
import type { Surroundings } from "../../system/environment.ts";
import { connectAs } from "../connect.ts";
import { meshTrust, operatorCheck } from "../mesh-trust.ts";
import { cacheFolder, openAgentMemory } from "./agent-memory.ts";
import { awaitDisk } from "./await-disk.ts";
import { claimPlace } from "./claim-place.ts";
import type { FoundSandbox } from "../../agent/sandbox/probe-sandbox.ts";
import type { Sandbox } from "../../agent/sandbox/sandbox.ts";
import type { SealKey } from "../../protocol/hpke.ts";
import { agentSealKey } from "./agent-seal-key.ts";
import { agentSandbox } from "./sandbox-policy.ts";
import { agentPolicy, type AgentPolicy, type PeerPort, type PolicyFlags } from "./agent-policy.ts";
import { localCredential, type LocalOptions } from "./local-credential.ts";
import { machineLoad, minuteOfDay } from "./machine-load.ts";
import { keepCertificate, type KeptCertificate } from "./keep-certificate.ts";
import { keepMeasured, withoutPackages } from "./keep-measured.ts";
import { measureMachine, type MeasuredMachine } from "./measure-machine.ts";
import { deletedReason, watchForDeletion } from "./deletion-watch.ts";
import { shareWithOthers } from "./share-with-others.ts";
import { partEndMs, untilClosed, untilStopped, type StopReason } from "./until-stopped.ts";

export interface RunAgentOptions extends LocalOptions, PolicyFlags {
  /** Disk for datasets and checkpoints, in GiB. */
  readonly cacheQuota: number;
}

export async function runAgent(
  { environment, say }: Surroundings,
  options: RunAgentOptions,
): Promise<Outcome<null>> {
  const local = await localCredential(environment, "agent", options);
  if (!local.ok) return local;
  const { home, credential } = local.value;
  const asked = untilStopped(partEndMs);
  const claimed = await claimPlace(home, "agent", credential.name, say, asked);
  if (claimed === null) return accept(null);
  if (!claimed.ok) return claimed;
  const { folder, lock } = claimed.value;
  try {
    // Who has the mesh's keys can reach every agent anyway: on that machine their own programs may run from the start.
    const hasKeys = loadIdentity(home).ok;
    const owner = await awaitDisk(
      () => agentPolicy(folder, options, hasKeys ? "own" : "none", hasKeys),
      say,
      asked,
    );
    if (owner === null) return accept(null);
    if (!owner.ok) return owner;
    const { labels, note } = owner.value;
    if (note !== null) say(note);
    const found = await measureMachine({
      environment,
      folder,
      labels,
      fresh: false,
      progress: say,
    });
    const confined = await agentSandbox({
      environment,
      say,
      ...owner.value,
      python: found.python,
      secret: [home.path, folder],
    });
    const sealKey = agentSealKey(folder);
    if (!sealKey.ok) return sealKey;
    const lent = lentMachine(owner.value, found, confined, sealKey.value);
    const bus = await connectAs(home, credential, say);
    if (!bus.ok) return bus;
    const trust = meshTrust(home.mesh, credential);
    if (!trust.ok) {
      await bus.value.close();
      return trust;
    }
    const memory = await openAgentMemory(home, folder, options.cacheQuota, say, asked);
    if (memory?.ok !== true) {
      await bus.value.close();
      return memory ?? accept(null);
    }
    const { artifacts, store } = memory.value;
    const { name } = credential;
    const kept = ownCertificate(home, credential, bus.value, say);
    const place = { home, name, folder, bus: bus.value, trust: trust.value, store, artifacts, asked };
    const end = await lend({ environment, say }, { ...place, ...lent, certificate: kept });
    kept?.stop();
    await bus.value.close();
    await artifacts.close();
    await store.close();
    if (end.kind === "asked") return accept(null);
    const why =
      end.kind === "halted" ? end.reason : `the mesh no longer accepts agent ${name}: ${end.reason}`;
    return refuse("unavailable", why);
  } finally {
    lock.release();
  }
}

/** What the mesh is told, and what its owner allows, where the sandbox that was asked for is not to be had. */
function lentMachine(
  owner: AgentPolicy,
  found: MeasuredMachine,
  confined: FoundSandbox | null,
  sealKey: SealKey,
) {
  const runs = confined !== null && confined.refused === null;
  const { capability } = found;
  return {
    ...owner,
    policy: runs ? owner.policy : { ...owner.policy, programs: "none" as const },
    programSandbox: confined?.sandbox ?? null,
    sealKey,
    measured: {
      ...found,
      capability: runs
        ? { ...capability, sandbox: confined.view, sealKey: sealKey.publicKey }
        : withoutPackages(capability),
    },
  };
}

/** The mesh works without: then nothing is said to other agents directly. */
function ownCertificate(
  home: Home,
  credential: Credential,
  bus: Bus,
  say: (line: string) => void,
): KeptCertificate | null {
  const check = operatorCheck(credential);
  const { name, publicKey } = credential;
  const who = { home, role: "agent", name, userKey: publicKey } as const;
  const kept = check.ok
    ? keepCertificate({ ...who, bus, check: check.value, clock: systemClock, say })
    : check;
  if (kept.ok) return kept.value;
  say(`certificates: ${kept.refusal.message}`);
  return null;
}

interface Lending {
  readonly home: Home;
  readonly name: string;
  readonly folder: string;
  readonly bus: Bus;
  readonly trust: MeshTrust;
  readonly store: Store;
  readonly asked: Promise<StopReason>;
  readonly measured: MeasuredMachine;
  readonly policy: Policy;
  readonly programSandbox: Sandbox | null;
  readonly sealKey: SealKey;
  readonly idleCommand: string | null;
  readonly leaveFreeDiskGiB: number | null;
  readonly artifacts: ArtifactStore;
  readonly certificate: KeptCertificate | null;
  readonly uploadRate: number | null;
  readonly mayRelay: boolean;
  readonly peerPort: PeerPort;
}

type LendingEnd = StopReason | { readonly kind: "halted"; readonly reason: string };

/** Lends the machine until it is to end; gives why. */
async function lend({ environment, say }: Surroundings, lending: Lending): Promise<LendingEnd> {
  const { bus, home, measured, name, policy, store } = lending;
  const { capability } = measured;
  const incarnation = randomUUID();
  const reserve = new DiskReserve({ folder: lending.folder, leaveFreeGiB: lending.leaveFreeDiskGiB });
  const reached = new ReachedReplicas();
  const among = shareWithOthers({ ...lending, reached, incarnation, say, diskFree: () => reserve.spare() });
  const artifacts = await openDiskCache({
    dir: join(lending.folder, cacheFolder),
    store: lending.artifacts,
    bus,
    mesh: home.mesh,
    clock: systemClock,
    say,
    ...among.cache,
  });
  among.hearGone((digest) => artifacts.drop?.(digest));
  const halted = Promise.withResolvers<LendingEnd>();
  const interpreter = findInterpreter(environment);
  const runner = runnerOf(lending, environment, interpreter);
  const agent = startAgent({
    mesh: home.mesh,
    name,
    bus,
    trust: lending.trust,
    store,
    runner,
    artifacts,
    clock: systemClock,
    incarnation,
    onWelcomed: among.welcomed,
    capability,
    policy,
    load: machineLoad(),
    owner: {
      idle: policy.idle === null ? [] : idleSourcesHere(lending.idleCommand),
      power: readPower,
      othersLoad: othersLoad(() => runner.processes()),
    },
    reserve,
    reached,
    isReached: lending.certificate !== null && lending.uploadRate !== 0,
    minuteOfDay,
    log: say,
    onHalt: (reason) => halted.resolve({ kind: "halted", reason }),
  });
  const endMeasuring = keepMeasured({
    agent,
    clock: systemClock,
    environment,
    first: measured,
    folder: lending.folder,
    interpreter,
    programs: policy.programs,
    say,
  });
  say(`agent ${name} lends ${policy.slots} slots to mesh ${home.mesh} at ${home.url}`);
  const unwatch = watchForDeletion([home.path, lending.folder], (path) =>
    halted.resolve({ kind: "halted", reason: deletedReason(path) }),
  );
  const end = await Promise.race([lending.asked, untilClosed(bus, partEndMs), halted.promise]);
  unwatch();
  endMeasuring();
  await agent.stop();
  await among.close();
  return end;
}

function runnerOf(
  { measured, name, policy, programSandbox, sealKey }: Lending,
  environment: Surroundings["environment"],
  interpreter: string,
): Runner {
  return machineRunner({
    slots: Math.max(1, policy.slots),
    machine: lentPart(measured.capability, policy),
    environment,
    interpreter,
    secrets: { agent: name, key: sealKey },
    sandbox: programSandbox,
  });
}

/** What of the machine its trials may use. */
function lentPart({ host }: Capability, { leaveFreeCores }: Policy) {
  return {
    cores: Math.max(1, host.cores - leaveFreeCores),
    gpus: host.gpus.filter(({ vendor }) => /nvidia/i.test(vendor)).length,
  };
}
