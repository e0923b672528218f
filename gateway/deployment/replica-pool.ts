/**
 * One replica as a gateway asks it: kept connections, how many requests are with it, and whether it is left aside for a while after it failed. Not here: which of
 * them gets a request.
 */
import { Agent, request as ask, type IncomingMessage } from "node:http";
import type { ConnectReplica } from "./replica-way.ts";

/** Connections to one replica, each with one request at a time; the others wait. */
const connectionsMax = 16;
/** After a failure it is left aside for this long, and for twice as long after the next, ms. */
const asideMs = 200;
const asideMsMax = 10_000;
/** Without a byte of an answer, ms: longer than a replica lets anybody wait for a batch. */
const silenceMaxMs = 30_000;
/** Of an answer, held here until it is whole, so that one that breaks off is asked for again; what is larger goes on as it comes. */
export const heldAnswerBytesMax = 8 * 2 ** 20;

export interface ReplicaRequest {
  readonly method: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

export interface ReplicaAnswer {
  readonly status: number;
  /** Names and values in turn, as they came. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  /** What comes after `body`; null where that is all. */
  readonly rest: IncomingMessage | null;
}

export type Asked =
  | { readonly kind: "answered"; readonly answer: ReplicaAnswer }
  /** `wasAsked`: the request went out to it, so that it may be what ended it. */
  | { readonly kind: "broke"; readonly why: string; readonly wasAsked: boolean };

export class ReplicaPool {
  readonly agent: string;
  readonly fence: number;
  /** Requests that are with it now. */
  busy = 0;
  readonly #http: Agent;
  #failures = 0;
  #asideUntil = 0;
  #isClosed = false;

  constructor(agent: string, fence: number, connect: ConnectReplica) {
    this.agent = agent;
    this.fence = fence;
    this.#http = new Agent({ keepAlive: true, maxSockets: connectionsMax, scheduling: "lifo" });
    this.#http.createConnection = (_options, done) => {
      void this.#connect(connect, done ?? (() => undefined));
      return undefined;
    };
  }

  isAside(now: number): boolean {
    return now < this.#asideUntil;
  }

  failed(now: number): void {
    this.#asideUntil = now + Math.min(asideMsMax, asideMs * 2 ** this.#failures);
    this.#failures++;
  }

  /** Ends every connection; what waits for an answer hears that it broke. */
  close(): void {
    this.#isClosed = true;
    this.#http.destroy();
  }

  /** `signal`: whoever asked has left. */
  async ask({ body, headers, method, path }: ReplicaRequest, signal: AbortSignal): Promise<Asked> {
    this.busy++;
    const asked = await new Promise<Asked>((resolve) => {
      const options = { agent: this.#http, method, path, headers: [...headers], setHost: false, signal };
      const sent = ask({ ...options, host: this.agent }, (response) => this.#hear(response, resolve));
      sent.setTimeout(silenceMaxMs, () => void sent.destroy(new Error("it does not answer")));
      sent.on("error", (fault) => {
        resolve({ kind: "broke", why: fault.message, wasAsked: !(fault instanceof NoWay) });
      });
      sent.end(body);
    });
    this.busy--;
    if (asked.kind === "answered") this.#failures = 0;
    return asked;
  }

  async #connect(connect: ConnectReplica, done: Connected): Promise<void> {
    const joined = await connect(this.agent, this.fence);
    if (joined.ok && !this.#isClosed) return done(null, joined.value);
    if (joined.ok) joined.value.destroy();
    const why = joined.ok ? "it is no more" : joined.refusal.message;
    // Node's type wants a connection beside the error, and Node does not look at it.
    Reflect.apply(done, undefined, [new NoWay(why)]);
  }

  #hear(response: IncomingMessage, resolve: (asked: Asked) => void): void {
    const parts: Buffer[] = [];
    let bytes = 0;
    const answered = (rest: IncomingMessage | null): void => {
      const { rawHeaders: headers, statusCode: status = 0 } = response;
      const [only] = parts;
      const body = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, bytes);
      resolve({ kind: "answered", answer: { status, headers, body, rest } });
    };
    const hold = (part: Buffer): void => {
      parts.push(part);
      bytes += part.length;
      if (bytes <= heldAnswerBytesMax) return;
      response.off("data", hold);
      response.pause();
      answered(response);
    };
    response.on("data", hold);
    response.once("end", () => answered(null));
    response.once("error", (fault) => resolve({ kind: "broke", why: fault.message, wasAsked: true }));
  }
}

type Connected = NonNullable<Parameters<Agent["createConnection"]>[1]>;

class NoWay extends Error {}
