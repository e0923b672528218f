/**
 * SERVE-4, SERVE-5, SERVE-6, SERVE-7. One loaded version and the requests that wait for it. Batches form while it is busy and never otherwise: what came in one turn of
 * the event loop, or while a batch was computed, is the next batch; a lone request waits for nobody. A large request is done in
 * pieces between those of others. Each caller gets the rows that were theirs, or the sentence that refuses theirs alone.
 */
import type { Outcome } from "../../protocol/refusal.ts";
import type { Value } from "../../protocol/value.ts";
import type { Answers, InputColumn } from "../model/served-model.ts";
import type { AskedRows } from "../protocol/asked-rows.ts";
import type { DescribedModel } from "../protocol/described-model.ts";
import { fromRefusal, turnDown, type HttpRefusal, type Reading } from "../protocol/http-refusal.ts";
import type { ServingWatch } from "../profile/serving-watch.ts";
import { observe } from "./histogram.ts";
import { newLaneCounters, type LaneCounters } from "./lane-counter.ts";
import { laneLimits, type LaneLimits } from "./lane-limit.ts";
import { WholeQueue, type WholeRequest } from "./whole-queue.ts";

export interface LaneRequest {
  readonly rows: AskedRows;
  /** Of its body; what its rows weigh while they wait. */
  readonly bytes: number;
  /** Whether whoever asked has left: nothing is computed for them. */
  readonly isGone: () => boolean;
  /** Called once, unless they have left. The answers may be overwritten as soon as it returns. */
  readonly done: (answers: Reading<Answers>) => void;
  /** Called once in place of `done`, where they have left. */
  readonly onGone?: () => void;
}

export interface LaneOptions {
  readonly now: () => number;
  /** Runs it once what has come in so far has been heard. */
  readonly defer: (run: () => void) => void;
  readonly limits?: LaneLimits;
  /** Told of a fault of the model itself. */
  readonly onFault?: (fault: unknown) => void;
  /** Left out where nobody looks at what is asked. */
  readonly watch?: ServingWatch;
}

interface Waiting {
  readonly request: LaneRequest;
  readonly since: number;
  /** Rows answered so far. */
  at: number;
  /** Of a request that is done in pieces. */
  whole: Float32Array | null;
}

interface Piece {
  readonly waiting: Waiting;
  readonly from: number;
  readonly to: number;
}

/** How much the newest timing counts in what a row is believed to take. */
const newestShare = 0.2;

export class Lane {
  readonly described: DescribedModel;
  readonly counters: LaneCounters = newLaneCounters();
  readonly watch: ServingWatch | null;
  readonly #now: () => number;
  readonly #defer: (run: () => void) => void;
  readonly #limits: LaneLimits;
  readonly #onFault: (fault: unknown) => void;
  readonly #whole: WholeQueue;
  #queue: Waiting[] = [];
  #rows = 0;
  #bytes = 0;
  #msPerRow = 0;
  #msPerBatch = 0;
  #isDue = false;
  #isBusy = false;
  #retired: (() => void) | null = null;

  constructor(
    described: DescribedModel,
    { defer, limits = laneLimits, now, onFault = () => undefined, watch }: LaneOptions,
  ) {
    this.watch = watch ?? null;
    this.described = described;
    this.#now = now;
    this.#defer = defer;
    this.#limits = limits;
    this.#onFault = onFault;
    const { counters } = this;
    const { reference } = described;
    const width = described.model.wholeWidth ?? 1;
    const onIdle = () => this.#endIfIdle();
    this.#whole = new WholeQueue({ reference, counters, limits, width, now, onFault, onIdle });
  }

  /** Rows that wait. */
  get queued(): number {
    return this.#rows + this.#whole.queued;
  }

  /** Of a request that asks for no rows. Null where it was taken; it is answered then. */
  askWhole(request: WholeRequest): HttpRefusal | null {
    return this.#whole.ask(request);
  }

  /** Null where it was taken; it is answered then. */
  ask(request: LaneRequest): HttpRefusal | null {
    const { count } = request.rows;
    const full = this.#fullFor(count, request.bytes);
    if (full !== null) return full;
    this.#queue.push({ request, since: this.#now(), at: 0, whole: null });
    this.#rows += count;
    this.#bytes += request.bytes;
    if (this.#isAtOnce()) this.#runBatch();
    else this.#schedule();
    return null;
  }

  /** Answers what waits, then frees the model. Nobody may ask any more. */
  retire(): Promise<void> {
    return new Promise((resolve) => {
      this.#retired = () => {
        this.described.model.dispose();
        resolve();
      };
      this.#endIfIdle();
    });
  }

