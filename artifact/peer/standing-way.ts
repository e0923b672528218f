/**
 * Connections that a machine keeps open to some that pass on (`relay.ts`), so that whoever cannot reach it finds it there. Each is dialled by this
 * machine, so it needs no port. Not here: who passes on (the tracker), and what comes on them (`relayed-way.ts`).
 *
 * RELAY-3: a machine that gives anything keeps ways open through two that pass on, where there are some, and another where one ends.
 */
import { sleep, type Clock } from "../../protocol/time/clock.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Peer } from "./peer-door.ts";
import type { PeerLink } from "./peer-link.ts";

const waysMax = 2;
/** Between two looks while there are too few, and while there are enough, ms. */
const lookFirstMs = 500;
const lookMs = 5_000;
const lookMsMax = 30_000;
/** More often than any router forgets a connection of which it hears nothing, and than a link is closed for that, ms. */
const pingMs = 45_000;
/** One that could not be reached is tried again after this long, ms. */
const asideMs = 60_000;

type WayLink = Pick<PeerLink, "fault" | "nextId" | "send">;

interface Way {
  readonly relay: Peer;
  readonly link: WayLink;
  pingedAt: number;
}

export interface StandingWaysOptions {
  readonly dial: (relay: Peer) => Promise<Outcome<WayLink>>;
  readonly clock: Clock;
  /** Who passes on, the likeliest first; never this machine. */
  readonly relays: () => Promise<readonly Peer[]>;
  /** Hears through whom this machine is found from now on. */
  readonly onChange: (names: readonly string[]) => void;
}

export class StandingWays {
  readonly #options: StandingWaysOptions;
  readonly #ways = new Map<string, Way>();
  readonly #aside = new Map<string, number>();
  #stopTimer: () => void = () => {};
  #isStopped = false;
  #told = "";

  constructor(options: StandingWaysOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopTimer();
  }

  /** Where the one that this machine is found through takes connections. */
  placeOf(relay: string): Peer | null {
    return this.#ways.get(relay)?.relay ?? null;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    for (let pauseMs = lookFirstMs; !this.#isStopped;) {
      await this.#look();
      this.#tell();
      const isEnough = this.#ways.size >= waysMax;
      await sleep(clock, isEnough ? lookMs : pauseMs);
      // Where nobody passes on, it is asked for less and less often.
      pauseMs = isEnough ? lookFirstMs : Math.min(lookMsMax, pauseMs * 2);
    }
  }

  async #look(): Promise<void> {
    const { clock, dial, relays } = this.#options;
    const now = clock.monotonic();
    for (const [name, way] of this.#ways) {
      if (way.link.fault !== null) this.#ways.delete(name);
      else if (now - way.pingedAt >= pingMs) {
        way.pingedAt = now;
        way.link.send({ kind: "ping", id: way.link.nextId() });
      }
    }
    if (this.#ways.size >= waysMax) return;
    for (const relay of await relays()) {
      if (this.#ways.size >= waysMax || this.#isStopped) return;
      if (this.#ways.has(relay.name) || (this.#aside.get(relay.name) ?? -Infinity) > now) continue;
      const link = await dial(relay);
      if (link.ok) {
        this.#ways.set(relay.name, { relay, link: link.value, pingedAt: clock.monotonic() });
        this.#aside.delete(relay.name);
      } else this.#aside.set(relay.name, clock.monotonic() + asideMs);
    }
  }

  #tell(): void {
    const names = [...this.#ways.keys()].toSorted();
    if (names.join() === this.#told || this.#isStopped) return;
    this.#told = names.join();
    this.#options.onChange(names);
  }
}
