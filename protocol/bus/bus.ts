// What the mesh needs of a message bus: core messages, request/reply, append-only streams, a work queue.
// nats-bus.ts is the real one; its twin in memory, held to the same contract suite, is the tests'.
// Not here: subjects (protocol/subjects.ts) and what the bytes mean; the bus carries bytes and nothing else.

export type Bytes = Uint8Array;

export interface Incoming {
  readonly subject: string;
  readonly data: Bytes;
  /** Answers a request. Does nothing where the sender did not ask for an answer. */
  respond(data: Bytes): void;
}

export interface Subscription {
  close(): void;
}

export type BusStatus = "connected" | "disconnected" | "closed";

/**
 * What a connection tells its owner. `disconnected` heals by itself (the client reconnects for ever, and
 * subscriptions and consumers go on); `closed` is final. `denied` does not end the connection: the server
 * refused one publish or subscription, named in `reason`.
 */
export type BusEvent =
  | { readonly kind: "connected" }
  | { readonly kind: "disconnected" }
  | { readonly kind: "closed"; readonly reason: string }
  | { readonly kind: "denied"; readonly reason: string }
  /** While disconnected: what answers there is not believed, and is asked again. */
  | { readonly kind: "untrusted"; readonly reason: string };

/** The reason of a `closed` event and of `closedReason()` when the server no longer accepts this user. */
export const credentialsRevoked = "credentials revoked";

export interface StreamSpec {
  readonly name: string;
  /** Subjects the stream stores; the wildcards `*` and `>` are allowed. */
  readonly subjects: readonly string[];
  /** The subjects the stream was created with stand, whatever a later spec says. */
  readonly keepSubjects?: boolean;
  /** `work-queue` keeps a message until a consumer acknowledges it. */
  readonly retention: "limits" | "work-queue";
  readonly maxAgeMs?: number;
  readonly maxBytes?: number;
  readonly maxMessagesPerSubject?: number;
  /** A larger message is refused, whoever sends it; what an append and the server add as headers counts. */
  readonly maxMessageBytes?: number;
  /**
   * Messages whose subject matches `from` are stored on `to` instead, in which `{{wildcard(1)}}` stands for what the first
   * `*` of `from` matched. Who listens hears them on their own subject.
   */
  readonly storedAs?: { readonly from: string; readonly to: string };
  /** What gives way at a limit: the oldest message (default), or the new one, which is then refused. */
  readonly discard?: "old" | "new";
  /** With `discard: 'new'` and `maxMessagesPerSubject`: refuse a message whose subject is full. */
  readonly discardNewPerSubject?: boolean;
  /** Needed by `getMessage`. */
  readonly allowDirect?: boolean;
  readonly replicas?: number;
  /**
   * Whether a message is on the disk before it counts as stored. `soon` is for what nothing is decided on: one copy
   * only, and what the server had not flushed when its power went is gone. A stream keeps what it was made with, and
   * a server that does not know `soon` (before 2.12) flushes each.
   */
  readonly flush?: "each" | "soon";
}

export interface Entry {
  /** Position in the stream; the first message has 1. */
  readonly sequence: number;
  readonly subject: string;
  readonly data: Bytes;
}

/** A message with when its stream took it, ms since the Unix epoch, by the server's clock. */
export interface DatedEntry extends Entry {
  readonly storedAt: number;
}

export interface Delivered extends Entry {
  /** Removes the message from the work queue. A lost ack means a redelivery, so handling must be idempotent. */
  ack(): void;
}

export type AppendResult =
  | { readonly kind: "appended"; readonly sequence: number }
  /** `expectLastSequence` is not the stream's last sequence: nothing was stored by this call. */
  | { readonly kind: "wrong-sequence" }
  /** The subject holds its `maxMessagesPerSubject` already (`discardNewPerSubject`): nothing was stored. */
  | { readonly kind: "already-there" };

export interface StreamState {
  /** Sequence of the oldest message kept; `lastSequence + 1` in an empty stream. */
  readonly firstSequence: number;
  /** Sequence of the newest message ever stored; 0 in a fresh stream. */
  readonly lastSequence: number;
}

/** What a stream held at one moment. */
export interface StreamCensus extends StreamState {
  /** By subject, how many messages. */
  readonly subjects: ReadonlyMap<string, number>;
  /** Of the whole stream, as the server stores it. */
  readonly bytes: number;
  /** When that was, ms since the Unix epoch, by the server's clock, as `DatedEntry.storedAt` is. */
  readonly at: number;
}

export interface ConsumeOptions {
  /** At most this many messages in one call of the handler. */
  readonly maxBatch: number;
  /** A message not acknowledged in this time is delivered again; 30 s where not given. */
  readonly ackWaitMs?: number;
}

/** How long a delivered message waits for its ack where `ConsumeOptions.ackWaitMs` is not given. */
export const defaultAckWaitMs = 30_000;

