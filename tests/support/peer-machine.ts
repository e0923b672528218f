/** A machine of a made-up mesh that gives and takes artifacts: a door, a shelf in a temporary folder, and what it said. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { receiveArtifact, type DownloadOptions, type Received } from "../../artifact/peer/download.ts";
import { PeerDoor, type Peer } from "../../artifact/peer/peer-door.ts";
import type { PeerIdentity } from "../../artifact/peer/peer-identity.ts";
import type { PeerLink } from "../../artifact/peer/peer-link.ts";
import { Upload, type UploadLimits } from "../../artifact/peer/upload.ts";
import { serveUploads } from "../../artifact/peer/upload-session.ts";
import type { Digest } from "../../protocol/id.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { PlainShelf } from "./plain-shelf.ts";

export interface MachineOptions {
  readonly limits?: UploadLimits;
  readonly folder?: string;
  /** In place of serving what comes on a link. */
  readonly serve?: (link: PeerLink, machine: PeerMachine) => void;
}

export class PeerMachine {
  readonly name: string;
  readonly said: string[] = [];
  readonly folder: string;
  readonly shelf: PlainShelf;
  readonly upload: Upload;
  readonly door: PeerDoor;
  readonly #isOwnFolder: boolean;

  private constructor(name: string, identity: PeerIdentity, options: MachineOptions) {
    this.name = name;
    this.#isOwnFolder = options.folder === undefined;
    this.folder = options.folder ?? mkdtempSync(join(tmpdir(), "trialmesh-peer-"));
    this.shelf = new PlainShelf(this.folder);
    this.upload = new Upload({
      ...{ shelf: this.shelf, clock: systemClock },
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    });
    this.door = new PeerDoor({
      ...{ identity, clock: systemClock, listen: { host: "127.0.0.1", port: 0 } },
      onLink: (link) =>
        options.serve === undefined ? serveUploads(link, this.upload) : options.serve(link, this),
      say: (line) => this.said.push(line),
    });
  }

  static async open(
    name: string,
    identity: PeerIdentity,
    options: MachineOptions = {},
  ): Promise<PeerMachine> {
    const machine = new PeerMachine(name, identity, options);
    await machine.door.open();
    return machine;
  }

  get peer(): Peer {
    return { name: this.name, host: "127.0.0.1", port: this.door.port ?? 0 };
  }

  receive(
    artifact: Digest,
    from: readonly PeerMachine[] | (() => readonly PeerMachine[]),
    options: Partial<DownloadOptions> = {},
  ): Promise<Outcome<Received>> {
    const machines = typeof from === "function" ? from : () => from;
    return receiveArtifact(artifact, {
      peersOf: () => Promise.resolve(machines().map(({ peer }) => peer)),
      reach: (peer) => this.door.reach(peer),
      ...{ clock: systemClock, random: Math.random, place: this.shelf, bytesMax: 2 ** 40, giveUpMs: 1_000 },
      ...options,
    });
  }

  async close(): Promise<void> {
    await this.door.close();
    await this.shelf.close();
    if (this.#isOwnFolder) rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Bytes of which no two chunks are alike, in pieces of a chunk; the same for the same seed. */
export function* madeUp(bytes: number, seed = 1): Iterable<Uint8Array> {
  const chunk = 2 ** 20;
  for (let at = 0; at < bytes; at += chunk) {
    const piece = Buffer.alloc(Math.min(chunk, bytes - at), `${seed}-${at} `);
    yield piece;
  }
}
