/**
 * What an agent has to say and must not lose, with the bytes of small checkpoints: written to its own store first, then to the
 * mesh's inbox, and kept until the coordinator's receipt. OUTBOX-1: nothing is sent that would not survive our own end.
 */
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { bytesPerKiB } from "../protocol/byte-unit.ts";
import { sleep, type Clock } from "../protocol/time/clock.ts";
import type { Digest } from "../protocol/id.ts";
import { noContents, parseReports, writeReports, type Contents } from "../protocol/report-message.ts";
import { reportSchema, type Report, type ReportBatch } from "../protocol/report.ts";
import { streamsOf, subjectsOf } from "../protocol/subjects.ts";
import type { Store, StoreChanges } from "../store/store.ts";

const reportsPerMessageMax = 200;
/** A message takes no more reports once it is so large; one more of them still fits what the server takes. */
const messageBytesFull = 512 * bytesPerKiB;
/** Messages on their way to the inbox at once. */
const inFlightMax = 4;
const retryMs = 500;
/** A report without a receipt is sent again after this long; the coordinator takes it once. */
const receiptPatienceMs = 10_000;
/** What is receipted leaves the store with the next write, or after this long where nothing is to be written. */
const forgetMs = 250;
/** An acceptance waits this long for company: a trial shorter than that costs one flush and one message, not two. */
const companyMs = 5;
const prefix = "outbox/";

export interface OutboxOptions {
  readonly mesh: string;
  readonly agent: string;
  readonly incarnation: string;
  readonly bus: Bus;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** False where the leader takes no bytes with reports: `unload` puts each into the mesh's store first then, or throws BusError. */
  readonly mayCarry: () => boolean;
  readonly unload: (digest: Digest, content: Uint8Array) => Promise<void>;
  /** What is to be written with the reports that these bytes go with; nothing where it is left out. */
  readonly beside?: (contents: Contents) => StoreChanges;
  /** The store refuses to keep what must not be lost: the agent cannot go on. */
  readonly onError: (error: unknown) => void;
}

interface Item {
  readonly id: string;
  readonly report: Report;
}

/** One that is not in the store yet. */
interface FreshItem extends Item {
  readonly contents: Contents;
}

/** Reports that lie in the store under one key and go to the inbox together. */
interface Message {
  readonly key: string;
  bytes: Uint8Array;
  /** Whether checkpoints' bytes are in it. */
  carries: boolean;
  /** Reports the coordinator has not receipted. */
  open: number;
  /** When it was last in the inbox, monotonic ms; null while it is not. */
  sentAt: number | null;
}

