/**
 * Large checkpoints of a simulated machine: which ones its disk keeps outlives its processes, and goes where a coordinator says so and at
 * once. The real questions and answers go over the hub; how bytes travel is left out: they are there after a while, or their holder is not.
 */
import { askReplica, declineReplica } from "../../artifact/ask-replica.ts";
import type { ArtifactCache } from "../../artifact/artifact-cache.ts";
import { doubtBlob, putBlob } from "../../artifact/blob.ts";
import { findPeers } from "../../artifact/find-peers.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import { tellHoldings, type HoldingsTeller } from "../../agent/tell-holdings.ts";
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import { sleep, type Clock } from "../../protocol/time/clock.ts";

export interface ReplicaMachineOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly incarnation: string;
  /** On its disk. */
  readonly kept: Set<string>;
  /** Made there and not kept: it lies there while another machine is looked for. */
  readonly made: Set<string>;
  /** Whether that machine has it, and is reached. */
  readonly holds: (agent: string, digest: string) => boolean;
  readonly contentOf: (digest: string) => Uint8Array;
  readonly onStep: () => void;
}

const room = 2 ** 30;
/** What travels takes so long, ms. */
const bringMs = 400;
const looksMax = 24;
const lookMs = 500;

/** A third of all checkpoints that go by themselves are as large ones are. */
export function isLarge(digest: string): boolean {
  return Number.parseInt(digest.slice(0, 8), 16) % 3 === 0;
}

export class ReplicaMachine {
  readonly #options: ReplicaMachineOptions;
  readonly #teller: HoldingsTeller;
  readonly #named: Pick<Bus, "request">;

  constructor(options: ReplicaMachineOptions) {
    const { bus, clock, incarnation, kept, mesh, name } = options;
    this.#options = options;
    // Where each user has an account of its own the asker stands in the subject; here it is put there.
    this.#named = {
      request: (subject, data, timeoutMs) =>
        bus.request(
          subject === subjectsOf(mesh).track ? `${subject}.agent.${name}` : subject,
          data,
          timeoutMs,
        ),
    };
    this.#teller = tellHoldings({
      ...{ bus: this.#named, mesh, clock, incarnation, store: name, room: () => room },
      place: () => ({ door: { addresses: [`${name}:1`] }, via: [], relays: false }),
      all: () => [...kept].map((digest) => ({ digest, kept: options.contentOf(digest).length })),
    });
  }

  welcomed(epoch: number): void {
    this.#teller.welcomed(epoch);
  }

  /** False where the mesh's store is to have it. */
  async replicate(digest: string, fence: number): Promise<boolean> {
    const { clock, contentOf, kept, made, mesh, onStep } = this.#options;
    if (!isLarge(digest)) return false;
    const bytes = contentOf(digest).length;
    made.add(digest);
    onStep();
    const by = await askReplica({ bus: this.#named, mesh, clock }, { digest, bytes, fence });
    onStep();
    made.delete(digest);
    if (by === null) return false;
    kept.add(digest);
    this.#teller.added({ digest, kept: bytes });
    return true;
  }

  obey({ release = [], store = [], take }: Parameters<NonNullable<ArtifactCache["replica"]>>[0]): void {
    if (take !== undefined) void this.#take(take.digest, take.bytes);
    for (const digest of release) this.drop(digest);
    for (const digest of store) void this.store(digest);
  }

  drop(digest: string): void {
    if (this.#options.kept.delete(digest)) this.#teller.dropped(digest);
  }

  /** The mesh's store is to have it. */
  async store(digest: string): Promise<void> {
    const { bus, contentOf, kept, mesh, onStep } = this.#options;
    if (!kept.has(digest)) return;
    try {
      onStep();
      await putBlob(bus, placeOf(mesh), contentOf(digest));
      onStep();
      this.drop(digest);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
    }
  }

  /** Whether it comes from here or from another machine; a coordinator is told where it is nowhere. */
  async has(digest: string): Promise<boolean> {
    const { kept, made, mesh } = this.#options;
    if (kept.has(digest) || made.has(digest)) return true;
    const { peers } = await findPeers(this.#named, mesh, digest);
    return this.#isAmong(peers, digest);
  }

  /** Looks again and again, as whoever reads the mesh's store does. */
  async wait(digest: string, look: () => Promise<boolean>): Promise<boolean> {
    const { bus, clock, mesh } = this.#options;
    for (let looks = 1; looks <= looksMax; looks++) {
      if ((await this.has(digest)) || (await look())) return true;
      if (looks === looksMax / 4) await doubtBlob(bus, placeOf(mesh), digest).catch(() => undefined);
      await sleep(clock, lookMs);
    }
    return false;
  }

  async #take(digest: string, bytes: number): Promise<void> {
    const { clock, kept, mesh, onStep } = this.#options;
    onStep();
    if (!kept.has(digest)) this.#teller.added({ digest, part: true });
    await sleep(clock, bringMs);
    const isHere = await this.has(digest);
    onStep();
    if (!isHere) {
      this.#teller.dropped(digest);
      return declineReplica(this.#named, mesh, digest);
    }
    kept.add(digest);
    this.#teller.added({ digest, kept: bytes });
  }

  #isAmong(peers: readonly { readonly agent: string }[], digest: string): boolean {
    return peers.some(({ agent }) => this.#options.holds(agent, digest));
  }
}
