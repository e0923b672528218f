// The Bus over NATS: one connection, its status, and what is answered when it goes. Stream operations and
// consuming are in the files beside this one. Starting a server is not here.

import type { JetStreamManager } from "@nats-io/jetstream";
import {
  connect,
  credsAuthenticator,
  errors,
  type ConnectionOptions,
  type Msg,
  type NatsConnection,
} from "@nats-io/transport-node";

import {
  BusError,
  credentialsRevoked,
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
} from "./bus.ts";
import type { BusTls, UntrustedServer } from "./bus-tls.ts";
import { consumeNats, type NatsConsumption } from "./nats-consume.ts";
import { isRefusedUser, requestFailure } from "./nats-error.ts";
import {
  appendNats,
  ensureNatsStream,
  getNatsMessage,
  natsCensus,
  natsStreamState,
  natsStreamSubjects,
  openStreams,
  readNatsStream,
  readNatsSubject,
  removeNatsMessages,
} from "./nats-stream.ts";
import { throwLater } from "./throw-later.ts";

const pingIntervalMs = 10_000;
const reconnectWaitMs = 250;
const reconnectJitterMs = 250;
/** How long one attempt to connect may take. */
const connectTimeoutMs = 5_000;
/** How long `close` waits for buffered messages to leave. */
const flushTimeoutMs = 2_000;
/** After a refusal, until it is asked anew whether it stands. */
const askAgainMs = 5_000;
/** How long a connection stays away before it is looked whether the server is still believed. */
const lookAgainMs = 5_000;
/** So many refusals in a row, with no connection between, and the user counts as revoked. */
const refusalsUntilClosed = 2;

export interface NatsBusOptions {
  /** `host:port` or URLs; more than one for a cluster. */
  readonly servers: readonly string[] | string;
  /** The text of a .creds file; without it the server must take anyone. */
  readonly creds?: string;
  /** Shown by the server's own monitoring. */
  readonly name: string;
  /** Replies come here (`<prefix>.>`); the user needs the right to subscribe to it. */
  readonly inboxPrefix: string;
  /** Where a stored message is asked for by its subject; without it at the stream itself, as its interface has it. */
  readonly readSubject?: (subject: string) => string;
  /** Do not deliver this client's messages to its own subscriptions. */
  readonly noEcho?: boolean;
  /** Wait for a server that is not there yet, for ever. Refused credentials end the wait, and so does a server that is not believed. */
  readonly waitOnFirstConnect?: boolean;
  /** Left out: without TLS, or as the server asks for it. */
  readonly tls?: BusTls | null;
  /** Looks, after a connection that did not come about, whether it is the server that is not believed. */
  readonly untrusted?: () => Promise<UntrustedServer | null>;
}

/** Throws BusError `denied` for refused credentials, `untrusted` for another's server, `unavailable` where none answers. */
export async function connectBus(options: NatsBusOptions): Promise<Bus> {
  const settings: ConnectionOptions = {
    servers: typeof options.servers === "string" ? options.servers : [...options.servers],
    name: options.name,
    inboxPrefix: options.inboxPrefix,
    noEcho: options.noEcho ?? false,
    noAsyncTraces: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: reconnectWaitMs,
    reconnectJitter: reconnectJitterMs,
    pingInterval: pingIntervalMs,
    timeout: connectTimeoutMs,
    // The client would give up after two slow handshakes as well; counting refusals here tells them apart.
    ignoreAuthErrorAbort: true,
    ...(options.creds === undefined ? {} : { authenticator: authenticatorOf(options.creds) }),
    ...(options.tls === undefined || options.tls === null ? {} : { tls: options.tls }),
  };
  for (;;) {
    try {
      const nc = await connect(settings);
      return new NatsBus(nc, await openStreams(nc), options, settings);
    } catch (error) {
      const where = String(options.servers);
      if (isRefusedUser(error)) {
        throw new BusError(
          "denied",
          `The message server at ${where} refused the credentials of ${options.name}.`,
          {
            cause: error,
          },
        );
      }
      // Silence is no reason to ask once more.
      const untrusted = error instanceof errors.TimeoutError ? null : await options.untrusted?.();
      if (untrusted instanceof BusError) throw untrusted;
      if (options.waitOnFirstConnect !== true) {
        throw new BusError("unavailable", `No message server answers at ${where}.`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, reconnectWaitMs));
    }
  }
}

function authenticatorOf(creds: string): ReturnType<typeof credsAuthenticator> {
  // Looked at before the first connect: the client would take it for a server that does not answer.
  if (!/BEGIN NATS USER JWT[\s\S]+BEGIN USER NKEY SEED/.test(creds)) {
    throw new BusError(
      "denied",
      "The credentials are not the text of a .creds file (a user JWT and an NKEY seed).",
    );
  }
  return credsAuthenticator(new TextEncoder().encode(creds));
}

