/**
 * Decides on the durable reports of agents. FENCE-1: a report counts only for the live attempt it names. What it says of the time
 * used counts within what was seen (`use.ts`).
 */
import type { Digest } from "../../protocol/id.ts";
import type { Report } from "../../protocol/report.ts";
import { charge } from "../budget/ledger.ts";
import type { PackPlaces, Steps } from "../state/input.ts";
import { attemptEnded, leaseAccepted } from "./attempt-fact.ts";
import { checkpointKept, rungReached } from "./kept-fact.ts";
import { judge } from "./judge.ts";
import { endAttempt, type End } from "./outcome.ts";
import { recordBuilt } from "../registry/record-built.ts";
import { accuse, accuseForged, quarantine } from "./quarantine.ts";
import { useAtReport, type Moment, type Use } from "./use.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { attemptByFence, mustGet, type Attempt, type State, type Trial } from "../state/state.ts";

/** `packs`: where the bytes lie that came with it. */
export function* decideReport(
  state: State,
  agent: string,
  report: Report,
  moment: Moment,
  packs: PackPlaces = noPacks,
): Steps {
  const found = attemptByFence(state, report.fence);
  if (found === null || found.attempt.agent !== agent) {
    if (report.kind === "finished" || report.kind === "stopped" || report.kind === "failed") {
      yield { kind: "ReportNoted", agent, fence: report.fence, report: report.kind };
    }
    return;
  }
  const { trial, attempt } = found;
  const { settings } = moment;
  if (report.kind === "accepted") {
    if (attempt.state === "offered") yield leaseAccepted(attempt, moment);
    return;
  }
  if (report.kind === "refused") {
    yield* endAttempt(state, trial, attempt, { ending: "refused", why: report.reason }, settings);
    // Until its next heartbeat says otherwise: offering again at once would be refused again.
    yield { kind: "AgentClosed", agent, reason: report.reason };
    return;
  }
  const use = useAtReport(attempt, report, moment);
  yield* accuse(state, attempt, use.fault);
  if (mustGet(state.sweeps, trial.sweep, "sweep").deployment !== undefined) {
    yield* replicaReported(state, trial, attempt, report, use, settings);
    return;
  }
  switch (report.kind) {
    case "checkpoint":
      if (isNewer(state, trial, report.resource, report.digest))
        yield checkpointKept(state, trial, { ...report, usedMs: keptMs(attempt, report, use) }, false, packs);
      return;
    case "finished":
      yield* finished(state, trial, attempt, { ...report, usedMs: use.usedMs }, settings, packs);
      return;
    case "stopped":
      yield* stopped(state, trial, attempt, report, use, settings, packs);
      return;
    case "failed": {
      const end =
        report.lacks !== undefined
          ? lackingEnd(report, report.lacks, use)
          : report.retryable
            ? { ending: "failed" as const, why: report.reason }
            : { ending: "failed" as const, why: report.reason, usedMs: use.usedMs, final: true };
      yield* endAttempt(state, trial, attempt, end, settings);
      return;
    }
  }
}

/** DEPLOY-10: a replica keeps nothing and ends nothing: whatever its agent says ended it, what it used is what it answered with, and is paid. */
function* replicaReported(
  state: State,
  trial: Trial,
  attempt: Attempt,
  report: Exclude<Report, { kind: "accepted" | "refused" }>,
  { usedMs }: Use,
  settings: CoordinatorSettings,
): Steps {
  switch (report.kind) {
    case "checkpoint":
      return;
    case "finished":
      return yield* endAttempt(
        state,
        trial,
        attempt,
        { ending: "failed", why: "it ended by itself", usedMs },
        settings,
      );
    case "stopped": {
      const end = { ending: "stopped", why: stoppedBecause(report.why, attempt.cancel), usedMs } as const;
      yield* endAttempt(state, trial, attempt, end, settings);
      if (report.why === "shutdown") yield { kind: "AgentSilent", agent: attempt.agent };
      return;
    }
    case "failed":
      return yield* endAttempt(
        state,
        trial,
        attempt,
        { ending: "failed", why: report.reason, usedMs },
        settings,
      );
  }
}

const noPacks: PackPlaces = new Map();

/** CARRY-2: of an agent whose bytes are not what it says no word counts: the trial goes elsewhere from what was kept before. */
export function* refuseForged(
  state: State,
  agent: string,
  { fence }: Report,
  why: string,
  settings: CoordinatorSettings,
): Steps {
  const found = attemptByFence(state, fence);
  if (found === null || found.attempt.agent !== agent) return;
  yield* accuseForged(state, agent, why);
  yield* endAttempt(state, found.trial, found.attempt, { ending: "failed", why }, settings);
}

