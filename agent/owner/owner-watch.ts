/**
 * Watches what the owner's policy depends on and keeps the availability: reads sources in turn, each no oftener than
 * it is worth, and asks `ownerStep` after every reading. What follows from a availability is the agent's.
 */
import { sleep, type Clock } from "../../protocol/time/clock.ts";
import type { Policy } from "../../protocol/capability.ts";
import type { Heartbeat } from "../../protocol/report.ts";
import { leastIdle, type Idleness, type IdleSource } from "./idle/idle-source.ts";
import type { Power } from "./power.ts";
import { firstOwnerState, ownerStep, type Availability } from "./availability.ts";

export interface OwnerSources {
  readonly idle: readonly IdleSource[];
  readonly power: (wanted: { readonly battery: boolean; readonly heat: boolean }) => Promise<Power>;
  readonly othersLoad: () => Promise<number | null>;
}

export interface OwnerWatchOptions {
  readonly policy: Policy;
  readonly clock: Clock;
  readonly minuteOfDay: (at: number) => number;
  readonly memFreeGiB: () => number | null;
  readonly diskShort: () => string | null;
  /** Attempts that use this machine. */
  readonly running: () => number;
  /** Null where nothing can be asked: then only hours, memory and slots count. */
  readonly sources: OwnerSources | null;
  readonly onAvailability: (availability: Availability, idleMs: number | null) => void;
  readonly log: (line: string) => void;
}

export interface OwnerWatch {
  /** Asks again whether the availability still holds, with what was read last. */
  assess(): void;
  readonly seen: NonNullable<Heartbeat["owner"]>;
  close(): void;
}

/** While trials run or may come: input must have stopped them within a second. */
const idleAlertMs = 400;
const idleCalmMs = 2_000;
/** What was read longer ago tells nothing any more. */
const idleStaleMs = 10_000;
const loadEveryMs = 2_000;
const powerEveryMs = 10_000;

export function watchOwner(options: OwnerWatchOptions): OwnerWatch {
  return new OwnerWatcher(options);
}

/**
 * The availability, which `ownerStep` decides on every reading:
 *
 * | state     | what trials may do     | how often the owner is looked for | what moves it on                              |
 * | --------- | ---------------------- | --------------------------------- | --------------------------------------------- |
 * | open      | start, run             | alert: input must stop them       | a reason not to start: closed; not to run,    |
 * |           |                        |                                   | while some do: suspended or vacating          |
 * | closed    | run                    | alert while some run, else calm   | no reason left: open; not to run: suspended   |
 * |           |                        |                                   | or vacating                                   |
 * | suspended | stand still            | alert                             | no reason left: open or closed; too long, or  |
 * |           |                        |                                   | memory or hours: vacating                     |
 * | vacating  | leave                  | alert while some run, else calm   | none runs: open or closed; what suspended has |
 * |           |                        |                                   | gone: open or closed                          |
 */
class OwnerWatcher implements OwnerWatch {
  readonly #options: OwnerWatchOptions;
  #state = firstOwnerState;
  #availability: Availability = { kind: "open", reason: null };
  #idleness: { readonly at: number; readonly reading: Idleness } | null = null;
  #load: number | null = null;
  #power: Power = { onBattery: null, celsius: null };
  #heatMissed = false;
  readonly #heardOf = new Set<string>();
  #closed = false;

  constructor(options: OwnerWatchOptions) {
    const { policy, sources } = options;
    this.#options = options;
    this.assess();
    if (sources === null) return;
    if (policy.idle !== null) {
      void this.#repeat(
        () => (this.#isAlert() ? idleAlertMs : idleCalmMs),
        () => this.#readIdleness(sources),
      );
      void this.#repeat(
        () => loadEveryMs,
        async () => {
          this.#load = await sources.othersLoad();
        },
      );
    }
    if (!policy.onBattery || policy.maxCelsius !== null)
      void this.#repeat(
        () => powerEveryMs,
        () => this.#readPower(sources),
      );
  }

  get seen(): NonNullable<Heartbeat["owner"]> {
    const reading = this.#idleness?.reading ?? null;
    const known = reading?.kind === "idle" ? reading : null;
    return {
      stance: this.#availability.kind,
      reason: this.#availability.reason,
      idleSource: known?.source ?? null,
      idleMs: known?.ms ?? null,
    };
  }

  assess(): void {
    if (this.#closed) return;
    const { clock, diskShort, memFreeGiB, minuteOfDay, onAvailability, policy, running } = this.#options;
    const now = clock.monotonic();
    const known = this.#idlenessAt(now);
    const next = ownerStep(policy, this.#state, now, {
      minuteOfDay: minuteOfDay(clock.now()),
      memFreeGiB: memFreeGiB(),
      diskShort: diskShort(),
      idleness: known,
      othersLoad: this.#load,
      ...this.#power,
      running: running(),
    });
    this.#state = next.state;
    const before = this.#availability;
    if (next.availability.kind === before.kind && next.availability.reason === before.reason) return;
    this.#availability = next.availability;
    const readAt = this.#idleness?.at ?? now;
    onAvailability(next.availability, known?.kind === "idle" ? known.ms + now - readAt : null);
  }

  close(): void {
    this.#closed = true;
    for (const source of this.#options.sources?.idle ?? []) source.close?.();
  }

  #isAlert(): boolean {
    return this.#options.running() > 0 || this.#availability.kind === "open";
  }

  #idlenessAt(now: number): Idleness | null {
    if (this.#idleness === null) return null;
    if (now - this.#idleness.at <= idleStaleMs) return this.#idleness.reading;
    return { kind: "unknown", why: `the last answer is more than ${idleStaleMs / 1000} s old` };
  }

  async #repeat(everyMs: () => number, read: () => Promise<void>): Promise<void> {
    while (!this.#closed) {
      await read();
      this.assess();
      await sleep(this.#options.clock, everyMs());
    }
  }

  async #readIdleness(from: OwnerSources): Promise<void> {
    const reading = await leastIdle(from.idle);
    if (reading.kind === "idle" && !this.#heardOf.has(reading.source)) {
      this.#heardOf.add(reading.source);
      const ago = Math.round(reading.ms / 1000);
      this.#options.log(`owner: the last input is known from ${reading.source}, ${ago} s ago just now`);
    }
    this.#idleness = { at: this.#options.clock.monotonic(), reading };
  }

  async #readPower(from: OwnerSources): Promise<void> {
    const { log, policy } = this.#options;
    const before = this.#power;
    this.#power = await from.power({ battery: !policy.onBattery, heat: policy.maxCelsius !== null });
    const { celsius, onBattery } = this.#power;
    if (policy.maxCelsius !== null && celsius === null && !this.#heatMissed) {
      this.#heatMissed = true;
      log(
        `no sensor here tells the processor's temperature: the limit of ${policy.maxCelsius} °C has no effect`,
      );
    }
    if (before.onBattery !== onBattery && onBattery === true) log("the machine is on its battery");
  }
}
