/**
 * Time at the pace of the processes under test: while they wait for a processor that others have, it stands still. For
 * deadlines that a busy machine may not break. It measures nothing for people; where the system does not say who waits,
 * it is the time of the wall.
 */
import { readFileSync } from "node:fs";
import { processesUnder } from "./process-tree.ts";

/** Longer gaps between two looks are the machine's own: it slept, or this process did not run at all. */
const gapMaxMs = 2_000;

/** Nanoseconds a process has run on a processor, and has waited for one. */
interface Turns {
  readonly ran: number;
  readonly waited: number;
}

export class Pace {
  readonly #root: number;
  #seen = new Map<number, Turns>();
  #at = performance.now();

  /** Looks at `root` and at everything that descends from it. */
  constructor(root: number = process.pid) {
    this.#root = root;
    this.#seen = turnsUnder(root);
  }

  /** What has passed since the last call, ms: the wall's time, less as much of it as they stood in line. */
  elapsed(): number {
    const now = performance.now();
    const wallMs = Math.min(now - this.#at, gapMaxMs);
    this.#at = now;
    const turns = turnsUnder(this.#root);
    let ran = 0;
    let waited = 0;
    for (const [pid, turn] of turns) {
      const before = this.#seen.get(pid) ?? { ran: 0, waited: 0 };
      ran += Math.max(0, turn.ran - before.ran);
      waited += Math.max(0, turn.waited - before.waited);
    }
    this.#seen = turns;
    // Who wants nothing waits for nothing: time passes as the wall has it.
    return ran + waited === 0 ? wallMs : (wallMs * ran) / (ran + waited);
  }
}

function turnsUnder(root: number): Map<number, Turns> {
  const found = new Map<number, Turns>();
  for (const pid of processesUnder(root)) {
    try {
      const [ran, waited] = readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ").map(Number);
      if (ran !== undefined && waited !== undefined) found.set(pid, { ran, waited });
    } catch {
      // It has ended, or this system has no such file.
    }
  }
  return found;
}
