/**
 * The bounds of texts, lists and records that come from outside (SIZE-6). Every schema at a border is made with these and not
 * with zod's own, which have none: so what a message, a file or a line leads to has a size that is known before it is read.
 * Numbers need none: zod takes finite ones only. How large a whole message may be is for whoever reads it to say.
 */
import * as z from "zod";

/** Of what names a thing: a model, a metric, a kind of processor. */
export const nameCharactersMax = 200;
/** Of a sentence, a path, a pattern. */
export const sentenceCharactersMax = 2_000;
/** Of a text that somebody wrote: a word of a command. */
export const textCharactersMax = 20_000;
/** Of a parameter's value: more than a word of a command line may hold on Linux, which is that trial's own fault. */
export const valueCharactersMax = 262_144;
/** Of a list or a record of which people write each entry, or a machine has each. */
export const entriesMax = 1_000;
/** Of one that programs write: choices of a parameter, lines of an answer. */
export const manyEntriesMax = 100_000;
/** Of one in a file of ours. */
const storedEntriesMax = 10_000_000;

/** Schemas that hold a bound by what they do and not by a check that zod can show. */
export const bounded = z.registry<{ readonly max: number }>();

export const shortText = z.string().max(nameCharactersMax);
export const sentenceText = z.string().max(sentenceCharactersMax);
export const longText = z.string().max(textCharactersMax);

/** `message`: what is said of a longer one, where that a text is too long says too little. */
export function textOf(charactersMax: number, message?: string) {
  return z.string().max(charactersMax, message);
}

/** A text of which only the beginning counts: what is longer is cut and not refused. */
export function cutText(charactersMax: number, charactersMin = 0) {
  const schema = z
    .string()
    .min(charactersMin)
    .transform((text) => text.slice(0, charactersMax));
  bounded.add(schema, { max: charactersMax });
  return schema;
}

/** A record of which the first `max` entries with keys no longer than `keyCharactersMax` count: more is left out and not refused. */
export function cutRecord<V extends z.ZodType>(value: V, keyCharactersMax: number, max: number) {
  const isShort = (key: string) => key.length <= keyCharactersMax;
  const schema = z.record(z.string(), value).transform((given) => {
    const entries = Object.entries(given);
    if (entries.length <= max && entries.every(([key]) => isShort(key))) return given;
    return Object.fromEntries(entries.filter(([key]) => isShort(key)).slice(0, max)) as typeof given;
  });
  bounded.add(schema, { max });
  return schema;
}

export function listOf<T extends z.ZodType>(entry: T, max = entriesMax) {
  return z.array(entry).max(max);
}

export function recordOf<K extends z.ZodString, V extends z.ZodType>(key: K, value: V, max = entriesMax) {
  const schema = z
    .record(key, value)
    .refine((given) => Object.keys(given).length <= max, `has too many entries; at most ${max} are allowed`);
  bounded.add(schema, { max });
  return schema;
}

/** Of what our own programs keep in files and hand to their children: datasets, profiles, checkpoints, vocabularies. */
export const storedText = z.string().max(10_000_000);

export function storedList<T extends z.ZodType>(entry: T) {
  return listOf(entry, storedEntriesMax);
}

export function storedRecord<K extends z.ZodString, V extends z.ZodType>(key: K, value: V) {
  return recordOf(key, value, storedEntriesMax);
}

/** Of an answer, which is one message: whoever asks need not doubt the mesh it trusts, and must not fill up either. */
export const answerText = z.string().max(1_000_000);

export function answerList<T extends z.ZodType>(entry: T) {
  return listOf(entry, manyEntriesMax);
}

export function answerRecord<V extends z.ZodType>(value: V) {
  return recordOf(answerText, value, manyEntriesMax);
}

/** Nothing that people or programs write is nested deeper: what walks it by recursion has room. */
export const nestingMax = 50;

/** Any JSON value, for whoever reads it further. */
export function jsonValue() {
  const schema = z.unknown().refine((value) => nests(value) <= nestingMax, {
    message: `is nested too deep; at most ${nestingMax} levels are allowed`,
  });
  bounded.add(schema, { max: nestingMax });
  return schema;
}

/** A value of which the message it comes in is the bound: `fromBytes` takes none that is nested without end. */
export const anyValue = z.unknown();
bounded.add(anyValue, { max: nestingMax });

/** How deep lists and objects stand in each other; without recursion, for it may be very deep. */
function nests(value: unknown): number {
  let level: unknown[] = [value];
  for (let depth = 0; ; depth++) {
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one !== "object" || one === null) continue;
      const inside: readonly unknown[] = Array.isArray(one) ? one : Object.values(one);
      for (const inner of inside) next.push(inner);
    }
    if (next.length === 0 || depth > nestingMax) return depth;
    level = next;
  }
}
