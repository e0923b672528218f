/** An agent as a process: its credential, its folder, its owner's policy, its measured machine, until it is stopped. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import { startAgent } from "../../agent/agent.ts";
import { tellHoldings } from "../../agent/tell-holdings.ts";
import { openDiskCache, type DiskCacheOptions } from "../../artifact/cache/disk-cache.ts";
import type { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import {
  adoptCache,
  artifactFolder,
  openArtifactStore,
  refuseStored,
} from "../../artifact/store/open-artifact-store.ts";
import { idleSourcesHere } from "../../agent/owner/idle/sources-here.ts";
import { DiskReserve } from "../../agent/owner/disk-reserve.ts";
import { othersLoad } from "../../agent/owner/others-load.ts";
import { readPower } from "../../agent/owner/power.ts";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import { machineRunner } from "../../agent/child/machine-runner.ts";
import type { Credential } from "../credential.ts";
import type { Home } from "../home.ts";
import { loadIdentity } from "../identity.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import type { Policy } from "../../protocol/capability.ts";
import type { MeshTrust } from "../../protocol/signature.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Store } from "../../store/store.ts";
import type { Surroundings } from "../../system/environment.ts";
import { connectAs } from "../connect.ts";
import { meshTrust, operatorCheck } from "../mesh-trust.ts";
import { awaitDisk } from "./await-disk.ts";
import { claimPlace } from "./claim-place.ts";
import { agentPolicy, type PolicyFlags } from "./agent-policy.ts";
import { localCredential, type LocalOptions } from "./local-credential.ts";
import { machineLoad, minuteOfDay } from "./machine-load.ts";
import { keepCertificate, type KeptCertificate } from "./keep-certificate.ts";
import { keepMeasured, withoutPackages } from "./keep-measured.ts";
import { measureMachine, type MeasuredMachine } from "./measure-machine.ts";
import { agentStoreVersion, openStore } from "./open-store.ts";
import { deletedReason, watchForDeletion } from "./deletion-watch.ts";
import { PeerExchange } from "./peer-exchange.ts";
import type { Door } from "../../protocol/tracking.ts";
import { partEndMs, untilClosed, untilStopped, type StopReason } from "./until-stopped.ts";

const cacheFolder = "cache";

export interface RunAgentOptions extends LocalOptions, PolicyFlags {
  /** Disk for datasets and checkpoints, in GiB. */
  readonly cacheQuota: number;
  /** What other agents get of its artifacts, MiB a second in all; left out: as fast as it goes; 0: nothing. */
  readonly upload?: number;
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
    const { idleCommand, labels, leaveFreeDiskGiB, note, policy } = owner.value;
    if (note !== null) say(note);
    const found = await measureMachine({
      environment,
      folder,
      labels,
      fresh: false,
      progress: say,
    });
    const measured =
      policy.programs === "none" ? { ...found, capability: withoutPackages(found.capability) } : found;
    const bus = await connectAs(home, credential, say);
    if (!bus.ok) return bus;
    const trust = meshTrust(home.mesh, credential);
    if (!trust.ok) {
      await bus.value.close();
      return trust;
    }
    const memory = await openMemory(home, folder, options.cacheQuota, say, asked);
    if (memory?.ok !== true) {
      await bus.value.close();
      return memory ?? accept(null);
    }
    const { artifacts, store } = memory.value;
    const { name } = credential;
    const kept = ownCertificate(home, credential, bus.value, say);
    const place = { home, name, folder, bus: bus.value, trust: trust.value, store, artifacts, asked };
    const uploadRate = options.upload ?? null;
    const end = await lend(
      { environment, say },
      { ...place, measured, policy, idleCommand, leaveFreeDiskGiB, certificate: kept, uploadRate },
    );
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

interface AgentMemory {
  readonly store: Store;
  readonly artifacts: ArtifactStore;
}

