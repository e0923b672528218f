/**
 * The replicas that answer on this machine, as its door finds them: where each is asked, and by whom. Told by the agent what its runner and its owner
 * make of them; it starts and ends nothing.
 *
 * SERVED-3: a replica is asked by owners of the mesh and by the one who pays for it, and by no other agent.
 * SERVED-5: one that stands still for the machine's owner, or has ended, is asked by nobody, and who was asking hears it at once.
 */
import type { Socket } from "node:net";
import type { Outcome } from "../../protocol/refusal.ts";
import { knock } from "../../serving/server/knock.ts";
import type { ReplicaPlace } from "../runner/runner.ts";

interface Answering {
  readonly place: ReplicaPlace;
  readonly requester: string;
  isStill: boolean;
}

export class ReachedReplicas {
  readonly #answering = new Map<number, Answering>();
  #onCut: (fence: number) => void = () => undefined;

  /** Hears of which replica every connection is to end. */
  hearCuts(listener: (fence: number) => void): void {
    this.#onCut = listener;
  }

  answers(fence: number, requester: string, { port, secret }: ReplicaPlace): void {
    const isStill = this.#answering.get(fence)?.isStill ?? false;
    this.#answering.set(fence, { place: { port, secret }, requester, isStill });
  }

  standsStill(fence: number, isStill: boolean): void {
    const answering = this.#answering.get(fence);
    if (answering === undefined || answering.isStill === isStill) return;
    answering.isStill = isStill;
    if (isStill) this.#onCut(fence);
  }

  ended(fence: number): void {
    if (this.#answering.delete(fence)) this.#onCut(fence);
  }

  /** `peer` as its certificate names it: an agent's name, or `role:name`. */
  placeOf(peer: string, fence: number): (() => Promise<Outcome<Socket>>) | "not-here" | "not-allowed" {
    const answering = this.#answering.get(fence);
    const isOwner = peer.startsWith("owner:");
    if (!isOwner && !peer.startsWith("requester:")) return "not-allowed";
    if (answering === undefined || answering.isStill) return "not-here";
    if (!isOwner && peer !== `requester:${answering.requester}`) return "not-allowed";
    const { port, secret } = answering.place;
    return () => knock(port, Buffer.from(secret, "hex"));
  }
}
