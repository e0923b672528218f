/**
 * Tells the leader which artifacts this machine holds: all of them to each new leader, then what is added and dropped, a little
 * later and together. Where no leader hears it, or somebody who may not say it (an older credential), nobody asks this machine
 * for chunks and the mesh's store serves as before.
 *
 * TRACK-3: what is held is told again from the beginning to each new leader, and whenever one did not hear all of it.
 */
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { answerSchema } from "../protocol/command.ts";
import type { Digest } from "../protocol/id.ts";
import { fromBytes, toBytes } from "../protocol/json-bytes.ts";
import { subjectsOf } from "../protocol/subjects.ts";
import { sleep, type Clock } from "../protocol/time/clock.ts";
import {
  entriesPerMessageMax,
  holdAnswerSchema,
  type Door,
  type Held,
  type Hold,
} from "../protocol/tracking.ts";

export interface TellHoldingsOptions {
  readonly bus: Pick<Bus, "request">;
  readonly mesh: string;
  readonly clock: Clock;
  readonly incarnation: string;
  /** How others find this machine now. */
  readonly place: () => HoldingPlace;
  /** Names the folder of its artifacts. Absent where it holds no replicas. */
  readonly store?: string;
  /** Bytes of replicas that it would hold now beside those it does. */
  readonly room?: () => number;
  /** All that is held whole now, most recently used first: the leader keeps so many of one agent. */
  readonly all: () => readonly Held[];
  /** GC-8: of what was told, what the mesh has collected. */
  readonly onGone?: (digests: readonly Digest[]) => void;
}

export interface HoldingPlace {
  /** Null while nobody can connect. */
  readonly door: Door | null;
  /** Agents where it keeps a way open. */
  readonly via: readonly string[];
  /** It passes on for others. */
  readonly relays: boolean;
}

export interface HoldingsTeller {
  /** A leader welcomed this agent in this epoch. */
  welcomed(epoch: number): void;
  /** It is found elsewhere now. */
  moved(): void;
  added(held: Held): void;
  dropped(digest: Digest): void;
  close(): void;
}

const gatherMs = 200;
const timeoutMs = 5_000;
const retryMs = 2_000;

export function tellHoldings(options: TellHoldingsOptions): HoldingsTeller {
  return new Teller(options);
}

/**
 * | state   | known by          | what it does                       | what moves it on                                             |
 * | ------- | ----------------- | ---------------------------------- | ------------------------------------------------------------ |
 * | unheard | `#epoch` is 0     | gathers nothing                    | `welcomed`: telling, from the beginning                      |
 * | telling | `#isTelling`      | one message after the other        | all is told: told; the server may not be asked: silent       |
 * | told    | neither           | gathers what changes, for a moment | a change: telling; another epoch: telling from the beginning |
 * | silent  | `#isOver`         | nothing                            | nothing                                                      |
 */
class Teller implements HoldingsTeller {
  readonly #options: TellHoldingsOptions;
  #epoch = 0;
  #number = 0;
  #fromBeginning = true;
  #isTelling = false;
  #isOver = false;
  /** What is not whole yet: no list of what is held names it, and others want of it what is there. */
  readonly #parts = new Map<Digest, Held>();
  /** By digest what is to be said of it; null: it is gone. */
  #changed = new Map<Digest, Held | null>();

  constructor(options: TellHoldingsOptions) {
    this.#options = options;
  }

  welcomed(epoch: number): void {
    if (epoch === this.#epoch) return;
    this.#epoch = epoch;
    this.#begin();
  }

  moved(): void {
    if (this.#epoch > 0) this.#begin();
  }

  added(held: Held): void {
    this.#change(held.digest, held);
  }

  dropped(digest: Digest): void {
    this.#change(digest, null);
  }

  close(): void {
    this.#isOver = true;
  }

  #change(digest: Digest, held: Held | null): void {
    if (held?.part === true) this.#parts.set(digest, held);
    else this.#parts.delete(digest);
    if (this.#epoch === 0 || this.#isOver) return;
    this.#changed.set(digest, held);
    // Whoever made it waits for that.
    this.#tellSoon(held?.kept === undefined ? gatherMs : 0);
  }

  #begin(): void {
    this.#fromBeginning = true;
    this.#tellSoon(gatherMs);
  }

  #tellSoon(ms: number): void {
    if (this.#isTelling || this.#isOver) return;
    this.#isTelling = true;
    this.#options.clock.setTimer(ms, () => void this.#tell());
  }

  async #tell(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#isOver && (this.#fromBeginning || this.#changed.size > 0)) {
      const sent = await this.#tellOnce();
      if (sent === "denied") this.#isOver = true;
      if (sent === "taken" || this.#isOver) continue;
      // Where the leader missed something before, telling the same part again would be in vain.
      this.#fromBeginning = true;
      await sleep(clock, retryMs);
    }
    this.#isTelling = false;
  }

  async #tellOnce(): Promise<"taken" | "again" | "unheard" | "denied"> {
    const { room, store } = this.#options;
    const whole = this.#fromBeginning;
    if (whole) {
      // The leader keeps the first so many, and what comes just now is wanted most.
      const all = [...this.#parts.values(), ...this.#options.all()];
      this.#changed = new Map(all.map((held) => [held.digest, held]));
      this.#number = 0;
      this.#fromBeginning = false;
    }
    const part = [...this.#changed].slice(0, entriesPerMessageMax);
    for (const [digest] of part) this.#changed.delete(digest);
    const { door, relays, via } = this.#options.place();
    const hold: Hold = {
      kind: "hold",
      incarnation: this.#options.incarnation,
      epoch: this.#epoch,
      number: ++this.#number,
      whole,
      door,
      via: [...via],
      relays,
      ...(store === undefined ? {} : { store }),
      ...(room === undefined ? {} : { room: room() }),
      added: part.flatMap(([, held]) => held ?? []),
      dropped: part.flatMap(([digest, held]) => (held === null ? digest : [])),
    };
    try {
      const { bus, mesh } = this.#options;
      const answer = answerSchema.safeParse(
        fromBytes(await bus.request(subjectsOf(mesh).track, toBytes(hold), timeoutMs)),
      );
      if (!answer.success || !answer.data.ok) return "unheard";
      const taken = holdAnswerSchema.safeParse(answer.data.value);
      if (taken.data?.gone !== undefined) this.#options.onGone?.(taken.data.gone);
      return taken.success && !taken.data.again ? "taken" : "again";
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      return error.kind === "denied" || error.kind === "closed" ? "denied" : "unheard";
    }
  }
}
