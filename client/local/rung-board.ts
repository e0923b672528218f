/**
 * The trials that have reached each rung of a local sweep, and what the stopping policy says of them. Suspends and ends
 * nothing itself.
 */
import { stoppingPolicy } from "../../search/stopping/choose-policy.ts";
import {
  nextRung,
  type RungEntry,
  type Scores,
  type StoppingPolicy,
  type Verdict,
} from "../../search/stopping/stopping-policy.ts";
import type { CommandSweep } from "../../spec/sweep/command-sweep.ts";
import type { LocalTrial } from "./local-trial.ts";

export class RungBoard {
  private readonly objectives: CommandSweep["objectives"];
  private readonly policy: StoppingPolicy;
  private readonly rungs = new Map<number, RungEntry[]>();

  constructor({ objectives, stopping }: Pick<CommandSweep, "objectives" | "stopping">) {
    this.objectives = objectives;
    this.policy = stoppingPolicy(stopping);
  }

  /** Null where the trial has not just come to a rung below its full length. `trials` are all, by number from 1. */
  judge(trial: LocalTrial, trials: readonly LocalTrial[]): Verdict | null {
    const rungs = this.policy.rungsOf(trial.number);
    const { resource } = trial;
    if (!rungs.includes(resource) || nextRung(rungs, resource) === null) return null;
    const entry: RungEntry = {
      trial: String(trial.number),
      number: trial.number,
      scores: this.scores(trial.markRung().values),
      promoted: false,
      paused: false,
    };
    const entries = [...(this.rungs.get(resource) ?? []), entry];
    this.rungs.set(resource, entries);
    const verdict = this.policy.verdict({
      resource,
      trial: entry,
      entries,
      curveOf: ({ number }) =>
        (trials[number - 1]?.rungs ?? [])
          .filter((rung) => rung.resource <= resource)
          .map((rung) => this.scores(rung.values)),
    });
    if (verdict.kind === "continue") this.change(resource, trial.number, { promoted: true });
    if (verdict.kind === "pause") this.change(resource, trial.number, { paused: true });
    return verdict;
  }

  /** The next waiting trial that deserves to go on, from the highest rung down; it counts as promoted from now on. */
  promote(waits: (number: number) => boolean): number | null {
    for (const resource of [...this.rungs.keys()].toSorted((a, b) => b - a)) {
      const promotable = this.policy.promotable(this.rungs.get(resource) ?? []);
      const found = promotable.find(({ number }) => waits(number));
      if (found === undefined) continue;
      this.change(resource, found.number, { paused: false, promoted: true });
      return found.number;
    }
    return null;
  }

  private change(resource: number, number: number, change: Partial<RungEntry>): void {
    const entries = this.rungs.get(resource) ?? [];
    this.rungs.set(
      resource,
      entries.map((entry) => (entry.number === number ? { ...entry, ...change } : entry)),
    );
  }

  private scores(values: readonly number[]): Scores {
    return values.map((value, index) => (this.objectives[index]?.goal === "minimize" ? -value : value));
  }
}
