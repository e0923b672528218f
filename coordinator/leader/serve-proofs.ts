/**
 * Says of a blob whether its bytes are what its digest names, and removes it where they are not: so nobody can make a
 * digest unusable by storing something else under it. Nothing is taken on anybody's word; what is right stays so until
 * somebody doubts it, since a stored chunk cannot be written again, and is remembered. What is wanted and not whole is asked for.
 */
import * as z from "zod";
import { proveBlob, type ProofState } from "../../artifact/blob.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import { BusError, type Bus, type Incoming, type Subscription } from "../../protocol/bus/bus.ts";
import { digestSchema, type Digest } from "../../protocol/id.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { wantedMax } from "../../protocol/order.ts";
import { accept, parseOutside, refuse } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { coordinatorPatterns } from "../../protocol/subjects.ts";

/** `doubted`: by somebody who has read it and found it wrong or not there. */
const askedSchema = z.object({ digest: digestSchema, doubted: z.literal(true).optional() });
type Asked = z.infer<typeof askedSchema>;
/** Questions that wait while one blob is read, of all and of one asker: each may be a long one. */
const waitingMax = 100;
const waitingOfOneMax = 8;
/** Digests found right, the oldest forgotten first. */
const provedMax = 10_000;
/** A doubted blob is read again, and asked for, once in this time, ms: nobody keeps a coordinator reading. */
const doubtedMs = 10_000;
/** So long bytes are asked for that the store has lost. */
const wantedMs = 15_000;

export interface Proofs {
  readonly subscription: Subscription;
  /** Digests that somebody wants and the store does not hold. */
  wanted(): readonly Digest[];
}

export function serveProofs(bus: Bus, mesh: string, clock: Clock, log: (line: string) => void): Proofs {
  const proved = new Set<Digest>();
  /** When each was last doubted, oldest first, and whether it is missed since. */
  const doubted = new Map<Digest, { readonly at: number; readonly missed: boolean }>();
  /** By who asked; under "" of before the asker stood in the subject. */
  const waiting = new Map<string, number>();
  let waitingInAll = 0;
  let last: Promise<void> = Promise.resolve();

  const prove = async (digest: Digest): Promise<ProofState> => {
    if (proved.has(digest)) return "right";
    const place = placeOf(mesh);
    const state = await proveBlob(bus, place, digest);
    if (state === "wrong") {
      await bus.removeMessages(place.stream, `${place.subjectOf(digest, 0).slice(0, -1)}*`);
      log(`artifact ${digest.slice(0, 12)} was not what its digest says, and was removed`);
    }
    if (state === "right") {
      proved.add(digest);
      const [oldest] = proved;
      if (proved.size > provedMax && oldest !== undefined) proved.delete(oldest);
    }
    return state;
  };

  const proveAgain = async (digest: Digest): Promise<ProofState> => {
    const now = clock.monotonic();
    for (const [old, { at }] of doubted) if (now - at > wantedMs) doubted.delete(old);
    if (now - (doubted.get(digest)?.at ?? -Infinity) < doubtedMs) return prove(digest);
    proved.delete(digest);
    const state = await prove(digest);
    if (state !== "right")
      log(`artifact ${digest.slice(0, 12)} is wanted and is not whole; asking for its bytes`);
    doubted.delete(digest);
    doubted.set(digest, { at: now, missed: state !== "right" });
    return state;
  };

  const note = (asker: string, change: number) => {
    const count = (waiting.get(asker) ?? 0) + change;
    waitingInAll += change;
    if (count === 0) waiting.delete(asker);
    else waiting.set(asker, count);
  };

  const answer = async (
    message: Incoming,
    asker: string,
    { digest, doubted: isDoubted }: Asked,
  ): Promise<void> => {
    try {
      const state = await (isDoubted === true ? proveAgain(digest) : prove(digest));
      message.respond(toBytes(accept({ state })));
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      message.respond(toBytes(refuse("unavailable", error.message)));
    } finally {
      note(asker, -1);
    }
  };

  const hear = (message: Incoming) => {
    const asker = askerOf(message.subject);
    // QUOTA-1: before anything is read of it.
    const mostOfOne = asker === "" ? waitingMax : waitingOfOneMax;
    if (waitingInAll >= waitingMax || (waiting.get(asker) ?? 0) >= mostOfOne)
      return message.respond(toBytes(refuse("unavailable", "too many artifacts wait to be looked at")));
    const asked = parseOutside(askedSchema, fromBytes(message.data), "the question for a proof");
    if (!asked.ok) return message.respond(toBytes(asked));
    note(asker, 1);
    last = last.then(() => answer(message, asker, asked.value));
  };
  const { namedProofs, proofs } = coordinatorPatterns(mesh);
  const heard = [proofs, namedProofs].map((pattern) => bus.subscribe(pattern, hear));
  return {
    subscription: { close: () => heard.forEach((one) => one.close()) },
    wanted() {
      const now = clock.monotonic();
      const missed = [...doubted].filter(([digest, doubt]) => {
        return doubt.missed && now - doubt.at < wantedMs && !proved.has(digest);
      });
      return missed.slice(-wantedMax).map(([digest]) => digest);
    },
  };
}

/** The asker in `tm.v1.<mesh>.prove.<role>.<who>`. */
function askerOf(subject: string): string {
  return subject.split(".").slice(4).join("/");
}
