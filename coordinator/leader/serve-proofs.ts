/**
 * Says of a blob whether its bytes are what its digest names, and removes it where they are not: so nobody can make a
 * digest unusable by storing something else under it. Nothing is taken on anybody's word; what is right stays so, since
 * a stored chunk cannot be written again, and is remembered.
 */
import * as z from "zod";
import { proveBlob, type ProofState } from "../../artifact/blob.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import { BusError, type Bus, type Incoming, type Subscription } from "../../protocol/bus/bus.ts";
import { digestSchema, type Digest } from "../../protocol/id.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { accept, parseOutside, refuse } from "../../protocol/refusal.ts";
import { coordinatorPatterns } from "../../protocol/subjects.ts";

const askedSchema = z.object({ digest: digestSchema });
/** Questions that wait while one blob is read, of all and of one asker: each may be a long one. */
const waitingMax = 100;
const waitingOfOneMax = 8;
/** Digests found right, the oldest forgotten first. */
const provedMax = 10_000;

export function serveProofs(bus: Bus, mesh: string, log: (line: string) => void): Subscription {
  const proved = new Set<Digest>();
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

  const note = (asker: string, change: number) => {
    const count = (waiting.get(asker) ?? 0) + change;
    waitingInAll += change;
    if (count === 0) waiting.delete(asker);
    else waiting.set(asker, count);
  };

  const answer = async (message: Incoming, asker: string, digest: Digest): Promise<void> => {
    try {
      message.respond(toBytes(accept({ state: await prove(digest) })));
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
    last = last.then(() => answer(message, asker, asked.value.digest));
  };
  const { namedProofs, proofs } = coordinatorPatterns(mesh);
  const heard = [proofs, namedProofs].map((pattern) => bus.subscribe(pattern, hear));
  return { close: () => heard.forEach((subscription) => subscription.close()) };
}

/** The asker in `tm.v1.<mesh>.prove.<role>.<who>`. */
function askerOf(subject: string): string {
  return subject.split(".").slice(4).join("/");
}
