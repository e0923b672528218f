/**
 * A coordinator's memory of the journal: what its stores hold, brought up to the journal's end, and its first word as
 * leader. It neither decides when to lead nor judges what failed: errors of bus and journal pass through.
 */
import { sleep, type Clock } from "../../protocol/time/clock.ts";
import { steadyClock } from "../../protocol/time/steady-clock.ts";
import { apply } from "../core/apply.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { brokenInvariants } from "../core/invariant.ts";
import { replay } from "../core/replay.ts";
import type { Event } from "../format/event.ts";
import { JournalBroken, type Journal, type JournalEntry, type Position } from "../journal/journal.ts";
import type { SignedAt } from "../journal/signed-at.ts";
import type { ProjectionStore } from "../projection/projection-store.ts";
import type { State } from "../state/state.ts";
import type { EventLog } from "../view/event-log.ts";

export interface FollowerOptions {
  readonly name: string;
  readonly journal: Journal;
  readonly signedAt: SignedAt;
  readonly store: ProjectionStore;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly onState: (state: State) => void;
}

const streamPatienceMs = 1_000;

/** What stands in the journal has been decided and answered: where it cannot be applied, there is nobody to refuse. */
function applied(state: State, { batch, position }: JournalEntry): readonly Event[] {
  try {
    return replay(state, batch);
  } catch (error) {
    throw new Error(
      `message ${position.sequence} of the journal cannot be applied (${errorSentence(error)}); nothing was changed. Start the version of trialmesh that wrote it, or a newer one; where this version did, move the folder \`store\` of this coordinator away, so that it is built anew from the journal`,
      { cause: error },
    );
  }
}

export class JournalFollower {
  readonly #options: FollowerOptions;
  #state: State;
  #position: Position;

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { log, signedAt, store } = options;
    const damaged = store.copy.examine(signedAt);
    if (damaged !== null)
      log(`this coordinator's copy of the journal is damaged ${damaged}; it is mended from the server's`);
    ({ state: this.#state, position: this.#position } = this.#load());
  }

  get state(): State {
    return this.#state;
  }

  get position(): Position {
    return this.#position;
  }

  /** Back to what is durable: after a term the memory may hold what never became so. */
  reload(): void {
    ({ state: this.#state, position: this.#position } = this.#load());
    this.#options.events.clear();
  }

  /** Where we have seen a journal there must be one. */
  async expectJournal(): Promise<void> {
    const { clock, journal, store } = this.#options;
    const seen = Math.max(store.copy.end.sequence, this.#position.sequence);
    if (seen === 0 || (await journal.state()) !== null) return;
    // A server that has just been started may not have found its streams yet.
    await sleep(clock, streamPatienceMs);
    if ((await journal.state()) !== null) return;
    throw new JournalBroken(`the server has no journal, and message ${seen} of it has been seen`);
  }

  /** That the server's journal is the one that our copy and our projection were made of. */
  async verify(): Promise<void> {
    const { journal, store } = this.#options;
    await journal.verify(store.copy.end);
    const { seen } = store.copy;
    if (seen !== null) await journal.verify(seen);
    await journal.verify(this.#position);
  }

  /** Copies what we have applied and have no copy of: it was lost, or a crash came between the two writes. */
  async completeCopy(): Promise<void> {
    const { journal, store } = this.#options;
    while (store.copy.end.sequence < this.#position.sequence) {
      const entries = await journal.readAfter(store.copy.end);
      if (entries.length === 0) return;
      for (const entry of entries) store.copy.add(entry.position, entry.bytes);
      await store.copy.flush();
    }
  }

  /** Applies what the journal has beyond our position. */
  async catchUp(): Promise<void> {
    const { events, journal, onState, store } = this.#options;
    for (;;) {
      const entries = await journal.readAfter(this.#position);
      for (const entry of entries) {
        const replayed = applied(this.#state, entry);
        events.add(replayed, entry.position.sequence, entry.batch.at);
        this.#position = entry.position;
        store.copy.add(this.#position, entry.bytes);
      }
      if (entries.length === 0) return;
      store.save(this.#state, this.#position);
      onState(this.#state);
    }
  }

  /**
   * Appends the election. Returns the clock of the term that it begins, or null where another was faster. Throws where the
   * journal's state breaks an invariant.
   *
   * CLOCK-1: the journal's time never goes back: a term begins where the last one's events end, or at this machine's time
   * where that is later, and from there on goes by the monotonic clock.
   */
  async elect(): Promise<Clock | null> {
    const { clock, events, journal, name, store } = this.#options;
    await this.catchUp();
    const [broken] = brokenInvariants(this.#state);
    if (broken !== undefined)
      throw new Error(`the journal's state breaks ${broken.rule} at ${broken.where}: ${broken.detail}`);
    const termClock = steadyClock(clock, Math.ceil(Math.max(clock.now(), this.#state.meta.at)));
    const at = termClock.now();
    const epoch = this.#state.meta.epoch + 1;
    const event = { kind: "LeaderElected", epoch, leader: name } as const;
    const next = await journal.append(this.#position, epoch, at, [event], () => false);
    if (next === null) return null;
    apply(this.#state, event, at);
    this.#position = next.position;
    events.add([event], this.#position.sequence, at);
    store.copy.add(this.#position, next.bytes);
    store.save(this.#state, this.#position);
    return termClock;
  }

  #load(): { state: State; position: Position } {
    const { unusable, ...loaded } = this.#options.store.load();
    if (unusable !== null)
      this.#options.log(
        `what this coordinator had stored cannot be used (${unusable}); it is built anew from the journal`,
      );
    return loaded;
  }
}
