// A server that has lost messages it had said were stored, and the person who puts them back: every coordinator must notice it and
// halt; then the one with the longest copy restores the journal, and the other is started again. What is decided meanwhile: nothing.
import type { Candidate } from "../../coordinator/leader/candidate.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { ProcessClock } from "./process.ts";

/** What of the world it needs. */
export interface LossWorld {
  readonly clock: Clock;
  readonly candidates: Map<
    string,
    { readonly clock: ProcessClock; readonly candidate: Candidate; readonly bus: Pick<Bus, "status"> }
  >;
  readonly violations: string[];
  note(line: string): void;
  startCandidate(name: string, restoreJournal: boolean): void;
  copyEndOf(candidate: string): number;
}

const personMs = 10_000;
/** Far longer than whoever is connected takes to notice it, also where the server's answers mostly come too late. */
const noticeMs = 180_000;
const lookEveryMs = 1_000;

export class JournalLoss {
  readonly #world: LossWorld;
  readonly #names: readonly string[];
  readonly #over: () => void;
  readonly #stopped = new Set<string>();

  /** `over` is told once the journal is whole again and all may start. */
  constructor(world: LossWorld, names: readonly string[], over: () => void) {
    this.#world = world;
    this.#names = names;
    this.#over = over;
    this.#watch(new Map(names.map((name) => [name, noticeMs])));
  }

  #watch(left: Map<string, number>): void {
    this.#world.clock.setTimer(lookEveryMs, () => {
      for (const [name, ms] of left) {
        const process = this.#world.candidates.get(name);
        if (process === undefined || this.#stopped.has(name)) left.delete(name);
        else if (process.bus.status() === "connected" && !process.clock.standsStill) {
          left.set(name, ms - lookEveryMs);
          if (ms > lookEveryMs) continue;
          left.delete(name);
          this.#world.violations.push(`JOURNAL-8: ${name} has not noticed the loss`);
        }
      }
      if (left.size > 0) this.#watch(left);
    });
  }

  halted(name: string, reason: string): void {
    const process = this.#world.candidates.get(name);
    this.#world.note(`${name} halted: ${reason}`);
    if (process === undefined) return;
    if (this.#stopped.has(name)) this.#world.violations.push(`JOURNAL-5: ${name} halted again: ${reason}`);
    // It ends as a process does that has said so: what it has a copy of goes to its disk first.
    void process.candidate.stop().then(() => {
      process.clock.kill();
      this.#world.candidates.delete(name);
      this.#stopped.add(name);
      if (this.#stopped.size === this.#names.length)
        this.#world.clock.setTimer(personMs, () => this.#restore());
    });
  }

  #restore(): void {
    const [best, ...others] = this.#names.toSorted(
      (a, b) => this.#world.copyEndOf(b) - this.#world.copyEndOf(a),
    );
    if (best === undefined) return;
    this.#world.startCandidate(best, true);
    const look = (): void => {
      if (this.#world.candidates.get(best)?.candidate.role() !== "leader")
        return void this.#world.clock.setTimer(1_000, look);
      this.#over();
      for (const name of others) this.#world.startCandidate(name, false);
    };
    look();
  }
}