  #fullFor(count: number, bytes: number): HttpRefusal | null {
    const { queueBytesMax, queueMaxMs, queueRowsMax } = this.#limits;
    const waitMs = this.#rows * this.#msPerRow;
    const isFull =
      this.#rows > 0 && (this.#rows + count > queueRowsMax || this.#bytes + bytes > queueBytesMax);
    if (!isFull && waitMs <= queueMaxMs) return null;
    const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1_000));
    const why = isFull ? "its queue is full" : `an answer would take ${retryAfterSeconds} s`;
    const { reference } = this.described;
    return {
      status: 429,
      message: `${reference} is asked too much now: ${why}; try again later`,
      retryAfterSeconds,
    };
  }

  /** Of a model that answers sooner than others could come, a batch is one request: gathering would cost more than it saves. */
  #isAtOnce(): boolean {
    if (this.#queue.length > 1 || this.#isDue || this.#isBusy) return false;
    return (
      this.#msPerBatch > 0 &&
      this.#msPerBatch < this.#limits.atOnceMs &&
      this.described.model.answerTexts !== null
    );
  }

  #schedule(): void {
    if (this.#isDue || this.#isBusy) return;
    this.#isDue = true;
    this.#defer(() => {
      this.#isDue = false;
      this.#runBatch();
    });
  }

  #endIfIdle(): void {
    if (this.#retired === null || this.#isBusy || this.#queue.length > 0 || !this.#whole.isIdle) return;
    const retired = this.#retired;
    this.#retired = null;
    retired();
  }

  #runBatch(): void {
    const started = this.#now();
    const pieces = this.#takePieces(started);
    if (pieces.length === 0) return this.#endIfIdle();
    const result = this.#compute(pieces);
    if (!(result instanceof Promise)) return this.#finishBatch(pieces, started, result);
    this.#isBusy = true;
    void result.then((answers) => {
      this.#isBusy = false;
      this.#finishBatch(pieces, started, answers);
    });
  }

  /** From the front, up to the window; of a request that is larger only a piece, and the rest goes to the end. */
  #takePieces(now: number): readonly Piece[] {
    const room: Room = { rows: this.#window(), characters: this.#limits.batchCharactersMax };
    const pieces: Piece[] = [];
    const rest: Waiting[] = [];
    let taken = 0;
    for (; taken < this.#queue.length && room.rows > 0 && room.characters > 0; taken++) {
      const waiting = this.#queue[taken];
      if (waiting === undefined) break;
      const { at, request, since } = waiting;
      if (request.isGone()) {
        this.#leave(waiting);
        request.onGone?.();
        continue;
      }
      const to = fillRoom(room, request.rows, at);
      if (at === 0) this.counters.queueMs += now - since;
      pieces.push({ waiting, from: at, to });
      if (to < request.rows.count) rest.push(waiting);
    }
    this.#queue = taken === this.#queue.length ? rest : [...this.#queue.slice(taken), ...rest];
    return pieces;
  }

  #window(): number {
    const { batchMs, batchRowsMax, batchRowsMin } = this.#limits;
    if (this.#msPerRow === 0) return batchRowsMax;
    return Math.min(batchRowsMax, Math.max(batchRowsMin, Math.floor(batchMs / this.#msPerRow)));
  }

  #finishBatch(pieces: readonly Piece[], started: number, result: Reading<Answers>): void {
    let rows = 0;
    for (const { from, to } of pieces) rows += to - from;
    const ms = this.#now() - started;
    this.#msPerRow = learned(this.#msPerRow, ms / rows);
    this.#msPerBatch = learned(this.#msPerBatch, ms);
    const { counters } = this;
    counters.batches++;
    counters.rows += rows;
    counters.computeMs += ms;
    observe(counters.batchRows, rows);
    if (result.ok) this.#handOut(pieces, result.value, rows);
    else if (pieces.length === 1) this.#refuse(pieces, result.down);
    else return this.#runApart(pieces);
    this.#goOn();
  }

  #goOn(): void {
    if (this.#queue.length > 0) this.#schedule();
    else this.#endIfIdle();
  }

  /** One of them is wrong, and only its caller is to hear of it. */
  #runApart(pieces: readonly Piece[]): void {
    const [piece, ...others] = pieces;
    if (piece === undefined) return this.#goOn();
    const one = [piece];
    const finish = (result: Reading<Answers>) => {
      if (result.ok) this.#handOut(one, result.value, piece.to - piece.from);
      else this.#refuse(one, result.down);
    };
    const result = this.#compute(one);
    if (!(result instanceof Promise)) {
      finish(result);
      return this.#runApart(others);
    }
    this.#isBusy = true;
    void result.then((answers) => {
      this.#isBusy = false;
      finish(answers);
      this.#runApart(others);
    });
  }

  #handOut(pieces: readonly Piece[], answers: Answers, rows: number): void {
    const values = valuesOf(answers);
    const width = this.#width();
    if (values.length !== rows * width)
      return this.#refuse(pieces, this.#fault(`gave ${values.length} numbers for ${rows} rows`));
    let at = 0;
    for (const piece of pieces) {
      const size = (piece.to - piece.from) * width;
      this.#handPiece(piece, answers.kind, values.subarray(at, at + size), width);
      at += size;
    }
  }

  #handPiece(piece: Piece, kind: Answers["kind"], values: Float32Array, width: number): void {
    const { from, to, waiting } = piece;
    const { count } = waiting.request.rows;
    if (!everyFinite(values)) return this.#refuse([piece], this.#fault("gave a number that is not finite"));
    if (to - from === count) return this.#end(waiting, { ok: true, value: answersOf(kind, values) });
    waiting.whole ??= new Float32Array(count * width);
    waiting.whole.set(values, from * width);
    waiting.at = to;
    if (to === count) this.#end(waiting, { ok: true, value: answersOf(kind, waiting.whole) });
  }

  #refuse(pieces: readonly Piece[], down: HttpRefusal): void {
    for (const { waiting } of pieces) this.#end(waiting, { ok: false, down });
  }

  #end(waiting: Waiting, answers: Reading<Answers>): void {
    const again = this.#queue.indexOf(waiting);
    if (again >= 0) this.#queue.splice(again, 1);
    this.#leave(waiting);
    if (answers.ok) this.watch?.see(waiting.request.rows, answers.value);
    if (waiting.request.isGone()) waiting.request.onGone?.();
    else waiting.request.done(answers);
  }

  #leave({ request }: Waiting): void {
    this.#rows -= request.rows.count;
    this.#bytes -= request.bytes;
  }

  #fault(what: string): HttpRefusal {
    const { reference } = this.described;
    this.#onFault(new Error(`${reference} ${what}`));
    return turnDown(500, `${reference} ${what}; the fault is the model's, not the request's`).down;
  }

  #width(): number {
    return this.described.model.signature.labels?.length ?? 1;
  }

  #compute(pieces: readonly Piece[]): Reading<Answers> | Promise<Reading<Answers>> {
    const { model } = this.described;
    try {
      const texts = model.answerTexts === null ? null : textsOf(pieces);
      const probabilities = texts === null ? null : (model.answerTexts?.(texts) ?? null);
      if (probabilities !== null) return { ok: true, value: { kind: "labels", probabilities } };
      const answered = model.answer({
        count: rowsOf(pieces),
        columns: columnsOf(pieces, model.signature.inputs),
      });
      if (!(answered instanceof Promise)) return readingOf(answered);
      return answered.then(readingOf, (fault: unknown) => this.#thrown(fault));
    } catch (fault) {
      return this.#thrown(fault);
    }
  }

  #thrown(fault: unknown): Reading<Answers> {
    this.#onFault(fault);
    return turnDown(
      500,
      `${this.described.reference} failed at these rows; the fault is the model's, not the request's`,
    );
  }
}

