/**
 * SERVE-6, SERVE-7. Requests that are answered whole, each by itself, because what they ask is no rows: by a model's own tensors, or by a program.
 * The same bounds hold as for a lane's rows, and nothing is computed for who has left.
 */
import { turnDown, type HttpRefusal, type Reading } from "../protocol/http-refusal.ts";
import type { WrittenAnswer } from "../protocol/written-answer.ts";
import { observe } from "./histogram.ts";
import type { LaneCounters } from "./lane-counter.ts";
import type { LaneLimits } from "./lane-limit.ts";

export interface WholeRequest {
  readonly rows: number;
  /** Of its body. */
  readonly bytes: number;
  readonly isGone: () => boolean;
  readonly compute: () => Promise<Reading<WrittenAnswer>>;
  /** Called once, unless they have left. */
  readonly done: (answer: Reading<WrittenAnswer>) => void;
  /** Called once in place of `done`, where they have left. */
  readonly onGone: () => void;
}

export interface WholeQueueOptions {
  /** `name@version`. */
  readonly reference: string;
  readonly counters: LaneCounters;
  readonly limits: LaneLimits;
  /** So many are computed at once. */
  readonly width: number;
  readonly now: () => number;
  readonly onFault: (fault: unknown) => void;
  /** Nothing waits, and nothing is computed. */
  readonly onIdle: () => void;
}

interface Waiting {
  readonly request: WholeRequest;
  readonly since: number;
}

const newestShare = 0.2;

export class WholeQueue {
  readonly #options: WholeQueueOptions;
  #queue: Waiting[] = [];
  #running = 0;
  #rows = 0;
  #bytes = 0;
  #msPerRequest = 0;

  constructor(options: WholeQueueOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#running === 0 && this.#queue.length === 0;
  }

  /** Rows that wait. */
  get queued(): number {
    return this.#rows;
  }

  /** Null where it was taken; it is answered then. */
  ask(request: WholeRequest): HttpRefusal | null {
    const full = this.#fullFor(request);
    if (full !== null) return full;
    this.#queue.push({ request, since: this.#options.now() });
    this.#rows += request.rows;
    this.#bytes += request.bytes;
    this.#fill();
    return null;
  }

  #fullFor({ bytes, rows }: WholeRequest): HttpRefusal | null {
    const { limits, reference, width } = this.#options;
    const waitMs = (this.#queue.length * this.#msPerRequest) / width;
    const isFull =
      this.#queue.length > 0 &&
      (this.#rows + rows > limits.queueRowsMax || this.#bytes + bytes > limits.queueBytesMax);
    if (!isFull && waitMs <= limits.queueMaxMs) return null;
    const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1_000));
    const why = isFull ? "its queue is full" : `an answer would take ${retryAfterSeconds} s`;
    const message = `${reference} is asked too much now: ${why}; try again later`;
    return { status: 429, message, retryAfterSeconds };
  }

  #fill(): void {
    while (this.#running < this.#options.width) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      this.#rows -= next.request.rows;
      this.#bytes -= next.request.bytes;
      if (next.request.isGone()) next.request.onGone();
      else void this.#run(next);
    }
    if (this.isIdle) this.#options.onIdle();
  }

  async #run({ request, since }: Waiting): Promise<void> {
    const { counters, now } = this.#options;
    this.#running++;
    const started = now();
    counters.queueMs += started - since;
    const answer = await this.#computed(request);
    const ms = now() - started;
    this.#msPerRequest += (this.#msPerRequest === 0 ? 1 : newestShare) * (ms - this.#msPerRequest);
    counters.batches++;
    counters.rows += request.rows;
    counters.computeMs += ms;
    observe(counters.batchRows, request.rows);
    this.#running--;
    if (request.isGone()) request.onGone();
    else request.done(answer);
    this.#fill();
  }

  async #computed({ compute }: WholeRequest): Promise<Reading<WrittenAnswer>> {
    try {
      return await compute();
    } catch (fault) {
      this.#options.onFault(fault);
      const { reference } = this.#options;
      return turnDown(
        500,
        `${reference} failed at this request; the fault is the model's, not the request's`,
      );
    }
  }
}