/** How long an append or another stream operation waits for the server's answer. */
export const streamTimeoutMs = 5_000;

export type BusErrorKind =
  /** Nobody listens on the subject of a request. */
  | "no-responders"
  /** Somebody listens, but did not answer in time. The request may have been carried out. */
  | "timeout"
  /** No answer from the server: it may or may not have done what was asked. Read back before deciding. */
  | "unavailable"
  /** The server refused this user, or refuses this user this subject. */
  | "denied"
  /** What answers is not the server it should be, or cannot be known as that: `UntrustedServer` says why. */
  | "untrusted"
  /** The server ignores a setting we rely on; the message names it. */
  | "server-too-old"
  /** The server refused a stream operation for the reason in the message: nothing was changed. */
  | "refused"
  /** There is no stream of that name. */
  | "no-stream"
  /** The stream is at its size limit and refuses new messages (`discard: 'new'`): nothing was stored. */
  | "stream-full"
  /** The connection was closed for good. */
  | "closed";

/** The one error a bus throws. `message` is one clear sentence; `kind` is what a caller branches on. */
export class BusError extends Error {
  readonly kind: BusErrorKind;

  constructor(kind: BusErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "BusError";
    this.kind = kind;
  }
}

export interface Bus {
  /** Core message, fire and forget: lost without a word where nobody listens or the server is away. */
  publish(subject: string, data: Bytes): void;

  /** One answer from one listener. Throws BusError `no-responders`, `timeout`, `unavailable` or `denied`. */
  request(subject: string, data: Bytes, timeoutMs: number): Promise<Bytes>;

  /**
   * Calls `handler` for every message, in the order of arrival; wildcards allowed. Subscribers with the same
   * `queue` share the messages. Lasts over reconnects. A handler that throws ends the process (a broken invariant).
   */
  subscribe(
    subject: string,
    handler: (message: Incoming) => void,
    options?: { readonly queue?: string },
  ): Subscription;

  status(): BusStatus;
  /** Why the connection is closed; undefined until it is. */
  closedReason(): string | undefined;
  /** Tells the listener each event from now on. Returns its removal. */
  onStatus(listener: (event: BusEvent) => void): () => void;

  /** Creates or updates the stream, then reads it back. Throws BusError `server-too-old` where a setting was dropped. */
  ensureStream(spec: StreamSpec): Promise<void>;

  /**
   * Stores one message and waits until it is durable. With `expectLastSequence` it is stored only directly after that
   * sequence (the fence). Throws BusError `unavailable` where the outcome is unknown: read back before trying again.
   * Needs permission on the subject and on the own inbox only.
   */
  append(
    stream: string,
    subject: string,
    data: Bytes,
    options?: { readonly expectLastSequence?: number },
  ): Promise<AppendResult>;

  /** The subjects the stream stores. Needs the stream API, which only coordinators may use. */
  streamSubjects(stream: string): Promise<readonly string[]>;

  /** As the stream's leader sees it. */
  streamState(stream: string): Promise<StreamState>;

  /**
   * Up to `limit` messages in order, starting at the first one at or after `fromSequence`; fewer only at the end,
   * [] past it. Sees every append acknowledged before the call.
   */
  readStream(stream: string, fromSequence: number, limit: number): Promise<readonly Entry[]>;

  /**
   * Up to `limit` of the messages on exactly this subject, in order, from the first at or after `fromSequence`; however many
   * others there are. Needs `allowDirect`, and may lag where there are replicas.
   */
  readSubject(
    stream: string,
    subject: string,
    fromSequence: number,
    limit: number,
  ): Promise<readonly DatedEntry[]>;

  /**
   * The newest message on exactly this subject, or null. Needs permission on `$JS.API.DIRECT.GET.<stream>.>` only, or on
   * the subject that stands for it in an account without streams.
   * On a cluster it may read a replica that lags: decide on the outcome of an append, never on a null from here.
   */
  getMessage(stream: string, subject: string): Promise<DatedEntry | null>;

  /**
   * Removes every stored message whose subject matches; the wildcards `*` and `>` are allowed. With `before` only those of a
   * lower sequence: what is stored meanwhile stays, however late the server comes to it. Needs the stream API.
   */
  removeMessages(stream: string, subject: string, before?: number): Promise<void>;

  /** The subjects on which something is stored, of those that match, and what the stream takes. Needs the stream API. */
  census(stream: string, subject: string): Promise<StreamCensus>;

  /**
   * Shares the work queue `stream` with everyone who consumes under the same `durable`. The next batch is asked for
   * when the handler's promise has resolved. A handler that rejects with a BusError leaves its unacknowledged
   * messages to redelivery; any other rejection ends the process.
   */
  consume(
    stream: string,
    durable: string,
    handler: (batch: readonly Delivered[]) => Promise<void>,
    options: ConsumeOptions,
  ): Promise<Subscription>;

  /** Sends what is still buffered and ends the connection: status `closed`. */
  close(): Promise<void>;
}
