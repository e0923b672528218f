/**
 * Ids the mesh makes: they count up in the journal, so a replay makes the same ones.
 * A sweep is `s7`, its twelfth trial `s7-12`, an attempt its fence, a number that only grows.
 */
import * as z from "zod";
import { textOf } from "./bound.ts";

const idCharactersMax = 40;
const digestCharacters = 64;

export const sweepIdSchema = textOf(idCharactersMax).regex(/^s[1-9]\d*$/, 'a sweep id looks like "s7"');
export const trialIdSchema = textOf(idCharactersMax).regex(
  /^s[1-9]\d*-[1-9]\d*$/,
  'a trial id looks like "s7-12"',
);
export const fenceSchema = z.int().positive();
/** Lower-case hexadecimal SHA-256 of the bytes it names. */
export const digestSchema = textOf(digestCharacters).regex(
  /^[0-9a-f]{64}$/,
  "a digest is 64 hexadecimal characters",
);

export type SweepId = string;
export type TrialId = string;
/** Names one attempt, and orders attempts: of two, the higher is the one that counts. */
export type Fence = number;
export type Digest = string;

export function sweepId(number: number): SweepId {
  return `s${number}`;
}

export function trialId(sweep: SweepId, number: number): TrialId {
  return `${sweep}-${number}`;
}

export function sweepOfTrial(trial: TrialId): SweepId {
  return trial.slice(0, trial.indexOf("-"));
}
