/**
 * Who holds which artifacts and where each holder is reached: what agents say of themselves, and what whoever looks for an
 * artifact is told; and how an agent asks for a replica of a large checkpoint at another agent. Soft: the leader keeps it in memory, and
 * each new one is told anew. Nothing is believed of it: a holder is a place to ask, and what it sends is verified.
 */
import * as z from "zod";
import { bytesPerKiB } from "./byte-unit.ts";
import { listOf, sentenceText, shortText } from "./bound.ts";
import { digestSchema, fenceSchema } from "./id.ts";
import { nameSchema } from "./name.ts";

/** Artifacts in one message: below the limit of a message. */
export const entriesPerMessageMax = 5_000;
/** Peers in one answer: more are asked for again once these do not suffice. */
export const peersMax = 16;
const addressesMax = 8;
/** Of one checkpoint that is to be held by another agent: 16 TiB, as of any artifact. */
const replicaBytesMax = 2 ** 44;
/** What fits into one message of the mesh's store is sooner there than anywhere else. */
export const replicaBytesMin = 256 * bytesPerKiB + 1;
/** Machines through which one is found. */
export const viaMax = 4;

export const heldSchema = z.object({
  digest: digestSchema,
  /** Not whole yet: some chunks are there, and more come. */
  part: z.boolean().optional(),
  /** Its bytes, where it stays whatever the quota lets go: a checkpoint that lies at agents and not in the mesh's store. */
  kept: z.int().nonnegative().optional(),
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
    /** Names the folder of its artifacts: agents of one machine may share it. Absent from agents that hold no replicas. */
    store: shortText.optional(),
    /** So many bytes of others' checkpoints it would hold now, beside those it does. */
    room: z.int().nonnegative().optional(),
    via: listOf(nameSchema, viaMax).optional(),
    relays: z.boolean().optional(),
    added: listOf(heldSchema, entriesPerMessageMax),
    dropped: listOf(digestSchema, entriesPerMessageMax),
  }),
  z.object({ kind: z.literal("find"), digest: digestSchema }),
  /** Asked by whoever holds that fence and has made a checkpoint of so many bytes; again and again, until it is held or nobody holds it. */
  z.object({
    kind: z.literal("replicate"),
    digest: digestSchema,
    bytes: z.int().positive().max(replicaBytesMax),
    fence: fenceSchema,
  }),
  /** It was asked to hold that, and will not or cannot. */
  z.object({ kind: z.literal("decline"), digest: digestSchema }),
  z.object({ kind: z.literal("relays") }),
  /** Where an agent itself is reached, whatever it holds; answered as `find` is, with nobody where it is not there. */
  z.object({ kind: z.literal("reach"), agent: nameSchema }),
]);
export type Track = z.infer<typeof trackSchema>;
export type Hold = Extract<Track, { kind: "hold" }>;

/**
 * `again`: something between was not heard, so all of it is to be said again, beginning with a `whole` one. `gone`: of what was added,
 * what the mesh has collected; absent where that is none, and of coordinators that do not say it.
 */
export const holdAnswerSchema = z.object({
  again: z.boolean(),
  gone: listOf(digestSchema, entriesPerMessageMax).optional(),
});

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

/** `held`: by another agent too, `by`. `none`: nobody holds it, and the mesh's store is to. */
export const replicaAnswerSchema = z.object({
  state: z.enum(["held", "under way", "none"]),
  by: nameSchema.optional(),
});
export type ReplicaAnswer = z.infer<typeof replicaAnswerSchema>;

export const foundRelaysSchema = z.object({ relays: listOf(relaySchema, viaMax) });
