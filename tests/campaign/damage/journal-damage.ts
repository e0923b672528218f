/** Damage to the journal: the server's files of its stream, the stream itself, and the coordinator's copy of it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DamageKind, DamagePlace } from "./damage-kind.ts";
import { deleteStream } from "./delete-stream.ts";
import { cutFile, fileIn, flipBit, removePath, zeroStretch } from "./spoil-file.ts";

const stream = (place: DamagePlace) => place.streamFolder("JOURNAL");
const block = (place: DamagePlace, random: () => number) =>
  fileIn(join(stream(place), "msgs"), /^\d+\.blk$/, random);
const index = (place: DamagePlace) => join(stream(place), "msgs", "index.db");

/** Without its index the server believes the blocks alone. */
function withoutIndex(place: DamagePlace, done: string): string {
  if (existsSync(index(place))) removePath(index(place));
  return `${done}, without index.db`;
}

export const journalDamage: readonly DamageKind[] = [
  { name: "journal-flip", when: "rest", apply: (place, random) => flipBit(block(place, random), random) },
  {
    name: "journal-flip-no-index",
    when: "rest",
    apply: (place, random) => withoutIndex(place, flipBit(block(place, random), random)),
  },
  { name: "journal-cut", when: "rest", apply: (place, random) => cutFile(block(place, random), random) },
  {
    name: "journal-cut-no-index",
    when: "rest",
    apply: (place, random) => withoutIndex(place, cutFile(block(place, random), random)),
  },
  { name: "journal-zero", when: "rest", apply: (place, random) => zeroStretch(block(place, random), random) },
  { name: "journal-no-block", when: "rest", apply: (place, random) => removePath(block(place, random)) },
  { name: "journal-no-folder", when: "rest", apply: (place) => removePath(stream(place)) },
  { name: "journal-no-messages", when: "rest", apply: (place) => removePath(join(stream(place), "msgs")) },
  { name: "journal-no-meta", when: "rest", apply: (place) => removePath(join(stream(place), "meta.inf")) },
  {
    name: "journal-flip-meta",
    when: "rest",
    apply: (place, random) => flipBit(fileIn(stream(place), /^meta\./, random), random),
  },
  { name: "journal-flip-index", when: "rest", apply: (place, random) => flipBit(index(place), random) },
  { name: "journal-deleted", when: "running", atOnce: true, apply: deleteStream },
  {
    name: "journal-flip-running",
    when: "running",
    apply: (place, random) => flipBit(block(place, random), random),
  },
  {
    name: "journal-cut-running",
    when: "running",
    apply: (place, random) => cutFile(block(place, random), random),
  },
  {
    name: "journal-zero-running",
    when: "running",
    apply: (place, random) => zeroStretch(block(place, random), random),
  },
  { name: "journal-no-folder-running", when: "running", apply: (place) => removePath(stream(place)) },
  { name: "copy-flip", when: "rest", apply: (place, random) => flipBit(place.copyFile(), random) },
  { name: "copy-cut", when: "rest", apply: (place, random) => cutFile(place.copyFile(), random) },
  { name: "copy-zero", when: "rest", apply: (place, random) => zeroStretch(place.copyFile(), random) },
  { name: "copy-gone", when: "rest", apply: (place) => removePath(place.copyFile()) },
];
