/** Carries the owner's availability over to the attempts on this machine: stand still, go on, leave. Which availability it is: `owner/availability.ts`. */
import type { Availability } from "../owner/availability.ts";
import type { AgentEffect } from "./agent-effect.ts";
import { kill, stop } from "./end-attempt.ts";
import { shareCheckpoint } from "./report-of.ts";
import { standUsed } from "./used-time.ts";
import type { AgentState, Held } from "./agent-state.ts";

export function obeyOwner(state: AgentState, availability: Availability, now: number): AgentEffect[] {
  state.availability = availability;
  const all = [...state.held.values()];
  switch (availability.kind) {
    case "open":
    case "closed":
      return all.flatMap((held) => goOn(held, now));
    case "suspended":
      return all.flatMap((held) => standStill(state, held, now));
    case "vacating":
      // Patient, but only with the time that was prepaid when the owner said so.
      return all.flatMap((held) => stop(state, held, "owner", held.deadline));
  }
}

/** AGENT-5. Its last checkpoint goes to the mesh, so that nothing is lost if this machine leaves. */
function standStill(state: AgentState, held: Held, now: number): AgentEffect[] {
  if (held.phase !== "running" || held.suspended || held.killed) return [];
  held.suspended = true;
  standUsed(held, now);
  // What was about to leave does not wait for the owner's absence; nor can anything where nothing can stand still.
  if (held.stopping !== null) return kill(held);
  if (!state.canSuspend) return stop(state, held, "owner", now);
  return [{ kind: "suspend", fence: held.lease.fence }, ...shareCheckpoint(held, now)];
}

function goOn(held: Held, now: number): AgentEffect[] {
  if (held.phase === "ready") return startJob(held);
  if (!held.suspended || held.killed) return [];
  held.suspended = false;
  if (held.phase === "running" && held.started && !held.exited) held.usedSince = now;
  return [{ kind: "resume", fence: held.lease.fence }];
}

export function startJob(held: Held): AgentEffect[] {
  const { files, lease } = held;
  held.phase = "running";
  const job = {
    fence: lease.fence,
    trial: lease.trial,
    requester: lease.requester,
    task: lease.task,
    model: lease.model,
    params: lease.params,
    seed: lease.seed,
    backend: lease.backend,
    datasetPath: files.datasetPath,
    parts: files.parts,
    expectationsPath: lease.expectations === undefined ? undefined : files.parts[lease.expectations],
    program: lease.program,
    fromCheckpointPath: files.checkpointPath,
    fromResource: lease.from?.resource ?? 0,
    targetResource: lease.target,
    ...(lease.serving === undefined ? {} : { serving: lease.serving }),
    ...(lease.goal === undefined ? {} : { keepBest: { metric: lease.metric, goal: lease.goal } }),
    ...(lease.best === undefined || files.bestPath === undefined
      ? {}
      : { bestBefore: { ...lease.best, path: files.bestPath } }),
  };
  return [{ kind: "start", lease, job }];
}
