/**
 * SERVE-18. The profile of what one version was asked and answered, as it is kept in a file and given to whoever asks: what its server looked
 * at since some time, and before that. Parts of any servers of a version merge. Who keeps it, and when, is the client's matter.
 */
import * as z from "zod";
import { storedList, storedText } from "../../protocol/bound.ts";
import { ColumnScan } from "../../data/profile/column-scan.ts";
import {
  profileSchema,
  type ColumnProfile,
  type ColumnSketch,
  type Profile,
} from "../../data/profile/profile.ts";

const count = z.int().nonnegative();

const partSchema = z.object({
  /** ms since the Unix epoch, of its first and of its last row. */
  since: z.number(),
  until: z.number(),
  /** Rows that were answered; the profile has those of them that were looked at. */
  seen: count,
  profile: profileSchema,
});
export type ServingPart = z.infer<typeof partSchema>;

export const servingProfileSchema = partSchema.extend({
  format: z.literal("trialmesh-serving-profile"),
  version: z.literal(1),
  model: storedText,
  modelVersion: count,
  digest: storedText,
  inputs: storedList(
    z.object({ name: storedText, kind: z.enum(["text", "number", "category"]), optional: z.boolean() }),
  ),
  labels: storedList(storedText).nullable(),
  target: storedText,
  /** Of the days before; left out where there is none. */
  before: partSchema.exactOptional(),
});
export type ServingProfile = z.infer<typeof servingProfileSchema>;

/** What is older than two of these is forgotten: drift of a year ago is none of today. */
export const profiledMs = 24 * 60 * 60 * 1_000;

/** Called between two columns: a server hears others then. */
export type Pause = () => Promise<void>;

/** `part` behind what was there, on a new day in a part of its own. Null where they have other columns. */
export async function withPart(
  known: ServingProfile,
  part: ServingPart,
  pause: Pause,
): Promise<ServingProfile | null> {
  const { before: _, ...today } = known;
  if (part.until - known.since > profiledMs) return { ...today, ...part, before: partOf(known) };
  const joined = await joinParts(partOf(known), part, pause);
  return joined === null ? null : { ...known, ...joined };
}

/** Both days in one, as drift is said of them. */
export async function wholePart(known: ServingProfile, pause: Pause): Promise<ServingPart> {
  const today = partOf(known);
  return known.before === undefined ? today : ((await joinParts(known.before, today, pause)) ?? today);
}

async function joinParts(a: ServingPart, b: ServingPart, pause: Pause): Promise<ServingPart | null> {
  const [inA, inB] = [a.profile, b.profile];
  if (inA.columns.length !== inB.columns.length) return null;
  const scans: ColumnScan[] = [];
  for (const column of inA.columns) {
    const other = inB.columns.find(({ name }) => name === column.name);
    const [sketch, otherSketch] = [inA.sketches.columns[column.name], inB.sketches.columns[column.name]];
    if (other?.kind !== column.kind || sketch === undefined || otherSketch === undefined) return null;
    const scan = ColumnScan.from(column, sketch);
    scan.merge(ColumnScan.from(other, otherSketch));
    scans.push(scan);
    await pause();
  }
  const { name } = inA;
  return {
    since: Math.min(a.since, b.since),
    until: Math.max(a.until, b.until),
    seen: a.seen + b.seen,
    profile: await profileOf(name, inA.rows + inB.rows, scans, pause),
  };
}

/** Of sketches that nobody adds to any more. */
export async function profileOf(
  name: string,
  rows: number,
  scans: readonly ColumnScan[],
  pause: Pause,
): Promise<Profile> {
  const columns: ColumnProfile[] = [];
  const sketches: Record<string, ColumnSketch> = {};
  for (const scan of scans) {
    columns.push(scan.profile());
    putSketch(sketches, scan);
    await pause();
  }
  return {
    ...{ format: "trialmesh-profile", version: 1, name, digest: null, rows, columns },
    ...{ splits: [], files: [], labels: null, text: null, findings: [] },
    sketches: { columns: sketches, texts: null },
  };
}

/** Under any name, `__proto__` too. */
function putSketch(sketches: Record<string, ColumnSketch>, scan: ColumnScan): void {
  const value = scan.sketch();
  Object.defineProperty(sketches, scan.name, { value, configurable: true, enumerable: true, writable: true });
}

function partOf({ profile, seen, since, until }: ServingPart): ServingPart {
  return { since, until, seen, profile };
}
