/**
 * Who sends the server more than one identity may, by what the server has counted: a flood of messages, or too much in a day.
 * Plain arithmetic over samples; asking the server and holding somebody back is `part/watch-traffic.ts`.
 *
 * QUOTA-6: who floods is cut off for a while, who has sent a day's bytes stores no artifacts until the day is over; nobody else is.
 */
import { chunkBytes } from "../artifact/blob.ts";
import { bytesPerGiB } from "../protocol/byte-unit.ts";
import { saidRate } from "../protocol/said-rate.ts";
import { formatBytes } from "../text/figure.ts";

/** Between two samples, ms. */
export const sampleEveryMs = 2_000;
const bytesPerSecondMax = bytesPerGiB;
export const messagesPerSecondMax = 20_000;
/** All else that an agent says: reports, heartbeats, confirmations, questions and answers, a few for each of the trials that a leader can place in a second. */
const otherPerSecondMax = 5_000;
// No honest agent meets the bound: what it says of its trials it limits itself, and chunks of artifacts meet the bytes first.
if (saidRate.perSecond + otherPerSecondMax + bytesPerSecondMax / chunkBytes > messagesPerSecondMax)
  throw new Error("an agent may say more than the server takes from it");
/** A burst is no flood: so many samples in a row are. */
const floodSamples = 2;
/** How long a flood's sender is cut off, ms. */
export const silenceMs = 20_000;
const hourMs = 3_600_000;
const hoursPerDay = 24;

/** What is held back of an identity: all it says, its artifacts, nothing. */
export type Held = "all" | "artifacts" | null;

/** What the server has received of one identity since it started. */
export interface Received {
  readonly messages: number;
  readonly bytes: number;
}

interface Sender {
  last: Received;
  lastAt: number;
  /** Samples in a row above the rate. */
  floods: number;
  silentUntil: number;
  /** Bytes by hour, of the last day. */
  readonly byHour: Map<number, number>;
  held: Held;
}

export interface HeldChange {
  readonly identity: string;
  readonly held: Held;
  readonly why: string;
}

export class TrafficQuota {
  readonly #bytesPerDay: number;
  readonly #senders = new Map<string, Sender>();

  constructor(bytesPerDay: number) {
    this.#bytesPerDay = bytesPerDay;
  }

  heldOf(identity: string): Held {
    return this.#senders.get(identity)?.held ?? null;
  }

  /** Takes a sample of everybody at `at` (ms); what changes by it. */
  sample(received: ReadonlyMap<string, Received>, at: number): readonly HeldChange[] {
    const changes: HeldChange[] = [];
    for (const [identity, now] of received) {
      const sender = this.#senders.get(identity);
      if (sender === undefined) {
        this.#senders.set(identity, newSender(now, at));
        continue;
      }
      this.#count(sender, now, at);
      const held = this.#judge(sender, at);
      if (held === sender.held) continue;
      sender.held = held;
      changes.push({ identity, held, why: this.#why(held) });
    }
    return changes;
  }

  #count(sender: Sender, now: Received, at: number): void {
    // A server that was started again counts anew.
    const restarted = now.messages < sender.last.messages || now.bytes < sender.last.bytes;
    const before = restarted ? { messages: 0, bytes: 0 } : sender.last;
    const [messages, bytes] = [now.messages - before.messages, now.bytes - before.bytes];
    const seconds = Math.max(1, at - sender.lastAt) / 1_000;
    const floods = messages > messagesPerSecondMax * seconds || bytes > bytesPerSecondMax * seconds;
    sender.floods = floods ? sender.floods + 1 : 0;
    sender.last = now;
    sender.lastAt = at;
    const hour = Math.floor(at / hourMs);
    sender.byHour.set(hour, (sender.byHour.get(hour) ?? 0) + bytes);
    for (const old of sender.byHour.keys()) if (old <= hour - hoursPerDay) sender.byHour.delete(old);
  }

  #judge(sender: Sender, at: number): Held {
    if (sender.floods >= floodSamples) sender.silentUntil = at + silenceMs;
    if (at < sender.silentUntil) return "all";
    let day = 0;
    for (const bytes of sender.byHour.values()) day += bytes;
    return day > this.#bytesPerDay ? "artifacts" : null;
  }

  #why(held: Held): string {
    switch (held) {
      case "all":
        return `sends more than ${messagesPerSecondMax} messages or ${bytesPerSecondMax / bytesPerGiB} GiB a second; nothing of it is taken for ${silenceMs / 1_000} s`;
      case "artifacts":
        return `has sent more than ${formatBytes(this.#bytesPerDay)} in a day; no artifacts of it are taken until some of that is a day ago (\`trialmesh up --artifact-quota GIB\` sets how much)`;
      case null:
        return "is heard in full again";
    }
  }
}

function newSender(last: Received, lastAt: number): Sender {
  return { last, lastAt, floods: 0, silentUntil: 0, byHour: new Map(), held: null };
}
