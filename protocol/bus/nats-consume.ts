// Pulls a work queue, one batch at a time: first what is there, else waits for one message. Nothing is asked for
// while the handler works, so a slow process holds no more than one batch back from the others.

import { AckPolicy, type JetStreamManager } from "@nats-io/jetstream";
import { createInbox, nanos, type Msg, type NatsConnection } from "@nats-io/transport-node";

import { BusError, defaultAckWaitMs, streamTimeoutMs, type ConsumeOptions, type Delivered } from "./bus.ts";
import { streamFailure } from "./nats-error.ts";
import { throwLater } from "./throw-later.ts";

/** How long one pull waits at the server for a message. */
const pullWaitMs = 20_000;
/** Beyond `pullWaitMs`: how long until a pull without any answer is given up (the server forgot it). */
const pullGraceMs = 5_000;
/** How long to wait before pulling again after the server refused a pull, or was not there. */
const pullRetryMs = 500;

const ackBytes = new TextEncoder().encode("+ACK");

export interface NatsConsumption {
  /** The connection is back: the server has forgotten the pull that waited. */
  reconnected(): void;
  close(): void;
}

export async function consumeNats(
  nc: NatsConnection,
  jsm: JetStreamManager,
  inboxPrefix: string,
  stream: string,
  durable: string,
  handler: (batch: readonly Delivered[]) => Promise<void>,
  options: ConsumeOptions,
): Promise<NatsConsumption> {
  const ensure = async (): Promise<void> => {
    try {
      await jsm.consumers.add(stream, {
        durable_name: durable,
        ack_policy: AckPolicy.Explicit,
        ack_wait: nanos(options.ackWaitMs ?? defaultAckWaitMs),
      });
    } catch (error) {
      throw streamFailure(error, stream, streamTimeoutMs);
    }
  };
  await ensure();
  return new Puller(nc, inboxPrefix, stream, durable, handler, options.maxBatch, ensure);
}

/** How a pull ended: by itself, or because the server could not serve it. */
type PullEnd = "ended" | "failed" | "gone";

class Puller implements NatsConsumption {
  readonly #nc: NatsConnection;
  readonly #next: string;
  readonly #inbox: string;
  readonly #maxBatch: number;
  readonly #handler: (batch: readonly Delivered[]) => Promise<void>;
  readonly #ensure: () => Promise<void>;
  readonly #subscription: { unsubscribe(): void };
  #buffer: Delivered[] = [];
  #pullNumber = 0;
  /** Ends the pull that is under way. */
  #end: ((how: PullEnd) => void) | undefined;
  #wanted = 0;
  #closed = false;

  constructor(
    nc: NatsConnection,
    inboxPrefix: string,
    stream: string,
    durable: string,
    handler: (batch: readonly Delivered[]) => Promise<void>,
    maxBatch: number,
    ensure: () => Promise<void>,
  ) {
    this.#nc = nc;
    this.#next = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`;
    this.#inbox = createInbox(inboxPrefix);
    this.#handler = handler;
    this.#maxBatch = maxBatch;
    this.#ensure = ensure;
    this.#subscription = nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#receive(message);
        else this.#end?.("failed");
      },
    });
    this.#run().catch(throwLater);
  }

  reconnected(): void {
    this.#end?.("ended");
  }

  close(): void {
    this.#closed = true;
    this.#subscription.unsubscribe();
    this.#end?.("ended");
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      let how = await this.#pull({ batch: this.#maxBatch, no_wait: true }, streamTimeoutMs);
      if (how === "ended" && this.#buffer.length === 0 && !this.#closed) {
        how = await this.#pull({ batch: 1, expires: nanos(pullWaitMs) }, pullWaitMs + pullGraceMs);
      }
      const batch = this.#buffer;
      this.#buffer = [];
      if (batch.length > 0 && !this.#closed) await this.#handle(batch);
      else if (how !== "ended" && !this.#closed) await this.#recover(how);
    }
  }

  async #handle(batch: readonly Delivered[]): Promise<void> {
    try {
      await this.#handler(batch);
    } catch (error) {
      // What the handler did not acknowledge comes again; anything but a failure of the bus is a broken invariant.
      if (!(error instanceof BusError)) throw error;
    }
  }

  async #recover(how: PullEnd): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, pullRetryMs));
    if (how !== "gone" || this.#closed) return;
    try {
      await this.#ensure();
    } catch (error) {
      if (!(error instanceof BusError)) throw error; // tried again at the next pull
    }
  }

  #pull(request: { batch: number; no_wait?: boolean; expires?: number }, giveUpMs: number): Promise<PullEnd> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#end?.("failed"), giveUpMs);
      this.#end = (how) => {
        clearTimeout(timer);
        this.#end = undefined;
        resolve(how);
      };
      this.#wanted = request.batch;
      this.#pullNumber += 1;
      try {
        this.#nc.publish(this.#next, JSON.stringify(request), {
          reply: `${this.#inbox}.${this.#pullNumber}`,
        });
      } catch {
        this.#end("failed"); // the connection is closed or draining
      }
    });
  }

  #receive(message: Msg): void {
    const sequence = sequenceOfAck(message.reply);
    if (sequence !== undefined) {
      if (message.headers?.has("Nats-Stream") === true) {
        // Not sent by anyone: the server's answer to a read, with the work queue as the place to reply to.
        message.respond(ackBytes);
        this.#wanted -= 1;
        if (this.#wanted <= 0) this.#end?.("ended");
        return;
      }
      this.#buffer.push({
        sequence,
        subject: message.subject,
        data: message.data,
        ack: () => {
          if (!this.#nc.isClosed()) message.respond(ackBytes);
        },
      });
      this.#wanted -= 1;
      if (this.#wanted <= 0) this.#end?.("ended");
      return;
    }
    if (message.subject !== `${this.#inbox}.${this.#pullNumber}`) return; // about an older pull
    const code = message.headers?.code ?? 0;
    if (code === 404 || code === 408) this.#end?.("ended");
    else if (code === 503) this.#end?.("gone");
    else if (code >= 400)
      this.#end?.(/consumer/i.test(message.headers?.description ?? "") ? "gone" : "failed");
  }
}

/**
 * The stream sequence in a message's ack subject (ADR-15), or undefined where it is none:
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>...`, in newer servers with a domain and an account hash first.
 */
function sequenceOfAck(reply: string | undefined): number | undefined {
  if (reply === undefined || !reply.startsWith("$JS.ACK.")) return undefined;
  const tokens = reply.split(".");
  const sequence = Number(tokens[tokens.length >= 11 ? 7 : 5]);
  return Number.isSafeInteger(sequence) && sequence > 0 ? sequence : undefined;
}
