// A journal read for what tells that somebody took a clock for the passing of time; and the sweep it is read of. In virtual and in
// real time alike.
import type { Event } from "../../coordinator/format/event.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";

export interface Seen {
  readonly event: Event;
  /** The journal's time, ms. */
  readonly at: number;
}

/** Nothing is written for so long in a mesh at work: a lease is extended before half of it is over, ms. */
const quietMaxMs = 60_000;

export function harmOf(seen: readonly Seen[]): readonly string[] {
  return seen.flatMap(({ event, at }, index) => {
    const before = seen[index - 1]?.at ?? at;
    if (at < before || at > before + quietMaxMs) return [`the journal's time leaps from ${before} to ${at}`];
    if (event.kind === "AgentSilent") return [`${event.agent} is called silent`];
    if (event.kind === "AttemptEnded" && event.ending !== "finished" && event.ending !== "failed")
      return [`fence ${event.fence} ended as ${event.ending}: ${event.note ?? ""}`];
    return [];
  });
}

/** `epochs`: how long each of its trials is. */
export function clockedSweep(trials: number, epochs: number) {
  const space = { lr: { distribution: "log-uniform", min: 0.001, max: 1 } };
  return sweepSpecSchema.parse({
    name: "sweep",
    task: "simulated",
    dataset: null,
    objective: { metric: "accuracy", goal: "maximize" },
    search: { method: "random", trials, seed: 3 },
    stopping: { policy: "none", max: epochs },
    models: [{ model: "alpha", space }],
    needs: {},
    cap: null,
    trialSeed: 1,
    codeVersion: "sim",
    reuse: false,
    register: null,
  });
}
