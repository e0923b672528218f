/** Damage to a coordinator's projection: a cache, which is built anew from the journal whatever becomes of it. */
import { lockSuffix } from "../../../store/lmdb-file.ts";
import type { DamageKind, DamagePlace } from "./damage-kind.ts";
import { cutFile, flipBit, removePath, zeroStretch } from "./spoil-file.ts";

const file = (place: DamagePlace) => place.projectionFile();
const lock = (place: DamagePlace) => file(place) + lockSuffix;

const ways: readonly [name: string, apply: DamageKind["apply"]][] = [
  ["flip", (place, random) => flipBit(file(place), random)],
  ["cut", (place, random) => cutFile(file(place), random)],
  ["zero", (place, random) => zeroStretch(file(place), random)],
  ["gone", (place) => removePath(file(place))],
  ["cut-lock", (place, random) => cutFile(lock(place), random)],
  ["flip-lock", (place, random) => flipBit(lock(place), random)],
];

export const projectionDamage: readonly DamageKind[] = [
  // A lock is there while the store is open, and only then.
  ...ways
    .filter(([name]) => !name.endsWith("lock"))
    .map(([name, apply]) => ({ name: `projection-${name}`, when: "rest" as const, apply })),
  ...ways.map(([name, apply]) => ({
    name: `projection-${name}-running`,
    when: "running" as const,
    apply,
  })),
];
