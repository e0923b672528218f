// The in-memory message server of the simulation and of the tests: routes, delays, loses, repeats and reorders
// under one seed and one injected clock. No timer, date or random of its own, so a run repeats exactly.

import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

import type { Clock } from "../../../protocol/time/clock.ts";
import {
  BusError,
  credentialsRevoked,
  type AppendResult,
  type Bytes,
  type Entry,
  type StreamSpec,
} from "../../../protocol/bus/bus.ts";
import { MemoryBus, type HubPort, type MemorySubscription } from "./memory-bus.ts";
import { MemoryStream } from "./memory-stream.ts";
import { matchesSubject } from "./subject-match.ts";

/** What goes wrong, and how often. Probabilities are 0..1 for each message; times are of the injected clock. */
export interface MemoryFaults {
  /** Least and most milliseconds of one way between a client and the hub. */
  readonly delayMs: readonly [number, number];
  /** A core message (publish, request or reply) never reaches one receiver. */
  readonly loss: number;
  /** A core message reaches one receiver twice. */
  readonly duplication: number;
  /** A core message may overtake another on its last way. */
  readonly reorder: boolean;
  /** An append never reaches the stream: the client gets `unavailable`. */
  readonly lostAppend: number;
  /** The answer to an append, or the ack of a delivered message, never arrives (though the append happened). */
  readonly lostAck: number;
  /** An append is refused because the stream, or the sender's share of it, is full. */
  readonly full: number;
}

export const noFaults: MemoryFaults = {
  delayMs: [0, 0],
  loss: 0,
  duplication: 0,
  reorder: false,
  lostAppend: 0,
  lostAck: 0,
  full: 0,
};

/** How long a client takes to come back once the hub takes it again, at most. */
export const memoryReconnectMs = 500;

interface Line {
  readonly bus: MemoryBus;
  readonly subscriptions: Set<MemorySubscription>;
  /** Grows with every connection; what was on its way in an older one is lost. */
  session: number;
  connected: boolean;
  partitioned: boolean;
  /** When the last message of each direction arrives: the next one never arrives before it. */
  upMs: number;
  downMs: number;
}

export interface MemoryHubOptions {
  readonly clock: Clock;
  readonly seed: number;
  readonly faults?: Partial<MemoryFaults>;
}

export class MemoryHub implements HubPort {
  readonly clock: Clock;
  /** May be replaced at any time; counts from the next message on. */
  faults: MemoryFaults;
  readonly #random: RandomGenerator;
  readonly #lines = new Map<MemoryBus, Line>();
  readonly #streams = new Map<string, MemoryStream>();
  #up = true;

  constructor(options: MemoryHubOptions) {
    this.clock = options.clock;
    this.faults = { ...noFaults, ...options.faults };
    this.#random = xoroshiro128plus(options.seed);
  }

