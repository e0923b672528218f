/** The counts of rollouts for Prometheus, with the labels model, version and role. Nothing where none runs. */
import type { Comparison } from "../rollout/comparison.ts";
import type { Lane } from "../batch/lane.ts";
import { versionLabels } from "./metric-label.ts";
import type { RolloutDesk } from "./rollout-desk.ts";

interface Challenger {
  readonly desk: RolloutDesk;
  readonly role: "canary" | "shadow";
  readonly lane: Lane;
  readonly comparison: Comparison;
}

interface RolloutMetric {
  readonly name: string;
  readonly about: string;
  readonly type: "counter" | "gauge";
  readonly value: (challenger: Challenger) => number;
}

const rolloutMetricList: readonly RolloutMetric[] = [
  gauge("share", "Of the callers' requests, 0 to 1", ({ desk, role }) =>
    role === "canary" && desk.rollout.isCanaryOn ? (desk.options.canary?.share ?? 0) : 0,
  ),
  gauge(
    "evidence",
    "That it is worse than the incumbent, as a part of what is enough; from 1 on it is taken back",
    ({ comparison, desk }) => Math.min(comparison.evidence * desk.options.alpha, Number.MAX_VALUE),
  ),
  // Where the incumbent is another version they begin anew, as a counter does in a process that was started again.
  counter(
    "pairs",
    "Requests that it and the incumbent were asked",
    ({ comparison }) => comparison.counts.pairs,
  ),
  counter(
    "failures",
    "Of these, those that it alone failed at",
    ({ comparison }) => comparison.counts.challengerFailed,
  ),
  counter(
    "incumbent_failures",
    "Of these, those that the incumbent alone failed at",
    ({ comparison }) => comparison.counts.incumbentFailed,
  ),
  counter("agreed", "Of these, those that both answered alike", ({ comparison }) => comparison.counts.agreed),
  counter("truths", "Of these, those whose truth is known", ({ comparison }) => comparison.counts.truths),
  counter(
    "right",
    "Of these, those that it got right",
    ({ comparison }) => comparison.counts.challengerRight,
  ),
  counter(
    "incumbent_right",
    "Of these, those that the incumbent got right",
    ({ comparison }) => comparison.counts.incumbentRight,
  ),
  counter("late", "Answers in which it alone was late", ({ comparison }) => comparison.counts.challengerLate),
  counter(
    "copies_dropped",
    "Copies that there was no time for, of all roles",
    ({ desk }) => desk.copies.dropped,
  ),
];

function counter(name: string, about: string, value: RolloutMetric["value"]): RolloutMetric {
  return { name: `trialmesh_rollout_${name}_total`, about, type: "counter", value };
}

function gauge(name: string, about: string, value: RolloutMetric["value"]): RolloutMetric {
  return { name: `trialmesh_rollout_${name}`, about, type: "gauge", value };
}

export function rolloutMetrics(desks: readonly RolloutDesk[]): string {
  const challengers = desks.flatMap(challengersOf);
  if (challengers.length === 0) return "";
  const lines = rolloutMetricList.flatMap(({ about, name, type, value }) => [
    `# HELP ${name} ${about}.`,
    `# TYPE ${name} ${type}`,
    ...challengers.map((one) => `${name}{${versionLabels(one.lane)},role="${one.role}"} ${value(one)}`),
  ]);
  return `${lines.join("\n")}\n`;
}

function challengersOf(desk: RolloutDesk): readonly Challenger[] {
  return (["canary", "shadow"] as const).flatMap((role) => {
    const lane = role === "canary" ? (desk.options.canary?.lane ?? null) : desk.shadow;
    const comparison = desk.rollout.comparison(role);
    return lane === null || comparison === null ? [] : [{ desk, role, lane, comparison }];
  });
}
