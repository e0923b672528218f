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
  const { clock, log, policy, sources } = options;
  let state = firstOwnerState;
  let availability: Availability = { kind: "open", reason: null };
  let idleness: { readonly at: number; readonly reading: Idleness } | null = null;
  let load: number | null = null;
  let power: Power = { onBattery: null, celsius: null };
  let heatMissed = false;
  const heardOf = new Set<string>();
  let closed = false;

  function idlenessNow(now: number): Idleness | null {
    if (idleness === null) return null;
    if (now - idleness.at <= idleStaleMs) return idleness.reading;
    return { kind: "unknown", why: `the last answer is more than ${idleStaleMs / 1000} s old` };
  }

  function assess(): void {
    if (closed) return;
    const now = clock.monotonic();
    const known = idlenessNow(now);
    const next = ownerStep(policy, state, now, {
      minuteOfDay: options.minuteOfDay(clock.now()),
      memFreeGiB: options.memFreeGiB(),
      idleness: known,
      othersLoad: load,
      ...power,
      running: options.running(),
    });
    state = next.state;
    if (next.availability.kind === availability.kind && next.availability.reason === availability.reason)
      return;
    availability = next.availability;
    options.onAvailability(
      availability,
      known?.kind === "idle" ? known.ms + now - (idleness?.at ?? now) : null,
    );
  }

  async function repeat(everyMs: () => number, read: () => Promise<void>): Promise<void> {
    while (!closed) {
      await read();
      assess();
      await sleep(clock, everyMs());
    }
  }

  async function readPower(from: OwnerSources): Promise<void> {
    const first = power;
    power = await from.power({ battery: !policy.onBattery, heat: policy.maxCelsius !== null });
    if (policy.maxCelsius !== null && power.celsius === null && !heatMissed) {
      heatMissed = true;
      log(
        `no sensor here tells the processor's temperature: the limit of ${policy.maxCelsius} °C has no effect`,
      );
    }
    if (first.onBattery !== power.onBattery && power.onBattery === true) log("the machine is on its battery");
  }

  assess();
  if (sources !== null) {
    if (policy.idle !== null) {
      const alert = () => options.running() > 0 || availability.kind === "open";
      void repeat(
        () => (alert() ? idleAlertMs : idleCalmMs),
        async () => {
          const reading = await leastIdle(sources.idle);
          if (reading.kind === "idle" && !heardOf.has(reading.source)) {
            heardOf.add(reading.source);
            const ago = Math.round(reading.ms / 1000);
            log(`owner: the last input is known from ${reading.source}, ${ago} s ago just now`);
          }
          idleness = { at: clock.monotonic(), reading };
        },
      );
      void repeat(
        () => loadEveryMs,
        async () => {
          load = await sources.othersLoad();
        },
      );
    }
    if (!policy.onBattery || policy.maxCelsius !== null)
      void repeat(
        () => powerEveryMs,
        () => readPower(sources),
      );
  }

  return {
    assess,
    get seen() {
      const reading = idleness?.reading ?? null;
      const known = reading?.kind === "idle" ? reading : null;
      return {
        stance: availability.kind,
        reason: availability.reason,
        idleSource: known?.source ?? null,
        idleMs: known?.ms ?? null,
      };
    },
    close: () => {
      closed = true;
      for (const source of sources?.idle ?? []) source.close?.();
    },
  };
}
