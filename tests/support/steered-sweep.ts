/** What befalls a sweep while somebody steers it, as steps for generated tests: reports, time, commands that may be refused. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { mustGet, activeAttempt } from "../../coordinator/state/state.ts";
import { digestOfNumber, type Fold } from "./fold.ts";

export const stepArbitrary = fc.record({
  what: fc.constantFrom(
    "finish",
    "finish",
    "finish",
    "leave",
    "lose",
    "pause",
    "pause-now",
    "resume",
    "tune",
    "stop",
    "extend",
    "stop-trial",
    "label",
  ),
  /** Of those that it may concern, this one. */
  which: fc.nat(20),
  value: fc.double({ min: 0, max: 1, noNaN: true }),
});
export type Step = Exclude<typeof stepArbitrary extends fc.Arbitrary<infer S> ? S : never, never>;

/** What was asked to leave does so, with a checkpoint at `resource` where that is further than it was. */
export function leaveAll(fold: Fold, resource: number): void {
  for (const trial of fold.running()) {
    const attempt = activeAttempt(trial);
    if (attempt === null || attempt.cancel === null) continue;
    fold.at += 500;
    const reached = Math.min(resource, attempt.target - 1);
    const isFurther = reached > (trial.checkpoint?.resource ?? 0);
    const kept = isFurther
      ? { resource: reached, digest: digestOfNumber(attempt.fence), bytes: 1, metrics: { accuracy: 0.1 } }
      : { resource: trial.checkpoint?.resource ?? 0, digest: null, bytes: 0, metrics: {} };
    const { agent, fence } = attempt;
    fold.report(agent, { kind: "stopped", fence, ...kept, usedMs: 400, why: "cancelled" });
  }
}

/** Plays them on sweep s1, and sees to it that a paused sweep is offered nothing. */
export function playSteps(fold: Fold, steps: readonly Step[]): void {
  for (const step of steps) {
    const isPaused = () => mustGet(fold.state.sweeps, "s1", "sweep").paused !== undefined;
    const [before, wasPaused] = [fold.of("LeaseOffered").length, isPaused()];
    playStep(fold, step);
    if (wasPaused && isPaused())
      assert.equal(fold.of("LeaseOffered").length, before, `nothing is offered while paused: ${step.what}`);
  }
}

function playStep(fold: Fold, { value, what, which }: Step): void {
  const running = fold.running();
  const trial = running[which % Math.max(1, running.length)];
  switch (what) {
    case "finish":
      if (trial !== undefined) fold.finish(trial, value);
      return;
    case "leave":
      leaveAll(fold, 1 + (which % 3));
      return;
    case "lose":
      fold.pass(fold.settings.leaseMs + fold.settings.graceMs + 1);
      return;
    case "pause":
    case "pause-now":
      fold.command("sweep-pause", { sweep: "s1", now: what === "pause-now" });
      return;
    case "resume":
      fold.command("sweep-resume", { sweep: "s1" });
      return;
    case "extend":
      fold.command("sweep-extend", { sweep: "s1", trials: 1 + (which % 3) });
      return;
    case "label":
      fold.command("sweep-tag", { sweep: "s1", add: [`t${which % 3}`], remove: [`t${(which + 1) % 3}`] });
      fold.command("trial-note", { trial: `s1-${which + 1}`, note: which % 2 === 0 ? "a note" : "" });
      return;
    case "stop-trial":
      fold.command("trial-stop", { trial: `s1-${which + 1}` });
      return;
    case "tune":
      fold.command("sweep-tune", { sweep: "s1", priority: which });
      return;
    case "stop":
      // Seldom, for it ends the story.
      if (which === 0) fold.command("sweep-stop", { sweep: "s1" });
      return;
  }
}
