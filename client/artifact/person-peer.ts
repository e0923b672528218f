/**
 * The agents as a person's program has artifacts from them: it shows the person's own certificate, gives nothing and opens no port. Nothing is
 * opened before somebody is found who holds what is wanted. Where there are none, or no certificate, the next source is asked.
 *
 * PERSON-1: a person is given by agents what the mesh's store would give the same person, and nothing else: who may not ask the tracker asks nobody.
 */
import { X509Certificate } from "node:crypto";
import type { ChunkSource, ChunkWork, SourceEnd } from "../../artifact/chunk-source.ts";
import type { Progress, Received } from "../../artifact/peer/download.ts";
import { meshIdentity } from "../../artifact/peer/mesh-identity.ts";
import { PeerDoor } from "../../artifact/peer/peer-door.ts";
import { PeerReach } from "../../artifact/peer/peer-reach.ts";
import { TrackedSource } from "../../artifact/peer/tracked-source.ts";
import { loadCredential } from "../../mesh/credential.ts";
import { operatorCheck } from "../../mesh/mesh-trust.ts";
import {
  keepCertificate,
  type KeptCertificate,
  type ShownCertificate,
} from "../../mesh/part/keep-certificate.ts";
import type { Digest } from "../../protocol/id.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { Connected } from "../connect/connect-mesh.ts";

/** The first time the mesh has to sign one, ms. */
const certificateMs = 3_000;

export interface PersonPeersOptions {
  readonly onReceived?: (artifact: Digest, received: Received) => void;
  readonly onProgress?: (progress: Progress) => void;
}

/** What is open while something is fetched. */
interface Opened {
  readonly reach: PeerReach;
  close(): Promise<void>;
}

export class PersonPeers implements ChunkSource {
  readonly name = "the agents";
  readonly #connected: Connected;
  readonly #source: TrackedSource;
  #opened: Promise<Opened | null> | null = null;

  constructor(connected: Connected, options: PersonPeersOptions = {}) {
    const { bus, client, home } = connected;
    this.#connected = connected;
    this.#source = new TrackedSource({
      ...{ bus, mesh: home.mesh, clock: systemClock, random: Math.random, ...options },
      // No agent is called so.
      self: `${client.role}:${client.who}`,
      reach: async () => {
        this.#opened ??= this.#open();
        return (await this.#opened)?.reach ?? null;
      },
    });
  }

  async bring(work: ChunkWork, signal: AbortSignal): Promise<SourceEnd> {
    // The server denies it the question, which takes a while to be seen.
    return this.#connected.client.role === "viewer" ? { kind: "missing" } : this.#source.bring(work, signal);
  }

  async close(): Promise<void> {
    await (await this.#opened)?.close();
  }

  async #open(): Promise<Opened | null> {
    const { bus, client, home } = this.#connected;
    const { role, who } = client;
    const credential = await loadCredential(home, role, who);
    if (!credential.ok) return null;
    const check = operatorCheck(credential.value);
    if (!check.ok) return null;
    const kept = keepCertificate({
      ...{ home, role, name: who, bus, clock: systemClock },
      ...{ userKey: credential.value.publicKey, check: check.value, say: () => undefined },
    });
    if (!kept.ok) return null;
    const shown = await shownBy(kept.value);
    if (shown === null) {
      kept.value.stop();
      return null;
    }
    return this.#through(kept.value, shown);
  }

  #through(kept: KeptCertificate, shown: ShownCertificate): Opened {
    const { client, home } = this.#connected;
    const isRevoked = (userKey: string) => kept.revoked.isRevoked(userKey);
    const identityOf = (own: ShownCertificate) => meshIdentity({ ...own, mesh: home.mesh, isRevoked });
    const door = new PeerDoor({
      ...{ identity: identityOf(shown), clock: systemClock, listen: null },
      onLink: () => undefined,
      say: () => undefined,
    });
    const ends = [
      kept.onRenewed((own) => door.renew(identityOf(own))),
      kept.revoked.onChange(() => door.recheck()),
    ];
    return {
      reach: new PeerReach(door, systemClock, `${client.role}:${client.who}`),
      close: async () => {
        for (const end of ends) end();
        kept.stop();
        await door.close();
      },
    };
  }
}

/** One that counts: that of before where it does, else the one that the mesh signs now; null where it signs none. */
function shownBy(kept: KeptCertificate): Promise<ShownCertificate | null> {
  const before = kept.current();
  if (before !== null && new X509Certificate(before.certificate).validToDate.getTime() > systemClock.now())
    return Promise.resolve(before);
  return new Promise((resolve) => {
    const stopTimer = systemClock.setTimer(certificateMs, () => end(null));
    const stopHearing = kept.onRenewed((shown) => end(shown));
    const end = (shown: ShownCertificate | null) => {
      stopTimer();
      stopHearing();
      resolve(shown);
    };
  });
}
