/** Joins an agent's artifacts to the other agents': what is fetched, what is told, what is given. Not here: the door itself (`peer-exchange.ts`). */
import { tellHoldings, type HoldingPlace } from "../../agent/tell-holdings.ts";
import type { ReachedReplicas } from "../../agent/serving/reached-replica.ts";
import { askReplica, declineReplica } from "../../artifact/ask-replica.ts";
import { usefulMs, type DiskCacheOptions } from "../../artifact/cache/disk-cache.ts";
import { KeptCheckpoint } from "../../artifact/cache/kept-checkpoint.ts";
import { ReplicaHolder } from "../../artifact/cache/replica-holder.ts";
import type { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { Digest } from "../../protocol/id.ts";
import type { Held } from "../../protocol/tracking.ts";
import type { Home } from "../home.ts";
import { isLoopbackHost } from "../port.ts";
import type { KeptCertificate } from "./keep-certificate.ts";
import type { PeerPort } from "./agent-policy.ts";
import { PeerExchange } from "./peer-exchange.ts";
import { SparedArtifact } from "./spared-artifact.ts";
import { readUpRecord } from "./up-record.ts";

export interface ShareWithOthers {
  readonly home: Home;
  readonly name: string;
  readonly bus: Bus;
  readonly incarnation: string;
  readonly artifacts: ArtifactStore;
  readonly certificate: KeptCertificate | null;
  /** MiB a second; null: no limit. */
  readonly uploadRate: number | null;
  /** Bytes that the disk may still take beside what its owner wants free. */
  readonly diskFree: () => number;
  /** Whether it passes on for others. */
  readonly mayRelay: boolean;
  /** Where it takes connections of others. */
  readonly peerPort: PeerPort;
  /** The replicas that answer here. */
  readonly reached: ReachedReplicas;
  readonly say: (line: string) => void;
}

export interface AmongOthers {
  readonly cache: Pick<DiskCacheOptions, "peers" | "onHeld" | "onDropped" | "onSpared" | "replicas">;
  readonly welcomed: (epoch: number) => void;
  /** Hears from now on what of it the mesh has collected. */
  hearGone(listener: (digest: Digest) => void): void;
  close(): Promise<void>;
}

/** Artifacts to and from the other agents directly; without a certificate of its own it goes without. */
export function shareWithOthers({
  artifacts,
  bus,
  certificate,
  diskFree,
  home,
  incarnation,
  mayRelay,
  name,
  peerPort,
  reached,
  say,
  uploadRate,
}: ShareWithOthers): AmongOthers {
  if (certificate === null) {
    const nothing = () => undefined;
    return { cache: {}, welcomed: nothing, hearGone: nothing, close: () => Promise.resolve() };
  }
  const mesh = home.mesh;
  const clock = systemClock;
  const store = artifacts.name();
  const kept = new KeptCheckpoint({ store: artifacts, diskFree });
  const { withheld } = artifacts;
  const exchange = new PeerExchange({
    ...{ mesh, name, bus, certificate, artifacts, uploadRate, mayRelay, peerPort, reached, say, clock },
    isLocal: isAlone(home),
  });
  let place: HoldingPlace = { door: null, via: [], relays: false };
  let drop: (digest: Digest) => void = () => undefined;
  const teller = tellHoldings({
    ...{ bus, mesh, incarnation, clock, all: () => heldIn(artifacts, kept), place: () => place },
    ...(store === null ? {} : { store, room: () => kept.room() }),
    onGone: (digests) => digests.forEach((digest) => drop(digest)),
  });
  // GC-8: whether it is still gone then, the leader says when it is told again that it is here.
  const spared = new SparedArtifact(clock, usefulMs, (digest) => {
    if (artifacts.entry(digest) !== null && !withheld.has(digest))
      teller.added({ digest, kept: kept.all().get(digest) });
  });
  void exchange.begin((found) => {
    place = found;
    teller.moved();
  });
  const told = {
    peers: [exchange],
    onHeld: (held: Held) => {
      // A lease names it, so the mesh knows it.
      if (held.part !== true) withheld.remove(held.digest);
      teller.added(held);
    },
    onDropped: (digest: Digest) => teller.dropped(digest),
  };
  const replicas = new ReplicaHolder({
    ...{ store: artifacts, kept, clock, say, ...told },
    ask: (replicated) => askReplica({ bus, mesh, clock }, replicated),
    decline: (digest) => void declineReplica(bus, mesh, digest),
  });
  return {
    cache: { ...told, replicas, onSpared: (digest) => spared.add(digest) },
    welcomed: (epoch) => teller.welcomed(epoch),
    hearGone: (listener) => {
      drop = listener;
    },
    close: () => {
      spared.close();
      teller.close();
      return exchange.close();
    },
  };
}

/** What others may know of, and what of it stays. */
function heldIn(artifacts: ArtifactStore, kept: KeptCheckpoint): Held[] {
  const bytes = kept.all();
  return artifacts
    .list()
    .filter((digest) => !artifacts.withheld.has(digest))
    .map((digest) => ({ digest, kept: bytes.get(digest) }));
}

/** The mesh's server is reached on this machine alone, and so is everybody else. The machine that runs it knows where it listens. */
function isAlone(home: Home): boolean {
  const listen = readUpRecord(home)?.listen;
  return isLoopbackHost(new URL(home.url).hostname) && (listen === undefined || isLoopbackHost(listen));
}
