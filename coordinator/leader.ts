/**
 * The leader's loop: takes inputs a batch at a time, decides and applies them in memory, appends their
 * events as one journal message, and only then lets answers, acks and orders out. A lost append means
 * another leads: nothing of the batch leaves, and the memory state is dropped by the caller.
 */
import type { Clock } from "../protocol/clock.ts";
import type { Outcome } from "../protocol/refusal.ts";
import { decide, run } from "./core/decide.ts";
import type { Event } from "./core/event.ts";
import type { Input } from "./core/input.ts";
import { schedule } from "./core/schedule.ts";
import type { CoordinatorSettings } from "./core/setting.ts";
import type { State } from "./core/state.ts";
import { OwedOrders, type Order } from "./effect/owed-orders.ts";
import type { Journal, Position } from "./journal/journal.ts";
import type { ProjectionStore } from "./projection-store.ts";

/** Inputs decided in one batch; with what they lead to they must fit one journal message. */
const inputsPerBatchMax = 100;
/**
 * How far the projection may lag behind the journal, ms: each of its writes holds up the loop for a flush to disk,
 * and an entity that changes seven times in this while is written once. A restart replays what it lacks.
 */
const saveEveryMs = 50;

export interface Work {
  readonly input: Input;
  /** Called once the input's events are durable (or it was refused). Never called when leadership is lost. */
  readonly done: (answer: Outcome<unknown>) => void;
}

export interface LeaderOptions {
  readonly state: State;
  readonly position: Position;
  readonly journal: Journal;
  readonly store: ProjectionStore;
  readonly clock: Clock;
  readonly settings: CoordinatorSettings;
  readonly send: (order: Order) => void;
  /** Told every batch after it has become durable. */
  readonly onBatch: (events: readonly Event[], position: Position, at: number) => void;
  readonly onDeposed: () => void;
  readonly onError: (error: unknown) => void;
}

export class Leader {
  readonly state: State;
  position: Position;
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
    if (this.#running || !this.#leading) return;
    this.#running = true;
    this.#pump().then(
      () => {
        this.#running = false;
        if (this.#queue.length > 0 || this.#questions.length > 0) this.#wake();
      },
      (error: unknown) => {
        this.#leading = false;
        this.#options.onError(error);
      },
    );
  }

  async #pump(): Promise<void> {
    // One turn of the event loop's microtasks lets requests that arrived together share a batch.
    await Promise.resolve();
    while (this.#leading && (this.#queue.length > 0 || this.#moreToSchedule || this.#questions.length > 0)) {
      if (this.#queue.length > 0 || this.#moreToSchedule) await this.#batch();
      for (const question of this.#questions.splice(0)) {
        if (this.#leading) question();
      }
    }
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

  async #batch(): Promise<void> {
    const { clock, journal, settings, store } = this.#options;
    const { state } = this;
    const works = this.#queue.splice(0, inputsPerBatchMax);
    const at = Math.max(clock.now(), state.meta.at);
    const events: Event[] = [];
    const answers = works.map(({ input }) => run(state, decide(state, input, at, settings), at, events));
    this.#moreToSchedule = run(state, schedule(state, settings), at, events);
    if (events.length > 0) {
      const entry = await journal.append(this.position, state.meta.epoch, at, events, () => this.#leading);
      if (entry === null) {
        this.#leading = false;
        this.#options.onDeposed();
        return;
      }
      const { position } = entry;
      this.position = position;
      store.copy(position.sequence, entry.bytes);
      this.#saveSoon();
      this.#options.onBatch(events, position, at);
      this.#sendOwed(touchedFences(events));
    }
    works.forEach((work, index) => {
      const answer = answers[index];
      if (answer !== undefined) work.done(answer);
    });
  }

  #sendOwed(fences?: Iterable<number>): void {
    const { clock, send } = this.#options;
    const at = Math.max(clock.now(), this.state.meta.at);
    for (const order of this.#owed.due(this.state, at, fences)) send(order);
  }
}

function touchedFences(events: readonly Event[]): Set<number> {
  const fences = new Set<number>();
  for (const event of events) {
    if (event.kind === "LeaseOffered" || event.kind === "LeaseExtended" || event.kind === "CancelRequested") {
      fences.add(event.fence);
    }
  }
  return fences;
}
