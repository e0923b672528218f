/**
 * What one identity may ask of the leader: so many of each kind a second, by a token bucket each. What is beyond is refused
 * where somebody waits for an answer, and dropped where nobody does; nobody else notices. Generous to honest use: a terminal
 * asks some five questions a second, an agent sends a heartbeat every few seconds.
 *
 * QUOTA-1: one sender's flood takes the leader no more time than its rate; others' messages are served as before.
 */
import { bytesPerKiB, bytesPerMiB } from "../../protocol/byte-unit.ts";
import { RateLimit, type Rate } from "../../protocol/rate-limit.ts";

/** Messages of each kind. */
export const commandRate = { perSecond: 50, atOnce: 500 } as const satisfies Rate;
export const queryRate = { perSecond: 100, atOnce: 1_000 } as const satisfies Rate;
const heartbeatRate = { perSecond: 20, atOnce: 200 } as const satisfies Rate;
/** What agents say of the artifacts they hold, and questions for who holds one. */
export const trackRate = { perSecond: 100, atOnce: 1_000 } as const satisfies Rate;
const registerRate = { perSecond: 2, atOnce: 20 } as const satisfies Rate;
/** Of reports as durable messages; a batch of an outbox that was cut off for long comes as many in a row. */
const reportRate = { perSecond: 200, atOnce: 5_000 } as const satisfies Rate;
/** Bytes of all that one identity says, in whatever kind. */
const byteRate = { perSecond: 4 * bytesPerMiB, atOnce: 64 * bytesPerMiB } as const satisfies Rate;
/** Bytes of checkpoints that come with reports: each costs the leader a tenth of what a byte of JSON does. */
const carriedRate = { perSecond: 32 * bytesPerMiB, atOnce: 128 * bytesPerMiB } as const satisfies Rate;
/** Ms of the leader's time for answers to one sender's questions: a large sweep's insight may take a second. */
const answerMsRate = { perSecond: 250, atOnce: 5_000 } as const satisfies Rate;
/** A message costs the server and the leader something however short it is. */
const messageBytesMin = bytesPerKiB;

export type QuotaKind = "command" | "query" | "heartbeat" | "register" | "report" | "track";

/** Between two lines about the same sender, ms. */
const tellEveryMs = 60_000;

export class SenderQuota {
  readonly #limits: Readonly<Record<QuotaKind, RateLimit>> = {
    command: new RateLimit(commandRate),
    query: new RateLimit(queryRate),
    heartbeat: new RateLimit(heartbeatRate),
    register: new RateLimit(registerRate),
    report: new RateLimit(reportRate),
    track: new RateLimit(trackRate),
  };
  readonly #bytes = new RateLimit(byteRate);
  readonly #carried = new RateLimit(carriedRate);
  readonly #answerMs = new RateLimit(answerMsRate);
  readonly #tell = new RateLimit({ perSecond: 1_000 / tellEveryMs, atOnce: 1 });
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /**
   * True where `sender` (`role/name`) may say this at `at` (ms). The first it may not is told to whoever keeps the mesh. `carriedBytes`:
   * of checkpoints, beside `bytes`.
   */
  allows(kind: QuotaKind, sender: string, bytes: number, at: number, carriedBytes = 0): boolean {
    const allowed =
      (kind !== "query" || this.#answerMs.allows(sender, at, 0)) &&
      this.#limits[kind].allows(sender, at) &&
      this.#bytes.allows(sender, at, Math.max(messageBytesMin, bytes)) &&
      this.#carried.allows(sender, at, carriedBytes);
    if (!allowed && this.#tell.allows(sender, at))
      this.#log(`${sender} says more than one may (${kind}); what is beyond is turned away`);
    return allowed;
  }

  /** What the answer to a question of `sender` took of the leader's time. */
  answered(sender: string, tookMs: number, at: number): void {
    this.#answerMs.charge(sender, at, tookMs);
  }
}

/** The refusal of what is beyond. */
export function beyondQuota(who: string, what: "commands" | "questions", { perSecond }: Rate): string {
  return `${who} gives more than ${perSecond} ${what} a second; wait a moment and send it again`;
}
