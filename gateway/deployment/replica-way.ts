/**
 * The way from a gateway to a replica: a connection to the door of its agent, found by the tracker, with certificates of both, joined there to the
 * replica. Not here: what is said on it, and to which replica.
 */
import type { Duplex } from "node:stream";
import { findAgent } from "../../artifact/find-peers.ts";
import { joinStream } from "../../artifact/peer/join-stream.ts";
import type { FarPeer } from "../../artifact/peer/peer-door.ts";
import { trackedPeers } from "../../artifact/peer/tracked-peer.ts";
import { openPersonDoor, type PersonDoor } from "../../client/artifact/person-door.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";

/** An agent seldom moves; one that cannot be reached where it was is asked for again. */
const placeMs = 30_000;

/** Connections to one agent that are being made at once: it lets in only some that are not joined to anything yet. */
const dialsMax = 4;

/** A new connection to the replica of a fence at an agent. */
export type ConnectReplica = (agent: string, fence: number) => Promise<Outcome<Duplex>>;

export class ReplicaWay {
  readonly #connected: Connected;
  /** By agent, who waits to connect, and how many do now. */
  readonly #dials = new Map<string, { busy: number; readonly waiting: (() => void)[] }>();
  readonly #places = new Map<string, { readonly peer: FarPeer; readonly until: number }>();
  #door: Promise<PersonDoor | null> | null = null;

  constructor(connected: Connected) {
    this.#connected = connected;
  }

  async connect(agent: string, fence: number): Promise<Outcome<Duplex>> {
    const dials = this.#dials.get(agent) ?? { busy: 0, waiting: [] };
    this.#dials.set(agent, dials);
    if (dials.busy >= dialsMax) await new Promise<void>((resolve) => void dials.waiting.push(resolve));
    else dials.busy++;
    try {
      return await this.#connectNow(agent, fence);
    } finally {
      // Whoever waited takes the turn over.
      const next = dials.waiting.shift();
      if (next === undefined) dials.busy--;
      else next();
    }
  }

  async #connectNow(agent: string, fence: number): Promise<Outcome<Duplex>> {
    const door = await this.#opened();
    if (door === null)
      return refuse(
        "unavailable",
        "the mesh has signed no certificate for this user, without which no agent lets it in",
      );
    const peer = await this.#placeOf(agent);
    if (peer === null)
      return refuse("unavailable", `"${agent}" cannot be connected to, directly or through others`);
    const link = await door.reach.reachBare(peer);
    const joined = link.ok ? await joinStream(link.value, fence, systemClock) : link;
    if (!joined.ok) this.#places.delete(agent);
    return joined;
  }

  async close(): Promise<void> {
    await (await this.#door)?.close();
  }

  async #opened(): Promise<PersonDoor | null> {
    this.#door ??= openPersonDoor(this.#connected);
    const door = await this.#door;
    // The mesh may sign one later.
    if (door === null) this.#door = null;
    return door;
  }

  async #placeOf(agent: string): Promise<FarPeer | null> {
    const known = this.#places.get(agent);
    if (known !== undefined && known.until > systemClock.monotonic()) return known.peer;
    const { bus, client, home } = this.#connected;
    const found = await findAgent(bus, home.mesh, agent);
    const [peer] = trackedPeers(found, `${client.role}:${client.who}`);
    if (peer?.name !== agent) return null;
    this.#places.set(agent, { peer, until: systemClock.monotonic() + placeMs });
    return peer;
  }
}
