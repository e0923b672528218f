// One client of the in-memory hub: the Bus as a process sees it. What travels, when, and what gets lost on the
// way is decided in memory-hub.ts; this file keeps what a client library keeps (subscriptions, open requests).

import type { Clock } from "../../../protocol/time/clock.ts";
import {
  BusError,
  credentialsRevoked,
  defaultAckWaitMs,
  streamTimeoutMs,
  type AppendResult,
  type Bus,
  type BusEvent,
  type BusStatus,
  type Bytes,
  type ConsumeOptions,
  type Delivered,
  type DatedEntry,
  type Entry,
  type Incoming,
  type StreamSpec,
  type StreamCensus,
  type StreamState,
  type Subscription,
} from "../../../protocol/bus/bus.ts";
import type { MemoryStream } from "./memory-stream.ts";
import { throwLater } from "../../../protocol/bus/throw-later.ts";

/** A subscription as the hub sees it. */
export interface MemorySubscription {
  readonly subject: string;
  readonly queue: string | undefined;
  receive(message: Incoming): void;
}

/** What a client asks of its hub. Every `answer` may come never, once, or after the client was cut off. */
export interface HubPort {
  readonly clock: Clock;
  publish(from: MemoryBus, subject: string, data: Bytes): void;
  request(
    from: MemoryBus,
    subject: string,
    data: Bytes,
    answer: (reply: Bytes | "no-responders") => void,
  ): void;
  append(
    from: MemoryBus,
    message: {
      readonly stream: string;
      readonly subject: string;
      readonly data: Bytes;
      readonly expect: number | undefined;
    },
    answer: (result: AppendResult | BusError) => void,
  ): void;
  /** Runs `work` at the hub and brings its result back. */
  call<T>(from: MemoryBus, work: () => T, answer: (result: T | BusError) => void): void;
  /** Runs `work` at the hub; with `mayLose` it is subject to the loss of acks. */
  send(from: MemoryBus, work: () => void, mayLose: boolean): void;
  stream(name: string): MemoryStream;
  ensureStream(spec: StreamSpec): void;
  pull(
    from: MemoryBus,
    stream: string,
    durable: string,
    max: number,
    answer: (batch: readonly Entry[]) => void,
  ): void;
  subscribed(from: MemoryBus, subscription: MemorySubscription): void;
  unsubscribed(from: MemoryBus, subscription: MemorySubscription): void;
  left(from: MemoryBus): void;
}

interface Consumption {
  busy: boolean;
  closed: boolean;
  pull(): void;
}

export class MemoryBus implements Bus {
  readonly name: string;
  readonly #hub: HubPort;
  readonly #listeners = new Set<(event: BusEvent) => void>();
  readonly #subscriptions = new Set<MemorySubscription>();
  readonly #consumptions = new Set<Consumption>();
  /** What to call when the connection goes while an answer is awaited. */
  readonly #awaiting = new Set<(error: BusError) => void>();
  #status: BusStatus = "disconnected";
  #reason: string | undefined;

  constructor(name: string, hub: HubPort) {
    this.name = name;
    this.#hub = hub;
  }

