/**
 * An agent's place among the others for artifacts: its door for those who ask, the others as a source for what it fetches, and what it passes on
 * between those that cannot reach each other. It has none of it before the mesh has signed a certificate for it; the mesh's store serves until
 * then, and whenever nobody else does. Not here: how chunks travel (`artifact/peer`), who holds what (the tracker).
 */
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { findRelays } from "../../artifact/find-peers.ts";
import type { ChunkSource, ChunkWork, SourceEnd } from "../../artifact/chunk-source.ts";
import { meshIdentity } from "../../artifact/peer/mesh-identity.ts";
import { PeerDoor } from "../../artifact/peer/peer-door.ts";
import type { PeerIdentity } from "../../artifact/peer/peer-identity.ts";
import { tokenBytes } from "../../artifact/peer/peer-message.ts";
import { PeerReach } from "../../artifact/peer/peer-reach.ts";
import { receivedLines } from "../../artifact/peer/received-line.ts";
import { Relay } from "../../artifact/peer/relay.ts";
import type { RelayPair } from "../../artifact/peer/relay-pair.ts";
import { JoinedStreams } from "../../artifact/peer/joined-stream.ts";
import { answerCalls } from "../../artifact/peer/relayed-way.ts";
import { StandingWays } from "../../artifact/peer/standing-way.ts";
import { shelfOfStore } from "../../artifact/peer/store-shelf.ts";
import { relayPeers } from "../../artifact/peer/tracked-peer.ts";
import { TrackedSource } from "../../artifact/peer/tracked-source.ts";
import { serveUploads } from "../../artifact/peer/upload-session.ts";
import { Upload } from "../../artifact/peer/upload.ts";
import type { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import type { ReachedReplicas } from "../../agent/serving/reached-replica.ts";
import type { HoldingPlace } from "../../agent/tell-holdings.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { Door } from "../../protocol/tracking.ts";
import { formatBytes } from "../../text/figure.ts";
import type { PeerPort } from "./agent-policy.ts";
import type { KeptCertificate, ShownCertificate } from "./keep-certificate.ts";

/** Machines that are served at once. */
const slots = 4;
const addressesMax = 8;

export interface PeerExchangeOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly certificate: KeptCertificate;
  readonly artifacts: ArtifactStore;
  /** All of the mesh is on this machine: nobody elsewhere is let in. */
  readonly isLocal: boolean;
  /** MiB a second that others get in all; null: as fast as it goes; 0: nothing. */
  readonly uploadRate: number | null;
  /** It may pass on for others, within the same rate. */
  readonly mayRelay: boolean;
  /** Where it takes connections of others; `none`: it gives on those that it opens itself. */
  readonly peerPort: PeerPort;
  /** The replicas that answer here, for who may ask them. */
  readonly reached: ReachedReplicas;
  readonly say: (line: string) => void;
}

/** What there is once there is a certificate. */
interface Opened {
  readonly door: PeerDoor;
  readonly relay: Relay;
  readonly joined: JoinedStreams;
  readonly ways: StandingWays;
  readonly source: TrackedSource;
}

/**
 * | state  | known by    | what it does                                | what moves it on                                   |
 * | ------ | ----------- | ------------------------------------------- | -------------------------------------------------- |
 * | unable | no `#open`  | asks nobody, and nobody can ask it          | a certificate: open                                |
 * | open   | `#open`     | serves, and asks whoever the tracker names  | a newer certificate: open with that; `close`: shut |
 * | shut   | `#isShut`   | nothing                                     | nothing                                            |
 */
export class PeerExchange implements ChunkSource {
  readonly name = "the other agents";
  readonly #options: PeerExchangeOptions;
  readonly #ends: (() => void)[] = [];
  #open: Opened | null = null;
  #identity: PeerIdentity | null = null;
  #via: readonly string[] = [];
  #isShut = false;
  /** Told how others find this machine, once they do. */
  #onPlace: (place: HoldingPlace) => void = () => undefined;