/** The server puts this one, empty, on what comes from another account. */
const fromAccountHeader = "Nats-Request-Info";

/**
 * We send no headers, and the server puts some on every stored message it hands out: this one was made by asking for
 * one with our subject as the place to reply to, which no permission forbids.
 */
function isServersAnswer({ headers }: Msg): boolean {
  return (
    headers !== undefined && (headers.code > 0 || headers.keys().some((key) => key !== fromAccountHeader))
  );
}

/**
 * Whether an answer may go there. A reply subject may name anything, and whoever asked may not write there. `_R_.` is
 * the server's own: where it brings an answer back into the account that the question came from.
 */
function isInbox(reply: string | undefined): boolean {
  return reply?.startsWith("_INBOX") === true || reply?.startsWith("_R_.") === true;
}

class NatsBus implements Bus {
  readonly #nc: NatsConnection;
  readonly #jsm: JetStreamManager;
  readonly #settings: ConnectionOptions;
  readonly #options: NatsBusOptions;
  readonly #listeners = new Set<(event: BusEvent) => void>();
  readonly #consumptions = new Set<NatsConsumption>();
  /** What to call when the connection goes while an answer is awaited. */
  readonly #awaiting = new Set<(error: BusError) => void>();
  #status: BusStatus = "connected";
  #reason: string | undefined;
  #refusals = 0;

  constructor(
    nc: NatsConnection,
    jsm: JetStreamManager,
    options: NatsBusOptions,
    settings: ConnectionOptions,
  ) {
    this.#settings = settings;
    this.#options = options;
    this.#nc = nc;
    this.#jsm = jsm;
    this.#watch().catch(throwLater);
  }

  publish(subject: string, data: Bytes): void {
    // While disconnected the client would buffer and send later, or drop: always dropping is what callers can rely on.
    if (this.#status === "connected") this.#nc.publish(subject, data);
  }

  async request(subject: string, data: Bytes, timeoutMs: number): Promise<Bytes> {
    try {
      const answer = await this.#whileConnected(() =>
        this.#nc.request(subject, data, { timeout: timeoutMs }),
      );
      return answer.data;
    } catch (error) {
      throw requestFailure(error, subject, timeoutMs);
    }
  }

