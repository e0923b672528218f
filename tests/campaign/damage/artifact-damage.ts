/**
 * Damage to what agents and the mesh's store keep beside the journal: an agent's own store, which is no cache, its cached artifacts,
 * and the blobs on the server's disk. Each case ends with a sweep that needs them.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { lockSuffix } from "../../../store/lmdb-file.ts";
import type { DamageKind, DamagePlace } from "./damage-kind.ts";
import { cutFile, fileIn, flipBit, removePath, zeroStretch } from "./spoil-file.ts";

type Way = readonly [name: string, apply: (file: string, random: () => number) => string];

const ways: readonly Way[] = [
  ["flip", flipBit],
  ["cut", cutFile],
  ["zero", zeroStretch],
  ["gone", removePath],
];

const agentStore = (place: DamagePlace) => place.agentStoreFile();
const block = (place: DamagePlace, random: () => number) =>
  fileIn(join(place.streamFolder("BLOBS"), "msgs"), /^\d+\.blk$/, random);

function cached(place: DamagePlace, random: () => number): string {
  const cache = join(place.path, "agent", place.name, "cache");
  const files = readdirSync(cache, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  const chosen = files[Math.floor(random() * files.length)];
  if (chosen === undefined) throw new Error(`${cache} holds no artifact`);
  return chosen;
}

const whens = ["rest", "running"] as const;

function kindsOf(
  name: string,
  fileOf: (place: DamagePlace, random: () => number) => string,
): readonly DamageKind[] {
  return whens.flatMap((when) =>
    ways.map(([way, apply]) => ({
      name: `${name}-${way}${when === "running" ? "-running" : ""}`,
      when,
      works: true,
      apply: (place: DamagePlace, random: () => number) => apply(fileOf(place, random), random),
    })),
  );
}

export const artifactDamage: readonly DamageKind[] = [
  ...kindsOf("agent-store", agentStore),
  {
    name: "agent-store-cut-lock-running",
    when: "running",
    works: true,
    apply: (place, random) => cutFile(agentStore(place) + lockSuffix, random),
  },
  ...kindsOf("cache", cached),
  ...kindsOf("blobs", block),
];
