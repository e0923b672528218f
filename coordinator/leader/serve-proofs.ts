/**
 * Answers whoever asks whether a blob is what its digest names, or for the bytes of one that lies in a pack: one look at the store after the
 * other, and not too many of one asker.
 */
import * as z from "zod";
import { BusError, type Bus, type Incoming, type Subscription } from "../../protocol/bus/bus.ts";
import { digestSchema, type Digest } from "../../protocol/id.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { RateLimit } from "../../protocol/rate-limit.ts";
import { accept, parseOutside, refuse } from "../../protocol/refusal.ts";
import { coordinatorPatterns } from "../../protocol/subjects.ts";
import type { BlobProver } from "./blob-prover.ts";

/** `doubted`: by somebody who has read it and found it wrong or not there. `take`: its bytes are wanted, where it lies in a pack. */
const askedSchema = z.object({
  digest: digestSchema,
  doubted: z.literal(true).optional(),
  take: z.literal(true).optional(),
});
type Asked = z.infer<typeof askedSchema>;
/** Questions that wait while one blob is read, of all and of one asker: each may be a long one. */
const waitingMax = 100;
const waitingOfOneMax = 8;
/** QUOTA-1: questions of one asker. An agent begins hundreds of trials at once, each with a small artifact of a pack, and then none. */
const askRate = { perSecond: 200, atOnce: 2_000 } as const;

export function serveProofs(bus: Bus, mesh: string, prover: BlobProver): Subscription {
  const places = new Places();
  const asks = new RateLimit(askRate);
  let last: Promise<void> = Promise.resolve();

  const answer = async (message: Incoming, asker: string, { digest, doubted }: Asked): Promise<void> => {
    await respond(message, async () => ({
      state: await (doubted === true ? prover.proveAgain(digest) : prover.prove(digest)),
    }));
    places.leave(asker);
  };

  /** In no queue: a pack is one message, and the last ones are in memory. */
  const give = (message: Incoming, digest: Digest): void => {
    void respond(message, async () => {
      const content = await prover.take(digest);
      return content === null
        ? { state: "missing" }
        : { state: "right", content: Buffer.from(content).toString("base64") };
    });
  };

  const hear = (message: Incoming) => {
    const asker = askerOf(message.subject);
    const tooMany = () =>
      message.respond(toBytes(refuse("unavailable", "too many artifacts wait to be looked at")));
    // QUOTA-1: before anything is read of it.
    if (!asks.allows(asker, prover.clock.monotonic())) return tooMany();
    const asked = parseOutside(askedSchema, fromBytes(message.data), "the question for a proof");
    if (!asked.ok) return message.respond(toBytes(asked));
    if (asked.value.take === true) return give(message, asked.value.digest);
    if (!places.hasFor(asker)) return tooMany();
    places.take(asker);
    last = last.then(() => answer(message, asker, asked.value));
  };
  const { namedProofs, proofs } = coordinatorPatterns(mesh);
  const heard = [proofs, namedProofs].map((pattern) => bus.subscribe(pattern, hear));
  return { close: () => heard.forEach((one) => one.close()) };
}

async function respond(message: Incoming, work: () => Promise<unknown>): Promise<void> {
  try {
    message.respond(toBytes(accept(await work())));
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    message.respond(toBytes(refuse("unavailable", error.message)));
  }
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