/** The digests whose bytes this report could bring into the record, as far as can be told before it is decided on. */
export function wantedOf(state: State, agent: string, report: Report): readonly Digest[] {
  const found = attemptByFence(state, report.fence);
  if (found === null || found.attempt.agent !== agent) return [];
  if (report.kind !== "checkpoint" && report.kind !== "finished" && report.kind !== "stopped") return [];
  const { best, digest, resource } = report;
  if (digest === null || !(report.kind === "finished" || isNewer(state, found.trial, resource, digest)))
    return [];
  const named = best === undefined ? [digest] : [digest, best.digest];
  return named.filter((one) => !state.packed.has(one));
}

/** LACK-4: a start on a machine that cannot is nobody's to pay; whoever works for longer before it misses something has used the machine. */
const lackFreeMs = 60_000;

function lackingEnd({ reason: why }: { readonly reason: string }, lacks: string, { usedMs }: Use): End {
  const end = { ending: "failed", why, lacks } as const;
  return usedMs > lackFreeMs ? { ...end, usedMs } : end;
}

/** What was kept was worked no longer than the attempt can have run, and no shorter than what was kept before. */
function keptMs({ keptMs }: Attempt, { usedMs }: { readonly usedMs: number }, { mostMs }: Use): number {
  return Math.max(keptMs, Math.min(usedMs, mostMs));
}

/** AGENT-6: what the owner drives out, and what stood still, is paid up to what was kept; anything else as long as it ran. */
function* stopped(
  state: State,
  trial: Trial,
  attempt: Attempt,
  report: Extract<Report, { kind: "stopped" }>,
  use: Use,
  settings: CoordinatorSettings,
  packs: PackPlaces,
): Steps {
  const { digest } = report;
  if (digest !== null && isNewer(state, trial, report.resource, digest)) {
    const kept = { ...report, digest, usedMs: keptMs(attempt, report, use) };
    yield checkpointKept(state, trial, kept, false, packs);
  }
  const why = stoppedBecause(report.why, attempt.cancel);
  const kept = trial.checkpoint !== null && trial.checkpoint.digest !== attempt.from?.digest;
  const tooShort = report.why === "horizon" && !kept;
  const isFree = report.why === "owner" || attempt.meter.phase === "standing";
  const measured = { pace: report.pace, usedMs: use.usedMs };
  const end = { ending: "stopped", why, tooShort, measured, metrics: report.metrics } as const;
  yield* endAttempt(state, trial, attempt, isFree ? end : { ...end, usedMs: use.usedMs }, settings);
  if (report.why === "shutdown") yield { kind: "AgentSilent", agent: attempt.agent };
}

/** A program saves when it likes, also twice between two of its reports. */
function isNewer(state: State, trial: Trial, resource: number, digest: Digest): boolean {
  const known = trial.checkpoint?.resource ?? 0;
  if (resource !== known) return resource > known;
  const { spec } = mustGet(state.sweeps, trial.sweep, "sweep");
  return spec.program !== null && digest !== trial.checkpoint?.digest;
}

function* finished(
  state: State,
  trial: Trial,
  attempt: Attempt,
  report: Extract<Report, { kind: "finished" }>,
  settings: CoordinatorSettings,
  packs: PackPlaces,
): Steps {
  const { alsoObjectives, objective } = mustGet(state.sweeps, trial.sweep, "sweep").spec;
  const { metrics } = report;
  const missing = [objective, ...alsoObjectives].find(({ metric }) => !Number.isFinite(metrics[metric]));
  const value = metrics[objective.metric];
  if (missing !== undefined || value === undefined) {
    const reported = Object.keys(metrics).join(", ") || "nothing";
    const why = `it did not report a finite "${missing?.metric}"; it reported ${reported}`;
    yield* endAttempt(
      state,
      trial,
      attempt,
      { ending: "failed", why, usedMs: report.usedMs, final: true },
      settings,
    );
    return;
  }
  if (report.resource !== attempt.target) {
    const why = `it reported epoch ${report.resource} as finished, not ${attempt.target}`;
    yield* endAttempt(state, trial, attempt, { ending: "failed", why }, settings);
    return;
  }
  const { built } = report;
  const kept = checkpointKept(state, trial, report, true, packs);
  yield built === undefined ? kept : { ...kept, built };
  const also = alsoObjectives.map(({ metric }) => metrics[metric] ?? Number.NaN);
  yield rungReached(state, trial, report, { value, also });
  const posted = charge(report.usedMs, attempt.rate, attempt.reserved);
  const measured = { pace: report.pace, usedMs: report.usedMs };
  const end = { ending: "finished", note: "", posted, tooShort: false, measured } as const;
  yield attemptEnded(state, trial, attempt, end);
  yield* recordBuilt(state, trial);
  yield* quarantine(state, trial, attempt.agent);
  yield* judge(state, trial);
}

function stoppedBecause(why: string, cancel: string | null): string {
  switch (why) {
    case "cancelled":
      return cancel ?? "cancelled";
    case "horizon":
      return "its prepaid time ran out";
    case "owner":
      return "the machine's owner took it back";
    case "drain":
      return "the agent is draining";
    default:
      return "the agent shut down";
  }
}