  subscribe(
    subject: string,
    handler: (message: Incoming) => void,
    options: { readonly queue?: string } = {},
  ): Subscription {
    const subscription = this.#nc.subscribe(subject, {
      ...options,
      callback: (error, message) => {
        if (error !== null) return; // refused by the server, which also gives a `denied` event
        if (isServersAnswer(message)) return;
        try {
          handler({
            subject: message.subject,
            data: message.data,
            respond: (data) => {
              if (this.#status === "connected" && isInbox(message.reply)) message.respond(data);
            },
          });
        } catch (thrown) {
          throwLater(thrown);
        }
      },
    });
    return {
      close: () => {
        if (!this.#nc.isClosed()) subscription.unsubscribe();
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
    return this.#whileConnected(() => ensureNatsStream(this.#jsm, spec));
  }

  append(
    stream: string,
    subject: string,
    data: Bytes,
    options: { readonly expectLastSequence?: number } = {},
  ): Promise<AppendResult> {
    return this.#whileConnected(() =>
      appendNats(this.#nc, stream, subject, data, options.expectLastSequence),
    );
  }

  streamSubjects(stream: string): Promise<readonly string[]> {
    return this.#whileConnected(() => natsStreamSubjects(this.#jsm, stream));
  }

  streamState(stream: string): Promise<StreamState> {
    return this.#whileConnected(() => natsStreamState(this.#jsm, stream));
  }

  readStream(stream: string, fromSequence: number, limit: number): Promise<readonly Entry[]> {
    return this.#whileConnected(() => readNatsStream(this.#jsm, stream, fromSequence, limit));
  }

  readSubject(
    stream: string,
    subject: string,
    fromSequence: number,
    limit: number,
  ): Promise<readonly DatedEntry[]> {
    return this.#whileConnected(() => readNatsSubject(this.#jsm, stream, subject, fromSequence, limit));
  }

  getMessage(stream: string, subject: string): Promise<DatedEntry | null> {
    const asked = this.#options.readSubject?.(subject);
    return this.#whileConnected(() => getNatsMessage(this.#nc, stream, subject, asked));
  }

  removeMessages(stream: string, subject: string, before?: number): Promise<void> {
    return this.#whileConnected(() => removeNatsMessages(this.#jsm, stream, subject, before));
  }

  census(stream: string, subject: string): Promise<StreamCensus> {
    return this.#whileConnected(() => natsCensus(this.#jsm, stream, subject));
  }

  async consume(
    stream: string,
    durable: string,
    handler: (batch: readonly Delivered[]) => Promise<void>,
    options: ConsumeOptions,
  ): Promise<Subscription> {
    const consumption = await this.#whileConnected(() =>
      consumeNats(this.#nc, this.#jsm, this.#options.inboxPrefix, stream, durable, handler, options),
    );
    this.#consumptions.add(consumption);
    return {
      close: () => {
        this.#consumptions.delete(consumption);
        consumption.close();
      },
    };
  }

  async close(): Promise<void> {
    if (this.#status === "closed") return;
    const flushed = this.#status === "connected" ? this.#nc.flush().catch(() => undefined) : undefined;
    await Promise.race([flushed, new Promise((resolve) => setTimeout(resolve, flushTimeoutMs).unref())]);
    this.#closed("closed by its owner");
    await this.#nc.close();
  }

  /** Follows what the client library reports, for the life of the connection. */
  async #watch(): Promise<void> {
    for await (const status of this.#nc.status()) {
      if (status.type === "disconnect") this.#disconnected();
      else if (status.type === "reconnect") this.#reconnected();
      else if (status.type === "error") await this.#refused(status.error);
    }
    const error = await this.#nc.closed();
    this.#closed(error instanceof Error ? error.message : "the connection ended");
  }

  #disconnected(): void {
    if (this.#status !== "connected") return;
    this.#status = "disconnected";
    this.#giveUp(
      new BusError("unavailable", "The connection to the message server went before it answered."),
    );
    this.#tell({ kind: "disconnected" });
    this.#lookLater(null);
  }

  /** The client tries for ever and says nothing: a server that is no longer believed is told, once for each reason. */
  #lookLater(told: string | null): void {
    if (this.#options.untrusted === undefined) return;
    setTimeout(() => void this.#look(told).catch(throwLater), lookAgainMs).unref();
  }

  async #look(told: string | null): Promise<void> {
    if (!this.#isAway()) return;
    const untrusted = await this.#options.untrusted?.();
    if (!this.#isAway()) return;
    const reason = untrusted?.message ?? null;
    if (reason !== null && reason !== told) this.#tell({ kind: "untrusted", reason });
    this.#lookLater(reason);
  }

  #reconnected(): void {
    if (this.#status !== "disconnected") return;
    this.#status = "connected";
    this.#refusals = 0;
    for (const consumption of this.#consumptions) consumption.reconnected();
    this.#tell({ kind: "connected" });
  }

  async #refused(error: Error): Promise<void> {
    if (error instanceof errors.PermissionViolationError) {
      this.#tell({ kind: "denied", reason: error.message });
      return;
    }
    if (!isRefusedUser(error)) return;
    this.#refusals += 1;
    if (this.#refusals < refusalsUntilClosed) this.#askLater();
    else this.#revoked();
  }

  #revoked(): void {
    this.#closed(credentialsRevoked);
    // Not awaited: close() waits for the very loop that may have told of it to end.
    this.#nc.close().catch(throwLater);
  }

  /**
   * The client may give up without a word once it was refused in coming back: then nothing would ever be told again. So a
   * connection that stays away after a refusal is tried anew beside it.
   */
  #askLater(): void {
    setTimeout(() => void this.#askAgain().catch(throwLater), askAgainMs).unref();
  }

  async #askAgain(): Promise<void> {
    if (this.#status !== "disconnected") return;
    try {
      const nc = await connect({ ...this.#settings, reconnect: false });
      await nc.close();
    } catch (error) {
      if (isRefusedUser(error) && this.#isAway()) return this.#revoked();
    }
    if (this.#isAway()) this.#askLater();
  }

  /** Asked after a wait. */
  #isAway(): boolean {
    return this.#status === "disconnected";
  }

  #closed(reason: string): void {
    if (this.#status === "closed") return;
    this.#status = "closed";
    this.#reason = reason;
    for (const consumption of this.#consumptions) consumption.close();
    this.#consumptions.clear();
    this.#giveUp(this.#gone());
    this.#tell({ kind: "closed", reason });
  }

  /** Runs `ask`, and gives up at once when the connection goes: its answer would never come. */
  async #whileConnected<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#status === "closed") throw this.#gone();
    if (this.#status === "disconnected") {
      throw new BusError("unavailable", "There is no connection to the message server at the moment.");
    }
    let giveUp: (error: BusError) => void = () => undefined;
    const gone = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    this.#awaiting.add(giveUp);
    try {
      return await Promise.race([ask(), gone]);
    } finally {
      this.#awaiting.delete(giveUp);
    }
  }

  #giveUp(error: BusError): void {
    for (const giveUp of this.#awaiting) giveUp(error);
    this.#awaiting.clear();
  }

  #gone(): BusError {
    if (this.#reason === credentialsRevoked) {
      return new BusError("denied", "The message server no longer accepts the credentials of this machine.");
    }
    return new BusError("closed", `The connection to the message server is closed: ${this.#reason ?? ""}.`);
  }

  #tell(event: BusEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