/** The agent's own memory, and the artifacts of the machine. Null where it is asked to stop meanwhile. */
async function openMemory(
  home: Home,
  folder: string,
  quotaGiB: number,
  say: (line: string) => void,
  asked: Promise<unknown>,
): Promise<Outcome<AgentMemory> | null> {
  const hadOne = existsSync(join(folder, cacheFolder));
  const store = await awaitDisk(
    () => openStore(join(folder, "store"), agentStoreVersion, systemClock.now(), say, hadOne),
    say,
    asked,
  );
  if (store?.ok !== true) return store;
  const artifacts = await awaitDisk(() => openArtifacts(home, folder, quotaGiB), say, asked);
  if (artifacts?.ok === true) return accept({ store: store.value, artifacts: artifacts.value });
  await store.value.close();
  return artifacts;
}

/** The machine's store of artifacts, with what this agent kept before there was one. */
async function openArtifacts(home: Home, folder: string, quotaGiB: number): Promise<Outcome<ArtifactStore>> {
  const quotaBytes = Math.round(quotaGiB * bytesPerGiB);
  const at = join(home.path, artifactFolder);
  const opened = openArtifactStore({ folder: at, clock: systemClock, quotaBytes });
  if (!opened.ok) return opened;
  try {
    await adoptCache(opened.value, join(folder, cacheFolder));
    return opened;
  } catch (error) {
    await opened.value.close();
    return refuseStored(error, at);
  }
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
  readonly idleCommand: string | null;
  readonly leaveFreeDiskGiB: number | null;
  readonly artifacts: ArtifactStore;
  readonly certificate: KeptCertificate | null;
  readonly uploadRate: number | null;
}

type LendingEnd = StopReason | { readonly kind: "halted"; readonly reason: string };

/** Lends the machine until it is to end; gives why. */
async function lend({ environment, say }: Surroundings, lending: Lending): Promise<LendingEnd> {
  const { bus, home, measured, name, policy, store } = lending;
  const { capability } = measured;
  const incarnation = randomUUID();
  const among = shareWithOthers(lending, incarnation, say);
  const artifacts = await openDiskCache({
    dir: join(lending.folder, cacheFolder),
    store: lending.artifacts,
    bus,
    mesh: home.mesh,
    clock: systemClock,
    say,
    ...among.cache,
  });
  const halted = Promise.withResolvers<LendingEnd>();
  const { host } = capability;
  const interpreter = findInterpreter(environment);
  const runner = machineRunner({
    slots: Math.max(1, policy.slots),
    machine: {
      cores: Math.max(1, host.cores - policy.leaveFreeCores),
      gpus: host.gpus.filter(({ vendor }) => /nvidia/i.test(vendor)).length,
    },
    environment,
    interpreter,
  });
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
    reserve: new DiskReserve({ folder: lending.folder, leaveFreeGiB: lending.leaveFreeDiskGiB }),
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

interface AmongOthers {
  readonly cache: Pick<DiskCacheOptions, "peers" | "onHeld" | "onDropped">;
  readonly welcomed: (epoch: number) => void;
  close(): Promise<void>;
}

/** Artifacts to and from the other agents directly; without a certificate of its own it goes without. */
function shareWithOthers(
  { artifacts, bus, certificate, home, name, uploadRate }: Lending,
  incarnation: string,
  say: (line: string) => void,
): AmongOthers {
  if (certificate === null) return { cache: {}, welcomed: () => undefined, close: () => Promise.resolve() };
  const mesh = home.mesh;
  const all = () => artifacts.list().map((digest) => ({ digest }));
  const serverHost = new URL(home.url).hostname;
  const exchange = new PeerExchange({
    ...{ mesh, name, bus, certificate, artifacts, serverHost, uploadRate, say, clock: systemClock },
  });
  let door: Door | null = null;
  const teller = tellHoldings({ bus, mesh, incarnation, all, clock: systemClock, door: () => door });
  void exchange.begin((place) => {
    door = place;
    teller.moved();
  });
  return {
    cache: {
      peers: [exchange],
      onHeld: (held) => teller.added(held),
      onDropped: (digest) => teller.dropped(digest),
    },
    welcomed: (epoch) => teller.welcomed(epoch),
    close: () => {
      teller.close();
      return exchange.close();
    },
  };
}
