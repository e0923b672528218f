/**
 * Who holds which artifacts and where each holder is reached: what agents say of themselves, and what whoever looks for an
 * artifact is told. Soft: the leader keeps it in memory, and each new one is told anew. Nothing is believed of it: a holder is a
 * place to ask, and what it sends is verified.
 */
import * as z from "zod";
import { listOf, sentenceText, shortText } from "./bound.ts";
import { digestSchema } from "./id.ts";
import { nameSchema } from "./name.ts";

/** Artifacts in one message: below the limit of a message. */
export const entriesPerMessageMax = 5_000;
/** Peers in one answer: more are asked for again once these do not suffice. */
export const peersMax = 16;
const addressesMax = 8;
/** Machines through which one is found. */
export const viaMax = 4;

export const heldSchema = z.object({
  digest: digestSchema,
  /** Not whole yet: some chunks are there, and more come. */
  part: z.boolean().optional(),
});
export type Held = z.infer<typeof heldSchema>;

/** Where an agent takes connections of other agents: `host:port`, the likeliest first. */
export const doorSchema = z.object({ addresses: listOf(sentenceText, addressesMax).min(1) });
export type Door = z.infer<typeof doorSchema>;

/** One that passes on to others what machines that cannot reach each other say. */
const relaySchema = z.object({ agent: nameSchema, door: doorSchema });
export type FoundRelay = z.infer<typeof relaySchema>;

/**
 * `hold`: messages of one run of an agent are numbered from 1 in each epoch. One that is `whole` begins anew: it takes the place
 * of all that was said; the others add and drop. `door` is null where nobody can connect to it. `via`: where it keeps a way open, left out by
 * earlier versions. `relays`: it passes on for others.
 */
export const trackSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("hold"),
    incarnation: shortText,
    epoch: z.int().nonnegative(),
    number: z.int().positive(),
    whole: z.boolean(),
    door: doorSchema.nullable(),
    via: listOf(nameSchema, viaMax).optional(),
    relays: z.boolean().optional(),
    added: listOf(heldSchema, entriesPerMessageMax),
    dropped: listOf(digestSchema, entriesPerMessageMax),
  }),
  z.object({ kind: z.literal("find"), digest: digestSchema }),
  z.object({ kind: z.literal("relays") }),
]);
export type Track = z.infer<typeof trackSchema>;
export type Hold = Extract<Track, { kind: "hold" }>;

/** `again`: something between was not heard, so all of it is to be said again, beginning with a `whole` one. */
export const holdAnswerSchema = z.object({ again: z.boolean() });

const viaSchema = listOf(relaySchema, viaMax);

/** `hidden`: those that nobody can connect to; left out by earlier versions, which knew of no `via` either. */
export const foundSchema = z.object({
  peers: listOf(
    z.object({ agent: nameSchema, door: doorSchema, part: z.boolean(), via: viaSchema.optional() }),
    peersMax,
  ),
  hidden: listOf(z.object({ agent: nameSchema, part: z.boolean(), via: viaSchema }), peersMax).optional(),
});
export type Found = z.infer<typeof foundSchema>;

export const foundRelaysSchema = z.object({ relays: listOf(relaySchema, viaMax) });
