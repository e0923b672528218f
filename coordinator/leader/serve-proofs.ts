/** Answers whoever asks whether a blob is what its digest names: one question after the other, and not too many of one asker. */
import * as z from "zod";
import { BusError, type Bus, type Incoming, type Subscription } from "../../protocol/bus/bus.ts";
import { digestSchema } from "../../protocol/id.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { accept, parseOutside, refuse } from "../../protocol/refusal.ts";
import { coordinatorPatterns } from "../../protocol/subjects.ts";
import type { BlobProver } from "./blob-prover.ts";

/** `doubted`: by somebody who has read it and found it wrong or not there. */
const askedSchema = z.object({ digest: digestSchema, doubted: z.literal(true).optional() });
type Asked = z.infer<typeof askedSchema>;
/** Questions that wait while one blob is read, of all and of one asker: each may be a long one. */
const waitingMax = 100;
const waitingOfOneMax = 8;

export function serveProofs(bus: Bus, mesh: string, prover: BlobProver): Subscription {
  const places = new Places();
  let last: Promise<void> = Promise.resolve();

  const answer = async (message: Incoming, asker: string, { digest, doubted }: Asked): Promise<void> => {
    try {
      const state = await (doubted === true ? prover.proveAgain(digest) : prover.prove(digest));
      message.respond(toBytes(accept({ state })));
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      message.respond(toBytes(refuse("unavailable", error.message)));
    } finally {
      places.leave(asker);
    }
  };

  const hear = (message: Incoming) => {
    const asker = askerOf(message.subject);
    // QUOTA-1: before anything is read of it.
    if (!places.hasFor(asker))
      return message.respond(toBytes(refuse("unavailable", "too many artifacts wait to be looked at")));
    const asked = parseOutside(askedSchema, fromBytes(message.data), "the question for a proof");
    if (!asked.ok) return message.respond(toBytes(asked));
    places.take(asker);
    last = last.then(() => answer(message, asker, asked.value));
  };
  const { namedProofs, proofs } = coordinatorPatterns(mesh);
  const heard = [proofs, namedProofs].map((pattern) => bus.subscribe(pattern, hear));
  return { close: () => heard.forEach((one) => one.close()) };
}

/** QUOTA-1: how many questions wait, of each who asked; under "" of before the asker stood in the subject. */
class Places {
  readonly #taken = new Map<string, number>();
  #inAll = 0;

  hasFor(asker: string): boolean {
    const mostOfOne = asker === "" ? waitingMax : waitingOfOneMax;
    return this.#inAll < waitingMax && (this.#taken.get(asker) ?? 0) < mostOfOne;
  }

  take(asker: string): void {
    this.#note(asker, 1);
  }

  leave(asker: string): void {
    this.#note(asker, -1);
  }

  #note(asker: string, change: number): void {
    const count = (this.#taken.get(asker) ?? 0) + change;
    this.#inAll += change;
    if (count === 0) this.#taken.delete(asker);
    else this.#taken.set(asker, count);
  }
}

/** The asker in `tm.v1.<mesh>.prove.<role>.<who>`. */
function askerOf(subject: string): string {
  return subject.split(".").slice(4).join("/");
}
