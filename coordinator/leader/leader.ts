/**
 * The leader's loop: takes inputs a batch at a time, decides and applies them in memory, appends their
 * events as one journal message, and only then lets answers, acks and orders out. While an append is on its way
 * the next batch may be decided, never appended. A lost append means another leads: nothing of the batch or of the
 * one after it leaves, and the memory state is dropped by the caller.
 */
import type { Clock } from "../../protocol/time/clock.ts";
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { decide, run } from "../core/decide.ts";
import type { Event } from "../format/event.ts";
import type { Input } from "../state/input.ts";
import { schedule } from "../core/schedule.ts";
import type { Holdings } from "../placement/move-cost.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { State } from "../state/state.ts";
import { BatchTally, decisionBytesMax } from "./batch-tally.ts";
import { isMessage, SpoiltState, type FaultBook, type MessageInput } from "./fault-book.ts";
import { OwedOrders, type Order } from "./owed-orders.ts";
import type { Journal, NewEntry, Position } from "../journal/journal.ts";
import type { ProjectionStore } from "../projection/projection-store.ts";

/** Inputs decided in one batch, where it is not full before: see `BatchTally`. */
const inputsPerBatchMax = 100;
/** With this many inputs waiting the next batch is decided while an append is on its way; with fewer, more may join. */
const inputsDecidedAhead = 32;
/**
 * How far the projection may lag behind the journal, ms: each of its writes holds up the loop for a flush to disk,
 * and an entity that changes seven times in this while is written once. A restart replays what it lacks.
 */
const saveEveryMs = 200;

export interface Work {
  readonly input: Input;
  /** Called once the input's events are durable (or it was refused). Never called when leadership is lost. */
  readonly done: (answer: Outcome<unknown>) => void;
}

/** A batch that is in the state, and in the journal or on its way there. */
interface Decided {
  readonly at: number;
  readonly events: readonly Event[];
  /** Null where nothing happened: it is as durable as what came before it. */
  readonly entry: NewEntry | null;
  /** What leaves once it is durable. */
  readonly orders: readonly Order[];
  readonly answers: (() => void)[];
}

export interface LeaderOptions {
  readonly state: State;
  readonly position: Position;
  readonly journal: Journal;
  readonly store: ProjectionStore;
  /** Its time never goes back, and is not before the state's. */
  readonly clock: Clock;
  readonly settings: CoordinatorSettings;
  /** What agents are known to hold, beside the state. */
  readonly holdings: Holdings;
  readonly send: (order: Order) => void;
  /** Told every batch after it has become durable. */
  readonly onBatch: (events: readonly Event[], position: Position, at: number) => void;
  /** Told when the state holds what is durable and nothing else. */
  readonly onSettled: () => void;
  readonly onDeposed: () => void;
  readonly faults: FaultBook;
  /** Told of each message that made a decision fail, with the sentence for its sender. */
  readonly onFault: (input: MessageInput, sentence: string) => void;
  /** Told when the state has become useless by such a message: a new term begins from what is durable. */
  readonly onSpoilt: () => void;
  readonly onError: (error: unknown) => void;
}

/**
 * | state   | told by                      | what it does                              | what moves it on                              |
 * | ------- | ---------------------------- | ----------------------------------------- | --------------------------------------------- |
 * | idle    | leading, not `#running`      | nothing                                   | `submit`, `ask`: running                      |
 * | running | `#running`, nothing on its   | decides a batch and begins its append;    | a batch with events: ahead; nothing is left:  |
 * |         | way                          | answers questions between batches         | idle                                          |
 * | ahead   | `#running` and `#appending`  | decides one batch more where many wait;   | the append is durable: running, and what the  |
 * |         |                              | questions wait                            | batch owes leaves; it is refused: deposed     |
 * | deposed | not `#leading`               | nothing: what is decided never leaves     | nothing; `stop`, every error and a state that |
 * |         |                              |                                           | a message has spoilt end here too             |
 */
export class Leader {
  readonly state: State;
  /** Of the last batch that is durable. */
  position: Position;
  /** Of the last batch that was decided. */
  #decidedTo: Position;
  #appending: Promise<void> | null = null;
  /** Resolves what waits for an input or a question. */
  #arrived: (() => void) | null = null;
  readonly #options: LeaderOptions;
  readonly #queue: Work[] = [];
  /** Asked of the state between batches, when it holds nothing that is not durable. */
  readonly #questions: (() => void)[] = [];
  readonly #owed: OwedOrders;
  #running = false;
  #leading = true;
  #moreToSchedule = false;
  #willSave = false;

  constructor(options: LeaderOptions) {
    this.#options = options;
    this.state = options.state;
    this.position = options.position;
    this.#decidedTo = options.position;
    this.#owed = new OwedOrders(options.settings.resendMs);
  }

  submit(work: Work): void {
    this.#queue.push(work);
    this.#wake();
  }

  /** Runs `question` when the state holds only what is durable. */
  ask(question: () => void): void {
    this.#questions.push(question);
    this.#wake();
  }