export class Outbox {
  readonly #options: OutboxOptions;
  /** Not yet in the store. */
  #fresh: FreshItem[] = [];
  /** In the store, not yet on their way. */
  #unsent: Message[] = [];
  readonly #inFlight = new Set<Message>();
  /** By the id of each report that is not receipted. */
  readonly #unreceipted = new Map<string, Message>();
  /** Receipted, still in the store: each flush to disk stops the process for a while, so they wait for company. */
  #forgettable: string[] = [];
  #forgetting = false;
  #next = 1;
  #flushing = false;
  /** Acceptances wait. */
  #waiting = false;
  #closed = false;
  readonly #emptied: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
    for (const [key, value] of options.store.range(prefix)) {
      const kept = value instanceof Uint8Array ? parseReports(value) : null;
      if (kept !== null && value instanceof Uint8Array)
        this.#unsent.push(this.#note(key, value, kept.batch.reports, kept.contents.size > 0));
      else
        options.log(
          `${key} in this agent's store holds reports that this version cannot read; they stay there for the one that wrote them`,
        );
    }
    this.#flush().catch(this.#options.onError);
  }

  /** `contents`: the bytes that go with it, of no more than two small checkpoints. */
  add(report: Report, contents: Contents = noContents): void {
    const id = `${this.#options.agent}.${this.#options.incarnation}.${String(this.#next++).padStart(9, "0")}`;
    // Words and numbers of somebody's program are cut here already: what is kept must be a message that the mesh takes.
    this.#fresh.push({ id, report: reportSchema.safeParse(report).data ?? report, contents });
    if (report.kind !== "accepted") this.#flush().catch(this.#options.onError);
    else if (!this.#waiting) {
      this.#waiting = true;
      this.#options.clock.setTimer(companyMs, () => {
        this.#waiting = false;
        this.#flush().catch(this.#options.onError);
      });
    }
  }

  receipt(ids: readonly string[]): void {
    for (const id of ids) {
      const message = this.#unreceipted.get(id);
      if (message === undefined) continue;
      this.#unreceipted.delete(id);
      if (--message.open === 0) this.#forgettable.push(message.key);
    }
    this.#forgetLater();
    if (this.size === 0) for (const resolve of this.#emptied.splice(0)) resolve();
  }

  /** Reports without a receipt. */
  get size(): number {
    return this.#fresh.length + this.#unreceipted.size;
  }

  /** Sends again what has waited too long for its receipt. */
  resend(): void {
    const before = this.#options.clock.monotonic() - receiptPatienceMs;
    for (const message of new Set(this.#unreceipted.values())) {
      if (message.sentAt === null || message.sentAt > before || this.#inFlight.has(message)) continue;
      message.sentAt = null;
      this.#unsent.push(message);
    }
    this.#flush().catch(this.#options.onError);
  }

  /** Resolves when everything is receipted, or after `ms`. */
  async emptied(ms: number): Promise<void> {
    if (this.size === 0) return;
    await Promise.race([
      new Promise<void>((resolve) => this.#emptied.push(resolve)),
      sleep(this.#options.clock, ms),
    ]);
  }

  close(): void {
    this.#closed = true;
    this.#forget();
  }

  #forgetLater(): void {
    if (this.#forgetting) return;
    this.#forgetting = true;
    this.#options.clock.setTimer(forgetMs, () => {
      this.#forgetting = false;
      if (!this.#closed) this.#forget();
    });
  }

  /** A removal that is lost costs a report sent twice, which the coordinator takes once. */
  #forget(): void {
    const remove = this.#forgettable.splice(0);
    if (remove.length > 0) void this.#options.store.write({ put: [], remove }).catch(() => {});
  }

  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      // Reports of one turn go together: one flush to disk, one message.
      await Promise.resolve();
      while (!this.#closed) {
        if (this.#fresh.length > 0) await this.#store(this.#fresh.splice(0, this.#nextCount()));
        const ready = this.#unsent.splice(0, inFlightMax - this.#inFlight.size);
        for (const message of ready) this.#send(message).catch(this.#options.onError);
        if (this.#fresh.length === 0) return;
      }
    } finally {
      this.#flushing = false;
    }
  }

  /** How many of the fresh reports go together. */
  #nextCount(): number {
    let bytes = 0;
    let count = 0;
    for (const { contents, id, report } of this.#fresh) {
      if (count >= reportsPerMessageMax || bytes > messageBytesFull) break;
      bytes += Buffer.byteLength(JSON.stringify({ id, report }));
      for (const { length } of contents.values()) bytes += length;
      count++;
    }
    return count;
  }

  async #store(added: readonly FreshItem[]): Promise<void> {
    const { incarnation, store } = this.#options;
    const fresh = withoutOvertaken(added);
    const items = fresh.map(({ id, report }) => ({ id, report }));
    const contents = new Map(fresh.flatMap((item) => [...item.contents]));
    const key = prefix + (items[0]?.id ?? "");
    const batch: ReportBatch = { incarnation, reports: items };
    const message = this.#note(key, writeReports(batch, contents), items, contents.size > 0);
    const beside = contents.size === 0 ? undefined : this.#options.beside?.(contents);
    const { put, remove } = beside ?? { put: [], remove: [] };
    await store.write({
      put: [[key, message.bytes], ...put],
      remove: [...this.#forgettable.splice(0), ...remove],
    });
    this.#unsent.push(message);
  }

  #note(key: string, bytes: Uint8Array, items: readonly Item[], carries: boolean): Message {
    const message: Message = { key, bytes, carries, open: items.length, sentAt: null };
    for (const { id } of items) this.#unreceipted.set(id, message);
    return message;
  }

  /** Several are on their way at once, in their order; one that failed comes after the others, which the coordinator can take. */
  async #send(message: Message): Promise<void> {
    const { clock } = this.#options;
    this.#inFlight.add(message);
    // Noted before the answer: the receipt may overtake it.
    message.sentAt = clock.monotonic();
    if (!(await this.#append(message))) {
      await sleep(clock, retryMs);
      message.sentAt = null;
      if (message.open > 0) this.#unsent.push(message);
    }
    this.#inFlight.delete(message);
    if (this.#unsent.length > 0) await this.#flush();
  }

  /** False where it is not in the inbox: no server, or too many of ours wait there already. */
  async #append(message: Message): Promise<boolean> {
    const { agent, bus, mayCarry, mesh } = this.#options;
    try {
      if (message.carries && !mayCarry()) await this.#unload(message);
      const appended = await bus.append(streamsOf(mesh).inbox, subjectsOf(mesh).inbox(agent), message.bytes);
      return appended.kind === "appended";
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      return false;
    }
  }

  /** CARRY-3: a leader of before gets what it can read, once the mesh's store has the bytes. What lies in our own store stays as it is. */
  async #unload(message: Message): Promise<void> {
    const kept = parseReports(message.bytes);
    if (kept === null) throw new Error("broken invariant: a message of the outbox cannot be read again");
    for (const [digest, content] of kept.contents) await this.#options.unload(digest, content);
    message.bytes = writeReports(kept.batch, noContents);
    message.carries = false;
  }
}

/** An acceptance says nothing that an outcome of the same attempt does not say too; where both wait, one goes. */
function withoutOvertaken<T extends Item>(items: readonly T[]): readonly T[] {
  const ended = new Set<number>();
  for (const { report } of items) {
    if (report.kind === "finished" || report.kind === "stopped" || report.kind === "failed")
      ended.add(report.fence);
  }
  return items.filter(({ report }) => report.kind !== "accepted" || !ended.has(report.fence));
}