  publish(subject: string, data: Bytes): void {
    if (this.#status === "connected") this.#hub.publish(this, subject, Uint8Array.from(data));
  }

  request(subject: string, data: Bytes, timeoutMs: number): Promise<Bytes> {
    const late = () => new BusError("timeout", `No answer on ${subject} within ${timeoutMs} ms.`);
    return this.#answered<Bytes>(timeoutMs, late, (settle) => {
      this.#hub.request(this, subject, Uint8Array.from(data), (reply) => {
        settle(
          reply === "no-responders" ? new BusError("no-responders", `Nobody listens on ${subject}.`) : reply,
        );
      });
    });
  }

  subscribe(
    subject: string,
    handler: (message: Incoming) => void,
    options: { readonly queue?: string } = {},
  ): Subscription {
    let open = true;
    const subscription: MemorySubscription = {
      subject,
      queue: options.queue,
      receive(message) {
        if (!open) return;
        try {
          handler(message);
        } catch (error) {
          throwLater(error);
        }
      },
    };
    this.#subscriptions.add(subscription);
    if (this.#status === "connected") this.#hub.subscribed(this, subscription);
    return {
      close: () => {
        if (!open) return;
        open = false;
        this.#subscriptions.delete(subscription);
        this.#hub.unsubscribed(this, subscription);
      },
    };
  }

  status(): BusStatus {
    return this.#status;
  }

  closedReason(): string | undefined {
    return this.#reason;
  }

  onStatus(listener: (event: BusEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  ensureStream(spec: StreamSpec): Promise<void> {
    return this.#call(() => this.#hub.ensureStream(spec));
  }

  append(
    stream: string,
    subject: string,
    data: Bytes,
    options: { readonly expectLastSequence?: number } = {},
  ): Promise<AppendResult> {
    const message = { stream, subject, data: Uint8Array.from(data), expect: options.expectLastSequence };
    return this.#answered<AppendResult>(
      streamTimeoutMs,
      () => this.#unknown(),
      (settle) => {
        this.#hub.append(this, message, settle);
      },
    );
  }

  streamSubjects(stream: string): Promise<readonly string[]> {
    return this.#call(() => this.#hub.stream(stream).spec.subjects);
  }

  streamState(stream: string): Promise<StreamState> {
    return this.#call(() => this.#hub.stream(stream).state());
  }

  readStream(stream: string, fromSequence: number, limit: number): Promise<readonly Entry[]> {
    return this.#call(() => this.#hub.stream(stream).read(fromSequence, limit));
  }

  readSubject(
    stream: string,
    subject: string,
    fromSequence: number,
    limit: number,
  ): Promise<readonly DatedEntry[]> {
    return this.#call(() => this.#hub.stream(stream).readSubject(subject, fromSequence, limit));
  }

  getMessage(stream: string, subject: string): Promise<DatedEntry | null> {
    return this.#call(() => this.#hub.stream(stream).lastOf(subject));
  }

  removeMessages(stream: string, subject: string, before = Infinity): Promise<void> {
    return this.#call(() => this.#hub.stream(stream).removeMatching(subject, before));
  }

  census(stream: string, subject: string): Promise<StreamCensus> {
    return this.#call(() => this.#hub.stream(stream).census(subject));
  }

  async consume(
    stream: string,
    durable: string,
    handler: (batch: readonly Delivered[]) => Promise<void>,
    options: ConsumeOptions,
  ): Promise<Subscription> {
    const ackWaitMs = options.ackWaitMs ?? defaultAckWaitMs;
    await this.#call(() => this.#hub.stream(stream).ensureConsumer(durable, ackWaitMs));

    const ackOf = (sequence: number) => (): void => {
      this.#hub.send(this, () => this.#hub.stream(stream).ack(durable, sequence), true);
    };
    const run = async (batch: readonly Entry[]): Promise<void> => {
      if (state.closed) return;
      state.busy = true;
      try {
        await handler(batch.map((entry) => ({ ...entry, ack: ackOf(entry.sequence) })));
      } catch (error) {
        if (!(error instanceof BusError)) throwLater(error);
      }
      state.busy = false;
      state.pull();
    };
    const state: Consumption = {
      busy: false,
      closed: false,
      pull: () => {
        if (state.closed || state.busy || this.#status !== "connected") return;
        this.#hub.pull(this, stream, durable, options.maxBatch, (batch) => void run(batch));
      },
    };
    this.#consumptions.add(state);
    state.pull();
    return {
      close: () => {
        state.closed = true;
        this.#consumptions.delete(state);
      },
    };
  }

  async close(): Promise<void> {
    this.end("closed by its owner");
  }

  // What the hub tells its client.

  /** The hub accepts this client (again): everything it had asked for is asked for anew. */
  connected(): void {
    if (this.#status !== "disconnected") return;
    this.#status = "connected";
    for (const subscription of this.#subscriptions) this.#hub.subscribed(this, subscription);
    for (const consumption of this.#consumptions) consumption.pull();
    this.#tell({ kind: "connected" });
  }

  /** The connection went: answers still awaited will not come. */
  disconnected(): void {
    if (this.#status !== "connected") return;
    this.#status = "disconnected";
    this.#giveUp(this.#unknown());
    this.#tell({ kind: "disconnected" });
  }

  end(reason: string): void {
    if (this.#status === "closed") return;
    this.#status = "closed";
    this.#reason = reason;
    for (const consumption of this.#consumptions) consumption.closed = true;
    this.#hub.left(this);
    this.#giveUp(this.#gone());
    this.#tell({ kind: "closed", reason });
  }

  #call<T>(work: () => T): Promise<T> {
    return this.#answered<T>(
      streamTimeoutMs,
      () => this.#unknown(),
      (settle) => this.#hub.call(this, work, settle),
    );
  }

  #answered<T>(
    timeoutMs: number,
    late: () => BusError,
    ask: (settle: (result: T | BusError) => void) => void,
  ): Promise<T> {
    if (this.#status === "closed") return Promise.reject(this.#gone());
    if (this.#status === "disconnected") return Promise.reject(this.#unknown());
    return new Promise((resolve, reject) => {
      const settle = (result: T | BusError): void => {
        if (!this.#awaiting.delete(settle)) return;
        cancel();
        if (result instanceof BusError) reject(result);
        else resolve(result);
      };
      this.#awaiting.add(settle);
      const cancel = this.#hub.clock.setTimer(timeoutMs, () => settle(late()));
      ask(settle);
    });
  }

  #giveUp(error: BusError): void {
    for (const settle of [...this.#awaiting]) settle(error);
  }

  #unknown(): BusError {
    return new BusError("unavailable", `The message server did not answer ${this.name}.`);
  }

  #gone(): BusError {
    const denied = this.#reason === credentialsRevoked;
    return new BusError(
      denied ? "denied" : "closed",
      `The connection of ${this.name} is closed: ${this.#reason ?? ""}.`,
    );
  }

  #tell(event: BusEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