  /** Sends again what agents have not confirmed. */
  resend(): void {
    this.ask(() => this.#sendOwed());
  }

  stop(): void {
    const idle = this.#leading && !this.#running;
    this.#leading = false;
    if (idle && this.state.dirty.size > 0) this.#options.store.save(this.state, this.position);
  }

  #wake(): void {
    this.#arrived?.();
    if (this.#running || !this.#leading) return;
    this.#running = true;
    this.#pump().then(
      () => {
        this.#running = false;
        if (this.#queue.length > 0 || this.#questions.length > 0) this.#wake();
      },
      (error: unknown) => {
        this.#leading = false;
        if (error instanceof SpoiltState) this.#options.onSpoilt();
        else this.#options.onError(error);
      },
    );
  }

  async #pump(): Promise<void> {
    // One turn of the event loop's microtasks lets requests that arrived together share a batch.
    await Promise.resolve();
    while (this.#leading) {
      const ahead = this.#appending !== null;
      const more = this.#queue.length > 0 || this.#moreToSchedule;
      if (this.#questions.length > 0) {
        await this.#appending;
        for (const question of this.#questions.splice(0)) {
          if (this.#leading) question();
        }
      } else if (ahead && this.#queue.length < inputsDecidedAhead) {
        await Promise.race([this.#appending, this.#arrival()]);
        continue;
      } else if (!more) return;
      if (this.#leading && (this.#queue.length > 0 || this.#moreToSchedule)) await this.#batch();
    }
  }

  /** Resolves when something is submitted or asked. */
  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  /** Between batches only: in one the state holds what the journal may yet refuse. */
  #saveSoon(): void {
    if (this.#willSave) return;
    this.#willSave = true;
    this.#options.clock.setTimer(saveEveryMs, () => {
      this.#willSave = false;
      this.ask(() => {
        this.#options.store.save(this.state, this.position);
        if (this.state.dirty.size > 0) this.#saveSoon();
      });
    });
  }

  /** Decides a batch and begins its append, once the one before it is durable. */
  async #batch(): Promise<void> {
    const decided = this.#decide();
    await this.#appending;
    if (!this.#leading) return;
    if (decided.entry === null) {
      this.#release(decided);
      return;
    }
    const appending = this.#append(decided, decided.entry);
    this.#appending = appending;
    // Whoever awaits it next hears of its failure.
    appending.catch(() => {});
  }

  #decide(): Decided {
    const { clock, holdings, settings } = this.#options;
    const { state } = this;
    const at = clock.now();
    const tally = new BatchTally();
    const { events } = tally;
    const answers: (() => void)[] = [];
    let taken = 0;
    while (taken < inputsPerBatchMax && !tally.isFull) {
      const work = this.#queue[taken];
      if (work === undefined) break;
      const answer = this.#decideOn(work.input, at, tally);
      // There is more of it than this batch takes: it stays the first in the queue.
      if (answer === null) break;
      taken++;
      answers.push(() => work.done(answer));
    }
    this.#queue.splice(0, taken);
    this.#moreToSchedule = run(
      state,
      schedule(state, at, settings, () => tally.isFull, holdings),
      at,
      tally,
    );
    if (events.length === 0) return { at, events, entry: null, orders: [], answers };
    const entry = this.#options.journal.entryAfter(this.#decidedTo, state.meta.epoch, at, tally);
    this.#decidedTo = entry.position;
    // From the state as this batch leaves it: by the time it is durable the next one may be in it.
    return { at, events, entry, orders: this.#owed.due(state, at, touchedFences(state, events)), answers };
  }

  /** FAULT-2: what fails at a message refuses that message; the leader goes on, or begins anew where the state is spoilt by it. */
  #decideOn(input: Input, at: number, tally: BatchTally): Outcome<unknown> | null {
    const { faults, onFault, settings } = this.#options;
    const known = faults.known(input);
    if (known !== null) return refuse("invalid", known);
    const before = tally.bytes;
    const watch = new Watch();
    try {
      const decision = decide(this.state, input, at, settings, () => tally.isFull);
      const answer = run(this.state, watch.over(decision), at, tally);
      const bytes = tally.bytes - before;
      if (bytes > decisionBytesMax) throw new Error(`it leads to ${bytes} bytes of events at once`);
      return answer;
    } catch (error) {
      if (!isMessage(input)) throw error;
      const sentence = faults.note(input, error);
      onFault(input, sentence);
      if (watch.touched) throw new SpoiltState(sentence);
      return refuse("invalid", sentence);
    }
  }

  async #append(decided: Decided, entry: NewEntry): Promise<void> {
    const { journal, onBatch, onDeposed, store } = this.#options;
    const written = await journal.write(entry, () => this.#leading);
    this.#appending = null;
    if (!written) {
      this.#leading = false;
      onDeposed();
      return;
    }
    this.position = entry.position;
    store.copy.add(entry.position, entry.bytes);
    onBatch(decided.events, entry.position, decided.at);
    // Of a state that a message has spoilt meanwhile nothing is kept; what was durable before leaves.
    if (this.#leading) {
      this.#saveSoon();
      if (this.position === this.#decidedTo) this.#options.onSettled();
    }
    this.#release(decided);
  }

  #release({ answers, orders }: Decided): void {
    for (const order of orders) this.#options.send(order);
    for (const answer of answers) answer();
  }

  #sendOwed(): void {
    const { clock, send } = this.#options;
    for (const order of this.#owed.allDue(this.state, clock.now())) send(order);
  }
}

/** Knows whether a decision has handed out an event, which is applied then. */
class Watch {
  touched = false;

  *over<T>(decision: Generator<Event, T, void>): Generator<Event, T, void> {
    for (;;) {
      const step = decision.next();
      if (step.done === true) return step.value;
      this.touched = true;
      yield step.value;
    }
  }
}

function touchedFences(state: State, events: readonly Event[]): Set<number> {
  const fences = new Set<number>();
  for (const event of events) {
    if (event.kind === "DeploymentServes") {
      const sweep = state.deployments.get(event.deployment)?.sweep;
      for (const fence of (sweep === undefined ? undefined : state.going.get(sweep)) ?? []) fences.add(fence);
    }
    if (event.kind === "LeaseOffered" || event.kind === "LeaseExtended" || event.kind === "CancelRequested") {
      fences.add(event.fence);
    }
  }
  return fences;
}