  constructor(options: PeerExchangeOptions) {
    const { certificate } = options;
    this.#options = options;
    this.#ends.push(
      certificate.onRenewed((shown) => void this.#take(shown)),
      certificate.revoked.onChange(() => this.#recheck()),
    );
  }

  /** `onPlace`: hears how others find this machine. */
  async begin(onPlace: (place: HoldingPlace) => void): Promise<void> {
    this.#onPlace = onPlace;
    const shown = this.#options.certificate.current();
    if (shown !== null) await this.#take(shown);
  }

  async close(): Promise<void> {
    this.#isShut = true;
    for (const end of this.#ends) end();
    this.#open?.ways.stop();
    this.#open?.relay.close();
    this.#open?.joined.close();
    await this.#open?.door.close();
  }

  bring(work: ChunkWork, signal: AbortSignal): Promise<SourceEnd> {
    const open = this.#open;
    return open === null || this.#isShut
      ? Promise.resolve({ kind: "missing" })
      : open.source.bring(work, signal);
  }

  #recheck(): void {
    this.#open?.door.recheck();
    const trusts = this.#identity?.trusts;
    if (trusts === undefined) return;
    this.#open?.relay.recheck(trusts);
    this.#open?.joined.recheck(trusts);
  }

  async #take(shown: ShownCertificate): Promise<void> {
    const identity = this.#identityOf(shown);
    this.#identity = identity;
    if (this.#open !== null) return this.#open.door.renew(identity);
    const { isLocal, say } = this.#options;
    const open = this.#opened(identity);
    this.#open = open;
    try {
      await open.door.open();
    } catch (error) {
      say(`other agents cannot ask this machine for artifacts: ${errorSentence(error)}`);
    }
    if (this.#isShut) return;
    this.#onPlace(this.#place());
    // On one machine everybody reaches everybody.
    if (this.#gives && !isLocal) open.ways.start();
  }

  #opened(identity: PeerIdentity): Opened {
    const { artifacts, bus, clock, mesh, name, reached, say, uploadRate } = this.#options;
    const bytesPerSecond = uploadRate === null ? null : uploadRate * bytesPerMiB;
    const limits = { slots, bytesPerSecond };
    const upload = new Upload({
      ...{ shelf: shelfOfStore(artifacts), clock, limits },
      allows: (_peer, artifact) => !artifacts.withheld.has(artifact),
    });
    const door: PeerDoor = new PeerDoor({
      ...{ identity, clock, say },
      listen: this.#listen(),
      onLink: (link) => {
        if (!this.#gives) return;
        serveUploads(link, upload);
        relay.serve(link);
        joined.serve(link);
        answerCalls(link, door, (at) => ways.placeOf(at));
      },
    });
    const joined = new JoinedStreams({
      clock,
      placeOf: (peer, fence) => reached.placeOf(peer, fence),
    });
    reached.hearCuts((fence) => joined.cut(fence));
    const relay = new Relay({
      ...{ door, clock, share: this.#passesOn ? upload : null },
      newToken: () => randomBytes(tokenBytes).toString("hex"),
      onEnd: (pair) => this.#tellPair(pair),
    });
    const ways = new StandingWays({
      clock,
      dial: (relay) => door.dialAny(relay),
      relays: async () => relayPeers(await findRelays(bus, mesh), name),
      onChange: (names) => {
        this.#via = names;
        this.#onPlace(this.#place());
      },
    });
    const reach = new PeerReach(door, clock, name);
    const source = new TrackedSource({
      ...{ bus, mesh, clock, self: name, random: Math.random, reach: () => Promise.resolve(reach) },
      onReceived: (artifact, received) => receivedLines(artifact, received).forEach(say),
    });
    return { door, relay, joined, ways, source };
  }

  #listen() {
    const { isLocal, peerPort } = this.#options;
    if (!this.#gives || peerPort === "none") return null;
    return { host: isLocal ? "127.0.0.1" : "0.0.0.0", port: peerPort === "any" ? 0 : peerPort };
  }

  get #gives(): boolean {
    return this.#options.uploadRate !== 0;
  }

  get #passesOn(): boolean {
    return this.#gives && this.#options.mayRelay && !this.#options.isLocal;
  }

  #place(): HoldingPlace {
    return { door: this.#doorPlace(), via: this.#via, relays: this.#passesOn };
  }

  /** Null where nobody can connect. */
  #doorPlace(): Door | null {
    const port = this.#open?.door.port ?? null;
    if (port === null) return null;
    const hosts = this.#options.isLocal
      ? ["127.0.0.1"]
      : Object.values(networkInterfaces()).flatMap((addresses = []) =>
          addresses
            .filter(({ family, internal }) => !internal && family === "IPv4")
            .map(({ address }) => address),
        );
    const addresses = hosts.map((host) => `${host}:${port}`);
    return addresses.length === 0 ? null : { addresses: addresses.slice(0, addressesMax) };
  }

  #identityOf({ authority, certificate, key }: ShownCertificate): PeerIdentity {
    const { revoked } = this.#options.certificate;
    const isRevoked = (userKey: string) => revoked.isRevoked(userKey);
    return meshIdentity({ authority, certificate, key, mesh: this.#options.mesh, isRevoked });
  }

  #tellPair({ ends: [a, b], moved }: RelayPair): void {
    this.#options.say(`passed ${formatBytes(moved)} on between ${a.name} and ${b.name}`);
  }
}
