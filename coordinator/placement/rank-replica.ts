/**
 * Who is asked first to hold a replica of a checkpoint. Pure; not here: who can be asked at all (`leader/replica-desk.ts`), and whether
 * the one that is asked will.
 *
 * REPL-2: another machine before another agent of the same one; then who could run the trial, so that it need not be moved again; then
 * the nearer, and the less busy.
 */
import type { Door } from "../../protocol/tracking.ts";

export interface ReplicaCandidate {
  readonly agent: string;
  readonly door: Door;
  /** It fits the trial and takes work. */
  readonly couldRun: boolean;
  /** Replicas that it brings just now. */
  readonly underWay: number;
  /** Trials for each of its slots. */
  readonly load: number;
}

/** Best first; of equal ones by name. `from`: where the checkpoint lies. */
export function rankReplicas<C extends ReplicaCandidate>(from: Door, candidates: readonly C[]): C[] {
  return candidates
    .map((candidate) => ({ candidate, key: keyOf(from, candidate) }))
    .toSorted((one, other) => compare(one.key, other.key) || byName(one.candidate, other.candidate))
    .map(({ candidate }) => candidate);
}

function keyOf(from: Door, { couldRun, door, load, underWay }: ReplicaCandidate): readonly number[] {
  return [Number(isSameMachine(from, door)), Number(!couldRun), Number(!isNear(from, door)), underWay + load];
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [index, value] of one.entries()) {
    const difference = value - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function byName(one: ReplicaCandidate, other: ReplicaCandidate): number {
  return one.agent < other.agent ? -1 : 1;
}

/** An address of one is one of the other. */
function isSameMachine(one: Door, other: Door): boolean {
  const hosts = new Set(one.addresses.map(hostOf));
  return other.addresses.some((address) => hosts.has(hostOf(address)));
}

/** In one network, as far as addresses tell: equal but for their last part. */
function isNear(one: Door, other: Door): boolean {
  const networks = new Set(one.addresses.map((address) => networkOf(hostOf(address))));
  return other.addresses.some((address) => networks.has(networkOf(hostOf(address))));
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":"));
}

function networkOf(host: string): string {
  return host.slice(0, Math.max(host.lastIndexOf("."), host.lastIndexOf(":")));
}
