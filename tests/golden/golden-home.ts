/**
 * The golden homes: a whole mesh home by each released format, packed beside this file's source, with what must be found in
 * it. Not how they are made: see `make-golden-home.ts`.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as z from "zod";
import { projectFolder } from "../../training/version/code-version.ts";
import { projectionVersion } from "../../coordinator/core/projection.ts";
import { stateText } from "../support/state-text.ts";
import type { State } from "../../coordinator/state/state.ts";
import { factsSchema } from "./fact.ts";
import { stateText3 } from "./state-text-3.ts";

export const goldenFolder = join(projectFolder, "tests", "golden");

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

export const goldenRecordSchema = z.strictObject({
  mesh: z.string(),
  /** `major.minor.patch` of the server that wrote the streams: an older one may not read them. */
  server: z.string(),
  journal: z.strictObject({ messages: z.int().positive(), lastHash: sha256 }),
  /** Of the whole state, by the version of the projection that the code had which made the home. */
  state: z.strictObject({ projectionVersion: z.int().positive(), sha256 }),
  facts: factsSchema,
});
export type GoldenRecord = z.infer<typeof goldenRecordSchema>;

export interface GoldenHome {
  readonly number: number;
  readonly record: GoldenRecord;
}

export function goldenHomes(): readonly GoldenHome[] {
  return readdirSync(goldenFolder)
    .flatMap((name) => /^home-(\d+)\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b)
    .map((number) => {
      const text = readFileSync(join(goldenFolder, `home-${number}.json`), "utf8");
      return { number, record: goldenRecordSchema.parse(JSON.parse(text)) };
    });
}

/** The messages of a golden journal, in order, as the bytes they were in the stream. */
export function goldenJournal(number: number): readonly Uint8Array[] {
  const text = gunzipSync(readFileSync(join(goldenFolder, `journal-${number}.jsonl.gz`))).toString("utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => new TextEncoder().encode(line));
}

/** Puts a golden home where `path` says. Every system that we run on brings `tar` along. */
export function unpackHome(number: number, path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  execFileSync("tar", ["-xzf", join(goldenFolder, `home-${number}.tar.gz`), "-C", path]);
}

/** Of the whole state, as that version of the projection would have it. */
export function stateDigest(state: State, version: number): string {
  return createHash("sha256").update(stateTextOf(state, version)).digest("hex");
}

function stateTextOf(state: State, version: number): string {
  if (version === projectionVersion) return stateText(state);
  if (version === 3) return stateText3(state);
  throw new Error(`no golden home has version ${version} of the projection`);
}