  /** A new client. While the hub is stopped it starts out disconnected and connects by itself later. */
  connect(name: string): MemoryBus {
    const bus = new MemoryBus(name, this);
    const line: Line = {
      bus,
      subscriptions: new Set(),
      session: 0,
      connected: false,
      partitioned: false,
      upMs: 0,
      downMs: 0,
    };
    this.#lines.set(bus, line);
    if (this.#up) this.#join(line);
    return bus;
  }

  /** The server goes down, as by kill -9: everyone is cut off, what streams and consumers hold stays. */
  stop(): void {
    this.#up = false;
    for (const line of [...this.#lines.values()]) this.#cut(line);
  }

  /** As by a power cut: like `stop`, and of each stream the newest messages that nobody has heard of were never there. */
  crash(): void {
    this.stop();
    for (const stream of this.#streams.values()) stream.loseUnknown();
  }

  /** The server found a stream's messages damaged and has put one in so many aside; returns how many. None, where nobody has made it yet. */
  setAside(stream: string, share: number): number {
    const kept = this.#streams.get(stream);
    if (kept === undefined) return 0;
    const { firstSequence, lastSequence } = kept.state();
    let count = 0;
    for (let at = firstSequence; at <= lastSequence; at++)
      if (this.#chance(share) && kept.setAside(at)) count++;
    return count;
  }

  start(): void {
    this.#up = true;
    for (const line of this.#lines.values()) this.#joinSoon(line);
  }

  /** Cuts one client off for an instant; it comes back by itself. */
  disconnect(name: string): void {
    for (const line of this.#named(name)) {
      this.#cut(line);
      this.#joinSoon(line);
    }
  }

  /** Cuts one client off until `heal`. */
  partition(name: string): void {
    for (const line of this.#named(name)) {
      line.partitioned = true;
      this.#cut(line);
    }
  }

  heal(name: string): void {
    for (const line of this.#named(name)) {
      line.partitioned = false;
      this.#joinSoon(line);
    }
  }

  /** Ends one client for good, as the revocation of its credentials does. */
  revoke(name: string): void {
    for (const line of this.#named(name)) line.bus.end(credentialsRevoked);
  }

  /** A server that lost what it had not synced: the newest `count` messages of a stream were never there. */
  loseTail(stream: string, count: number): void {
    this.stream(stream).loseTail(count);
  }

  /** One of its stored messages is damaged on the disk: see `MemoryStream`. */
  damage(stream: string, sequence: number, data: Bytes | null): void {
    this.stream(stream).damage(sequence, data);
  }

  /** Somebody deletes the stream, or its folder. */
  deleteStream(stream: string): void {
    this.#streams.delete(stream);
  }

  // What a client asks (HubPort).

  publish(from: MemoryBus, subject: string, data: Bytes): void {
    this.#rise(from, () => {
      this.#streamOf(subject)?.append(subject, data, undefined);
      this.#route(subject, data, () => undefined);
    });
  }

  request(
    from: MemoryBus,
    subject: string,
    data: Bytes,
    answer: (reply: Bytes | "no-responders") => void,
  ): void {
    this.#rise(from, () => {
      const reached = this.#route(subject, data, (responder, reply) => {
        this.#rise(responder, () => this.#core(from, () => answer(reply)));
      });
      if (reached === 0) this.#fall(from, () => answer("no-responders"));
    });
  }

  append(
    from: MemoryBus,
    message: {
      readonly stream: string;
      readonly subject: string;
      readonly data: Bytes;
      readonly expect: number | undefined;
    },
    answer: (result: AppendResult | BusError) => void,
  ): void {
    if (this.#chance(this.faults.lostAppend)) return;
    this.#rise(from, () => {
      const stream = this.#streamOf(message.subject);
      const isFull = this.#chance(this.faults.full);
      const result = isFull ? fullResult : stream?.append(message.subject, message.data, message.expect);
      if (!isFull) this.#route(message.subject, message.data, () => undefined);
      if (this.#chance(this.faults.lostAck)) return;
      this.#fall(from, () => {
        if (result?.kind === "appended") stream?.known(result.sequence);
        answer(outcome(message.stream, message.subject, stream?.spec.name, result));
      });
    });
  }

  call<T>(from: MemoryBus, work: () => T, answer: (result: T | BusError) => void): void {
    this.#rise(from, () => {
      let result: T | BusError;
      try {
        result = work();
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        result = error;
      }
      this.#fall(from, () => answer(result));
    });
  }

  send(from: MemoryBus, work: () => void, mayLose: boolean): void {
    if (mayLose && this.#chance(this.faults.lostAck)) return;
    this.#rise(from, work);
  }

  pull(
    from: MemoryBus,
    stream: string,
    durable: string,
    max: number,
    answer: (batch: readonly Entry[]) => void,
  ): void {
    const session = this.#lines.get(from)?.session;
    const alive = (): boolean => {
      const line = this.#lines.get(from);
      return line !== undefined && line.connected && line.session === session;
    };
    this.#rise(from, () => {
      this.stream(stream).pull(durable, {
        max,
        alive,
        deliver: (batch) => this.#fall(from, () => answer(batch)),
      });
    });
  }

  stream(name: string): MemoryStream {
    const stream = this.#streams.get(name);
    if (stream === undefined) throw new BusError("no-stream", `There is no stream ${name}.`);
    return stream;
  }

  ensureStream(spec: StreamSpec): void {
    const stream = this.#streams.get(spec.name);
    if (stream === undefined) this.#streams.set(spec.name, new MemoryStream(spec, this.clock));
    else stream.spec = spec.keepSubjects === true ? { ...spec, subjects: stream.spec.subjects } : spec;
  }

  subscribed(from: MemoryBus, subscription: MemorySubscription): void {
    this.#rise(from, () => this.#lines.get(from)?.subscriptions.add(subscription));
  }

  unsubscribed(from: MemoryBus, subscription: MemorySubscription): void {
    this.#rise(from, () => this.#lines.get(from)?.subscriptions.delete(subscription));
  }

  left(from: MemoryBus): void {
    this.#lines.delete(from);
  }

  // Routing.

  /** Hands a core message to each plain subscriber and to one of each queue group; returns how many. */
  #route(subject: string, data: Bytes, respond: (responder: MemoryBus, reply: Bytes) => void): number {
    const groups = new Map<string, [MemoryBus, MemorySubscription][]>();
    const receivers: [MemoryBus, MemorySubscription][] = [];
    for (const line of this.#lines.values()) {
      for (const subscription of line.subscriptions) {
        if (!matchesSubject(subscription.subject, subject)) continue;
        if (subscription.queue === undefined) {
          receivers.push([line.bus, subscription]);
          continue;
        }
        const key = `${subscription.queue} ${subscription.subject}`;
        groups.set(key, [...(groups.get(key) ?? []), [line.bus, subscription]]);
      }
    }
    for (const members of groups.values()) {
      const chosen = members[Math.floor(uniformFloat64(this.#random) * members.length)];
      if (chosen !== undefined) receivers.push(chosen);
    }
    for (const [bus, subscription] of receivers) {
      this.#core(bus, () => {
        subscription.receive({ subject, data, respond: (reply) => respond(bus, Uint8Array.from(reply)) });
      });
    }
    return receivers.length;
  }

  /** The last way of a core message, with its faults. */
  #core(to: MemoryBus, run: () => void): void {
    if (this.#chance(this.faults.loss)) return;
    this.#fall(to, run, this.faults.reorder);
    if (this.#chance(this.faults.duplication)) this.#fall(to, run, this.faults.reorder);
  }

  #rise(from: MemoryBus, run: () => void): void {
    const line = this.#lines.get(from);
    if (line === undefined || !line.connected) return;
    line.upMs = Math.max(line.upMs, this.clock.monotonic() + this.#delay());
    this.#arrive(line, line.upMs, run);
  }

  #fall(to: MemoryBus, run: () => void, overtakes = false): void {
    const line = this.#lines.get(to);
    if (line === undefined || !line.connected) return;
    const atMs = this.clock.monotonic() + this.#delay();
    if (overtakes) return this.#arrive(line, atMs, run);
    line.downMs = Math.max(line.downMs, atMs);
    this.#arrive(line, line.downMs, run);
  }

  #arrive(line: Line, atMs: number, run: () => void): void {
    const { session } = line;
    this.clock.setTimer(atMs - this.clock.monotonic(), () => {
      if (line.connected && line.session === session && this.#lines.has(line.bus)) run();
    });
  }

  #delay(): number {
    const [least, most] = this.faults.delayMs;
    return least === most ? least : least + uniformFloat64(this.#random) * (most - least);
  }

  #chance(probability: number): boolean {
    return probability > 0 && uniformFloat64(this.#random) < probability;
  }

  // Connections.

  #named(name: string): Line[] {
    return [...this.#lines.values()].filter((line) => line.bus.name === name);
  }

  #cut(line: Line): void {
    if (!line.connected) return;
    line.connected = false;
    line.subscriptions.clear();
    line.bus.disconnected();
  }

  #joinSoon(line: Line): void {
    this.clock.setTimer(uniformFloat64(this.#random) * memoryReconnectMs, () => {
      if (this.#up && !line.partitioned && !line.connected && this.#lines.has(line.bus)) this.#join(line);
    });
  }

  #join(line: Line): void {
    line.connected = true;
    line.session += 1;
    line.upMs = 0;
    line.downMs = 0;
    line.bus.connected();
  }

  #streamOf(subject: string): MemoryStream | undefined {
    return [...this.#streams.values()].find((stream) => stream.stores(subject));
  }
}

const fullResult = { kind: "full" } as const;

function outcome(
  wanted: string,
  subject: string,
  found: string | undefined,
  result: AppendResult | { readonly kind: "full" } | { readonly kind: "too-large" } | undefined,
): AppendResult | BusError {
  if (result === undefined) return new BusError("unavailable", `No stream stores ${subject}.`);
  if (found !== wanted)
    return new BusError("no-stream", `${subject} belongs to stream ${found ?? ""}, not to ${wanted}.`);
  if (result.kind === "too-large")
    return new BusError("refused", `Stream ${wanted} takes no message of that size.`);
  if (result.kind === "full")
    return new BusError("stream-full", `Stream ${wanted} is full and takes no new messages.`);
  return result;
}