/** What is left of a batch. */
interface Room {
  rows: number;
  characters: number;
}

/** The end of the piece from `from` on that there is room for; one row at least, however long it is. */
function fillRoom(room: Room, rows: AskedRows, from: number): number {
  let to = from;
  while (to < rows.count && room.rows > 0 && room.characters > 0) {
    room.rows--;
    // Of a table's row the size is known by its columns.
    if (rows.kind === "texts") room.characters -= rows.texts[to]?.length ?? 0;
    to++;
  }
  return to;
}

/** A mean in which the newest counts most; the first stands for itself. */
function learned(before: number, newest: number): number {
  return before === 0 ? newest : before + newestShare * (newest - before);
}

function valuesOf(answers: Answers): Float32Array {
  return answers.kind === "labels" ? answers.probabilities : answers.values;
}

function answersOf(kind: Answers["kind"], values: Float32Array): Answers {
  return kind === "labels" ? { kind, probabilities: values } : { kind, values };
}

function everyFinite(values: Float32Array): boolean {
  for (const value of values) if (!Number.isFinite(value)) return false;
  return true;
}

function readingOf(outcome: Outcome<Answers>): Reading<Answers> {
  return outcome.ok ? outcome : { ok: false, down: fromRefusal(outcome.refusal) };
}

function rowsOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Null where one of them is a table. One whole request's are its own list, without a copy. */
function textsOf(pieces: readonly Piece[]): readonly string[] | null {
  const [first] = pieces;
  if (pieces.length === 1 && first?.waiting.request.rows.kind === "texts") {
    const { texts } = first.waiting.request.rows;
    return first.to - first.from === texts.length ? texts : texts.slice(first.from, first.to);
  }
  const all: string[] = [];
  for (const { from, to, waiting } of pieces) {
    const { rows } = waiting.request;
    if (rows.kind !== "texts") return null;
    for (let row = from; row < to; row++) all.push(rows.texts[row] ?? "");
  }
  return all;
}

function columnsOf(
  pieces: readonly Piece[],
  inputs: readonly InputColumn[],
): ReadonlyMap<string, readonly (Value | null)[]> {
  return new Map(
    inputs.map(({ name }, at) => [
      name,
      pieces.flatMap(({ from, to, waiting: { request } }) => {
        const { rows } = request;
        // Texts are the one column of a model that has no more.
        const column =
          rows.kind === "table" ? rows.rows.columns.get(name) : at === 0 ? rows.texts : undefined;
        return (column ?? []).slice(from, to);
      }),
    ]),
  );
}
