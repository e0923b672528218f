/**
 * The agents as a person's program has artifacts from them: it shows the person's own certificate, gives nothing and opens no port. Nothing is
 * opened before somebody is found who holds what is wanted. Where there are none, or no certificate, the next source is asked.
 *
 * PERSON-1: a person is given by agents what the mesh's store would give the same person, and nothing else: who may not ask the tracker asks nobody.
 */
import type { ChunkSource, ChunkWork, SourceEnd } from "../../artifact/chunk-source.ts";
import type { Progress, Received } from "../../artifact/peer/download.ts";
import { TrackedSource } from "../../artifact/peer/tracked-source.ts";
import type { Digest } from "../../protocol/id.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { openPersonDoor, type PersonDoor } from "./person-door.ts";

export interface PersonPeersOptions {
  readonly onReceived?: (artifact: Digest, received: Received) => void;
  readonly onProgress?: (progress: Progress) => void;
}

export class PersonPeers implements ChunkSource {
  readonly name = "the agents";
  readonly #connected: Connected;
  readonly #source: TrackedSource;
  #opened: Promise<PersonDoor | null> | null = null;

  constructor(connected: Connected, options: PersonPeersOptions = {}) {
    const { bus, client, home } = connected;
    this.#connected = connected;
    this.#source = new TrackedSource({
      ...{ bus, mesh: home.mesh, clock: systemClock, random: Math.random, ...options },
      // No agent is called so.
      self: `${client.role}:${client.who}`,
      reach: async () => {
        this.#opened ??= openPersonDoor(this.#connected);
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
}
