/** Joins an agent's artifacts to the other agents': what is fetched, what is told, what is given. Not here: the door itself (`peer-exchange.ts`). */
import { tellHoldings, type HoldingPlace } from "../../agent/tell-holdings.ts";
import type { DiskCacheOptions } from "../../artifact/cache/disk-cache.ts";
import type { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { Home } from "../home.ts";
import { isLoopbackHost } from "../port.ts";
import type { KeptCertificate } from "./keep-certificate.ts";
import type { PeerPort } from "./agent-policy.ts";
import { PeerExchange } from "./peer-exchange.ts";
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
  /** Whether it passes on for others. */
  readonly mayRelay: boolean;
  /** Where it takes connections of others. */
  readonly peerPort: PeerPort;
  readonly say: (line: string) => void;
}

export interface AmongOthers {
  readonly cache: Pick<DiskCacheOptions, "peers" | "onHeld" | "onDropped">;
  readonly welcomed: (epoch: number) => void;
  close(): Promise<void>;
}

/** Artifacts to and from the other agents directly; without a certificate of its own it goes without. */
export function shareWithOthers({
  artifacts,
  bus,
  certificate,
  home,
  incarnation,
  mayRelay,
  name,
  peerPort,
  say,
  uploadRate,
}: ShareWithOthers): AmongOthers {
  if (certificate === null) return { cache: {}, welcomed: () => undefined, close: () => Promise.resolve() };
  const mesh = home.mesh;
  const { withheld } = artifacts;
  const all = () =>
    artifacts
      .list()
      .filter((digest) => !withheld.has(digest))
      .map((digest) => ({ digest }));
  const exchange = new PeerExchange({
    ...{ mesh, name, bus, certificate, artifacts, uploadRate, mayRelay, peerPort, say, clock: systemClock },
    isLocal: isAlone(home),
  });
  let place: HoldingPlace = { door: null, via: [], relays: false };
  const teller = tellHoldings({ bus, mesh, incarnation, all, clock: systemClock, place: () => place });
  void exchange.begin((found) => {
    place = found;
    teller.moved();
  });
  return {
    cache: {
      peers: [exchange],
      onHeld: (held) => {
        // A lease names it, so the mesh knows it.
        if (held.part !== true) withheld.remove(held.digest);
        teller.added(held);
      },
      onDropped: (digest) => teller.dropped(digest),
    },
    welcomed: (epoch) => teller.welcomed(epoch),
    close: () => {
      teller.close();
      return exchange.close();
    },
  };
}

/** The mesh's server is reached on this machine alone, and so is everybody else. The machine that runs it knows where it listens. */
function isAlone(home: Home): boolean {
  const listen = readUpRecord(home)?.listen;
  return isLoopbackHost(new URL(home.url).hostname) && (listen === undefined || isLoopbackHost(listen));
}
