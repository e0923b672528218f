/**
 * An agent's place among the others for artifacts: its door for those who ask, and the others as a source for what it fetches. It
 * has neither before the mesh has signed a certificate for it; the mesh's store serves until then, and whenever nobody else does.
 * Not here: how chunks travel (`artifact/peer`), who holds what (the tracker).
 */
import { networkInterfaces } from "node:os";
import { findPeers } from "../../artifact/find-peers.ts";
import type { ChunkSource, ChunkWork, SourceEnd } from "../../artifact/chunk-source.ts";
import { meshIdentity } from "../../artifact/peer/mesh-identity.ts";
import { PeerDoor, type Peer } from "../../artifact/peer/peer-door.ts";
import type { PeerIdentity } from "../../artifact/peer/peer-identity.ts";
import type { PeerLink } from "../../artifact/peer/peer-link.ts";
import { PeerSource } from "../../artifact/peer/peer-source.ts";
import { shelfOfStore } from "../../artifact/peer/store-shelf.ts";
import { trackedPeers } from "../../artifact/peer/tracked-peer.ts";
import { serveUploads } from "../../artifact/peer/upload-session.ts";
import { Upload } from "../../artifact/peer/upload.ts";
import type { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import type { Received } from "../../artifact/peer/download.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { Digest } from "../../protocol/id.ts";
import { plural } from "../../protocol/plural.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { Door } from "../../protocol/tracking.ts";
import { formatBytes, shortDigest } from "../../text/figure.ts";
import { isLoopbackHost } from "../port.ts";
import type { KeptCertificate, ShownCertificate } from "./keep-certificate.ts";

/** Machines that are served at once. */
const slots = 4;
/** With nobody to have it from, before the mesh's store is asked, ms. */
const giveUpMs = 2_000;
const asideMs = 60_000;
/** Larger ones are refused; a disk that is smaller says so first. */
const artifactBytesMax = 2 ** 44;
const addressesMax = 8;

export interface PeerExchangeOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly certificate: KeptCertificate;
  readonly artifacts: ArtifactStore;
  /** Of the mesh's server, as this machine reaches it: where that is this machine alone, so is everybody else. */
  readonly serverHost: string;
  /** MiB a second that others get in all; null: as fast as it goes; 0: nothing. */
  readonly uploadRate: number | null;
  readonly say: (line: string) => void;
}

/**
 * | state  | known by       | what it does                                | what moves it on                                   |
 * | ------ | -------------- | ------------------------------------------- | -------------------------------------------------- |
 * | unable | no `#door`     | asks nobody, and nobody can ask it          | a certificate: open                                |
 * | open   | `#door`        | serves, and asks whoever the tracker names  | a newer certificate: open with that; `close`: shut |
 * | shut   | `#isShut`      | nothing                                     | nothing                                            |
 */
export class PeerExchange implements ChunkSource {
  readonly name = "the other agents";
  readonly #options: PeerExchangeOptions;
  readonly #ends: (() => void)[] = [];
  /** Those that could not be reached, by name, and until when nobody tries again: a firewall answers nothing, and each wait is for nothing. */
  readonly #aside = new Map<string, number>();
  #door: PeerDoor | null = null;
  #isShut = false;
  /** Told where others find this machine, once they do. */
  #onDoor: (door: Door | null) => void = () => undefined;

  constructor(options: PeerExchangeOptions) {
    const { certificate } = options;
    this.#options = options;
    this.#ends.push(
      certificate.onRenewed((shown) => void this.#take(shown)),
      certificate.revoked.onChange(() => this.#door?.recheck()),
    );
  }

  /** `onDoor`: hears where others find this machine. */
  async begin(onDoor: (door: Door | null) => void): Promise<void> {
    this.#onDoor = onDoor;
    const shown = this.#options.certificate.current();
    if (shown !== null) await this.#take(shown);
  }

  async close(): Promise<void> {
    this.#isShut = true;
    for (const end of this.#ends) end();
    await this.#door?.close();
  }

  async bring(work: ChunkWork, signal: AbortSignal): Promise<SourceEnd> {
    const { bus, clock, mesh, name } = this.#options;
    const door = this.#door;
    if (door === null || this.#isShut) return { kind: "missing" };
    const ask = async (digest: Digest) =>
      trackedPeers(await findPeers(bus, mesh, digest), name).filter((peer) => !this.#isAside(peer.name));
    // Asked before anything waits for anybody: mostly nobody else has it.
    let first: readonly Peer[] | null = await ask(work.artifact);
    if (first.length === 0) return { kind: "missing" };
    const peersOf = (digest: Digest) => {
      const known = first;
      first = null;
      return known === null ? ask(digest) : Promise.resolve(known);
    };
    const source = new PeerSource({
      ...{ peersOf, clock, giveUpMs, random: Math.random, bytesMax: artifactBytesMax },
      reach: (peer) => this.#reach(door, peer),
      onReceived: (received) => this.#tell(work.artifact, received),
    });
    return source.bring(work, signal);
  }

  async #reach(door: PeerDoor, peer: Peer): Promise<Outcome<PeerLink>> {
    const reached = await door.reach(peer);
    const { clock } = this.#options;
    if (reached.ok) this.#aside.delete(peer.name);
    else this.#aside.set(peer.name, clock.monotonic() + asideMs);
    return reached;
  }

  #isAside(peer: string): boolean {
    const until = this.#aside.get(peer);
    return until !== undefined && this.#options.clock.monotonic() < until;
  }

  async #take(shown: ShownCertificate): Promise<void> {
    const identity = this.#identityOf(shown);
    if (this.#door !== null) return this.#door.renew(identity);
    const { artifacts, clock, say, uploadRate } = this.#options;
    const bytesPerSecond = uploadRate === null ? null : uploadRate * bytesPerMiB;
    const upload = new Upload({
      shelf: shelfOfStore(artifacts),
      clock,
      limits: { slots, bytesPerSecond },
    });
    const isOpen = uploadRate !== 0;
    const door = new PeerDoor({
      ...{ identity, clock, say },
      listen: isOpen ? { host: this.#isLocal ? "127.0.0.1" : "0.0.0.0", port: 0 } : null,
      onLink: (link) => {
        if (isOpen) serveUploads(link, upload);
      },
    });
    this.#door = door;
    try {
      await door.open();
    } catch (error) {
      say(`other agents cannot ask this machine for artifacts: ${errorSentence(error)}`);
    }
    if (!this.#isShut) this.#onDoor(this.#place());
  }

  get #isLocal(): boolean {
    return isLoopbackHost(this.#options.serverHost);
  }

  /** Null where nobody can connect. */
  #place(): Door | null {
    const port = this.#door?.port ?? null;
    if (port === null) return null;
    const hosts = this.#isLocal
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

  #tell(artifact: Digest, { bytes, dropped, from }: Received): void {
    const { say } = this.#options;
    if (from.size > 0)
      say(
        `artifact ${shortDigest(artifact)}: ${formatBytes(bytes)} from ${plural(from.size, "agent")}: ${[...from.keys()].join(", ")}`,
      );
    for (const { fault, peer } of dropped)
      say(`artifact ${shortDigest(artifact)}: agent ${peer} was left: ${fault.message}`);
  }
}
