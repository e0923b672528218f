// One stream of the in-memory hub: entries, limits, and work-queue consumers. Knows nothing of connections,
// delays or faults; those are the hub's. Follows what JetStream does, as far as the Bus interface shows it.

import type { Clock } from "../../../protocol/time/clock.ts";
import {
  defaultAckWaitMs,
  type AppendResult,
  type Bytes,
  type DatedEntry,
  type Entry,
  type StreamSpec,
  type StreamCensus,
  type StreamState,
} from "../../../protocol/bus/bus.ts";
import { matchesSubject } from "./subject-match.ts";

interface Kept extends Entry {
  readonly storedAtMs: number;
}

/** One client's request for messages; `deliver` is called at most once, `alive` says whether it still waits. */
export interface Pull {
  readonly max: number;
  readonly alive: () => boolean;
  readonly deliver: (batch: readonly Entry[]) => void;
}

class MemoryConsumer {
  ackWaitMs = defaultAckWaitMs;
  waiting: Pull[] = [];
  /** Sequence → cancel of its redelivery timer. */
  readonly inFlight = new Map<number, () => void>();
}

export class MemoryStream {
  spec: StreamSpec;
  readonly #clock: Clock;
  readonly #entries = new Map<number, Kept>();
  readonly #bySubject = new Map<string, number[]>();
  readonly #consumers = new Map<string, MemoryConsumer>();
  #lastSequence = 0;
  /** Up to here somebody has read, or was told that it is stored: it is on the disk. */
  #knownTo = 0;
  #bytes = 0;

  constructor(spec: StreamSpec, clock: Clock) {
    this.spec = spec;
    this.#clock = clock;
  }

  stores(subject: string): boolean {
    return this.spec.subjects.some((pattern) => matchesSubject(pattern, subject));
  }

