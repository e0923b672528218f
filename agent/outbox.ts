/**
 * What an agent has to say and must not lose: written to its own store first, then to the mesh's inbox,
 * and kept until the coordinator's receipt. OUTBOX-1: nothing is sent that would not survive our own end.
 */
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { sleep, type Clock } from "../protocol/clock.ts";
import { toBytes } from "../protocol/json-bytes.ts";
import { reportSchema, type Report, type ReportBatch } from "../protocol/report.ts";
import { streamsOf, subjectsOf } from "../protocol/subjects.ts";
import type { Store } from "../store/store.ts";

const reportsPerMessageMax = 200;
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
  /** The store refuses to keep what must not be lost: the agent cannot go on. */
  readonly onError: (error: unknown) => void;
}

interface Item {
  readonly id: string;
  readonly report: Report;
  stored: boolean;
}

export class Outbox {
  readonly #options: OutboxOptions;
  /** Not yet in the mesh's inbox. */
  #unsent: Item[] = [];
  /** In the inbox, not yet receipted: when they were sent, monotonic ms. */
  readonly #unreceipted = new Map<string, { report: Report; sentAt: number }>();
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
      const parsed = reportSchema.safeParse(value);
      if (parsed.success)
        this.#unsent.push({ id: key.slice(prefix.length), report: parsed.data, stored: true });
    }
    this.#flush().catch(this.#options.onError);
  }

  add(report: Report): void {
    const id = `${this.#options.agent}.${this.#options.incarnation}.${String(this.#next++).padStart(9, "0")}`;
    this.#unsent.push({ id, report, stored: false });
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
      this.#unreceipted.delete(id);
      this.#forgettable.push(prefix + id);
    }
    this.#forgetLater();
    if (this.size === 0) for (const resolve of this.#emptied.splice(0)) resolve();
  }

  get size(): number {
    return this.#unsent.length + this.#unreceipted.size;
  }

  /** Sends again what has waited too long for its receipt. */
  resend(): void {
    const before = this.#options.clock.monotonic() - receiptPatienceMs;
    for (const [id, { report, sentAt }] of this.#unreceipted) {
      if (sentAt > before) continue;
      this.#unreceipted.delete(id);
      this.#unsent.push({ id, report, stored: true });
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
      while (this.#unsent.length > 0 && !this.#closed)
        await this.#send(this.#unsent.slice(0, reportsPerMessageMax));
    } finally {
      this.#flushing = false;
    }
  }

  async #send(batch: readonly Item[]): Promise<void> {
    const { agent, bus, clock, incarnation, mesh, store } = this.#options;
    const fresh = batch.filter(({ stored }) => !stored);
    if (fresh.length > 0) {
      const put = fresh.map(({ id, report }) => [prefix + id, report] as const);
      await store.write({ put, remove: this.#forgettable.splice(0) });
      for (const item of fresh) item.stored = true;
    }
    const message: ReportBatch = { incarnation, reports: batch.map(({ id, report }) => ({ id, report })) };
    const sentAt = clock.monotonic();
    // Noted before the answer: the receipt may overtake it.
    for (const { id, report } of batch) this.#unreceipted.set(id, { report, sentAt });
    try {
      await bus.append(streamsOf(mesh).inbox, subjectsOf(mesh).inbox(agent), toBytes(message));
      this.#unsent = this.#unsent.slice(batch.length);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      for (const { id } of batch) this.#unreceipted.delete(id);
      await sleep(clock, retryMs);
    }
  }
}