  append(
    sentOn: string,
    data: Bytes,
    expectLastSequence: number | undefined,
  ): AppendResult | { readonly kind: "full" } | { readonly kind: "too-large" } {
    this.#expire();
    const { spec } = this;
    if (data.length > (spec.maxMessageBytes ?? Infinity)) return { kind: "too-large" };
    const subject = this.#storedOn(sentOn);
    if (expectLastSequence !== undefined && expectLastSequence !== this.#lastSequence)
      return { kind: "wrong-sequence" };
    const same = this.#bySubject.get(subject) ?? [];
    const subjectFull = spec.maxMessagesPerSubject !== undefined && same.length >= spec.maxMessagesPerSubject;
    if (subjectFull && spec.discard === "new" && spec.discardNewPerSubject === true) {
      // Whoever hears this counts on it.
      this.known(same.at(-1) ?? 0);
      return { kind: "already-there" };
    }
    const limitBytes = spec.maxBytes ?? Infinity;
    if (spec.discard === "new" && this.#bytes + data.length > limitBytes) return { kind: "full" };

    const sequence = ++this.#lastSequence;
    this.#entries.set(sequence, { sequence, subject, data, storedAtMs: this.#clock.now() });
    this.#bytes += data.length;
    const oldest = same[0];
    same.push(sequence);
    this.#bySubject.set(subject, same);
    if (subjectFull && oldest !== undefined) this.#remove(oldest);
    for (const kept of this.#entries.keys()) {
      if (this.#bytes <= limitBytes || kept === sequence) break;
      this.#remove(kept);
    }
    for (const consumer of this.#consumers.values()) this.#pump(consumer);
    return { kind: "appended", sequence };
  }

  #storedOn(subject: string): string {
    const { storedAs } = this.spec;
    if (storedAs === undefined || !matchesSubject(storedAs.from, subject)) return subject;
    const tokens = subject.split(".");
    const wild = storedAs.from.split(".").flatMap((token, at) => (token === "*" ? [tokens[at] ?? ""] : []));
    return storedAs.to.replaceAll(/\{\{wildcard\((\d+)\)\}\}/g, (_, place) => wild[Number(place) - 1] ?? "");
  }

  state(): StreamState {
    this.#expire();
    const [first] = this.#entries.keys();
    return { firstSequence: first ?? this.#lastSequence + 1, lastSequence: this.#lastSequence };
  }

  read(fromSequence: number, limit: number): readonly Entry[] {
    const { firstSequence, lastSequence } = this.state();
    const found: Entry[] = [];
    this.known(Math.min(lastSequence, fromSequence + limit - 1));
    for (let at = Math.max(fromSequence, firstSequence); at <= lastSequence && found.length < limit; at++) {
      const kept = this.#entries.get(at);
      if (kept !== undefined) found.push({ sequence: at, subject: kept.subject, data: kept.data });
    }
    return found;
  }

  readSubject(subject: string, fromSequence: number, limit: number): readonly DatedEntry[] {
    this.#expire();
    const sequences = (this.#bySubject.get(subject) ?? []).filter((sequence) => sequence >= fromSequence);
    return sequences.slice(0, limit).flatMap((sequence) => {
      const kept = this.#entries.get(sequence);
      return kept === undefined ? [] : [{ sequence, subject, data: kept.data, storedAt: kept.storedAtMs }];
    });
  }

  lastOf(subject: string): DatedEntry | null {
    this.#expire();
    const kept = this.#entries.get(this.#bySubject.get(subject)?.at(-1) ?? 0);
    this.known(kept?.sequence ?? 0);
    return kept === undefined
      ? null
      : { sequence: kept.sequence, subject, data: kept.data, storedAt: kept.storedAtMs };
  }

  removeMatching(pattern: string, before: number): void {
    for (const { sequence, subject } of [...this.#entries.values()])
      if (sequence < before && matchesSubject(pattern, subject)) this.#remove(sequence);
  }

  census(pattern: string): StreamCensus {
    const subjects = new Map(
      [...this.#bySubject].flatMap(([subject, of]) =>
        matchesSubject(pattern, subject) ? [[subject, of.length] as const] : [],
      ),
    );
    // Whoever hears of them counts on them.
    this.known(this.#lastSequence);
    return { ...this.state(), subjects, bytes: this.#bytes, at: this.#clock.now() };
  }

  /** Forgets the newest `count` messages, sequence included: a server that lost what it had not synced. */
  loseTail(count: number): void {
    const keep = Math.max(0, this.#lastSequence - count);
    for (let at = this.#lastSequence; at > keep; at--) this.#remove(at);
    this.#lastSequence = keep;
    this.#knownTo = Math.min(this.#knownTo, keep);
  }

  /** What lies there is other bytes now, or with null nothing, as on a damaged disk; the counts stay. */
  damage(sequence: number, data: Bytes | null): void {
    const entry = this.#entries.get(sequence);
    if (entry === undefined) return;
    if (data === null) this.#entries.delete(sequence);
    else this.#entries.set(sequence, { ...entry, data });
  }

  /** Somebody knows of this message: it, and what came before it, is on the disk by now. */
  known(sequence: number): void {
    this.#knownTo = Math.max(this.#knownTo, sequence);
  }

  loseUnknown(): void {
    this.loseTail(Math.max(0, this.#lastSequence - this.#knownTo));
  }

  /** False where it is not there. */
  setAside(sequence: number): boolean {
    const isThere = this.#entries.has(sequence);
    this.#remove(sequence);
    return isThere;
  }

  ensureConsumer(durable: string, ackWaitMs: number): void {
    const consumer = this.#consumers.get(durable) ?? new MemoryConsumer();
    consumer.ackWaitMs = ackWaitMs;
    this.#consumers.set(durable, consumer);
  }

  pull(durable: string, pull: Pull): void {
    const consumer = this.#consumers.get(durable);
    if (consumer === undefined) return;
    consumer.waiting.push(pull);
    this.#pump(consumer);
  }

  ack(durable: string, sequence: number): void {
    const consumer = this.#consumers.get(durable);
    consumer?.inFlight.get(sequence)?.();
    consumer?.inFlight.delete(sequence);
    this.#remove(sequence);
  }

  #pump(consumer: MemoryConsumer): void {
    consumer.waiting = consumer.waiting.filter((pull) => pull.alive());
    while (consumer.waiting.length > 0) {
      const [pull] = consumer.waiting;
      const batch: Entry[] = [];
      for (const { sequence, subject, data } of this.#entries.values()) {
        if (pull === undefined || batch.length >= pull.max) break;
        if (!consumer.inFlight.has(sequence)) batch.push({ sequence, subject, data });
      }
      if (batch.length === 0) return;
      for (const { sequence } of batch) {
        const cancel = this.#clock.setTimer(consumer.ackWaitMs, () => {
          consumer.inFlight.delete(sequence);
          this.#pump(consumer);
        });
        consumer.inFlight.set(sequence, cancel);
        this.known(sequence);
      }
      consumer.waiting.shift();
      pull?.deliver(batch);
    }
  }

  #expire(): void {
    if (this.spec.maxAgeMs === undefined) return;
    const oldest = this.#clock.now() - this.spec.maxAgeMs;
    for (const kept of this.#entries.values()) {
      if (kept.storedAtMs > oldest) break;
      this.#remove(kept.sequence);
    }
  }

  #remove(sequence: number): void {
    const kept = this.#entries.get(sequence);
    if (kept === undefined) return;
    this.#entries.delete(sequence);
    this.#bytes -= kept.data.length;
    const same = this.#bySubject.get(kept.subject) ?? [];
    same.splice(same.indexOf(sequence), 1);
    if (same.length === 0) this.#bySubject.delete(kept.subject);
    for (const consumer of this.#consumers.values()) {
      consumer.inFlight.get(sequence)?.();
      consumer.inFlight.delete(sequence);
    }
  }
}
