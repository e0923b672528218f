/** One agent: its machine, its load over time, what it runs, what it can train on, and its owner's word. */
import type { AgentView } from "../../protocol/view.ts";
import { bar } from "../../text/canvas/bar.ts";
import { sparkline } from "../../text/canvas/sparkline.ts";
import { pair } from "../part/screen-table.ts";
import { duration, gib, rate as rateText, value } from "../../text/format.ts";
import { line, span, type Line } from "../../text/line.ts";
import { loadNote } from "../../text/load-note.ts";
import { cell, wrap } from "../../text/width.ts";
import { agentState, loadText } from "./agent-word.ts";
import { agoOf, type View } from "../part/screen-view.ts";

const sparkWidthMax = 60;
const barWidth = 10;
const labelWidth = 12;

export function agentDetail(view: View, agent: AgentView, width: number, height: number): readonly Line[] {
  const { glyphs } = view;
  const state = agentState(agent, glyphs);
  const loads = view.data.loads.get(agent.agent) ?? [];
  const spark = sparkline(loads, Math.min(sparkWidthMax, width - 20), 0, 1, glyphs);
  const { host } = agent;
  const lines: Line[] = [
    line(
      span("state       ", "dim"),
      span(state.text, state.tone),
      span(agent.closed === null ? "" : ` (${agent.closed})`),
      span(`, heard ${agoOf(view, agent.lastSeenAt)}`, "dim"),
    ),
    ...quarantineLines(agent, width),
    ...lackLines(agent, width),
    line(span("load        ", "dim"), span(loadText(agent.cpuLoad).padEnd(6)), span(spark, "accent")),
    ...ownerLines(agent, width),
    pair("memory", `${gib(agent.memFreeGiB)} free of ${gib(host.memGiB)}`),
    ...running(view, agent, width),
    pair("machine", `${host.os} ${host.arch}, ${host.cores} ${glyphs.times} ${host.cpuModel}`),
  ];
  for (const gpu of host.gpus) {
    lines.push(
      pair(
        "gpu",
        `${gpu.vendor} ${gpu.model}, ${gpu.vramGiB === null ? "memory unknown" : gib(gpu.vramGiB)}`,
      ),
    );
  }
  for (const [index, backend] of agent.backends.entries()) {
    const word = backend.works ? "trains" : "no";
    const reason = [backend.reason ?? backend.version, loadNote(backend.load)]
      .filter((part) => part !== null)
      .join("; ");
    lines.push(
      line(
        span(cell(index === 0 ? "backends" : "", 12, ""), "dim"),
        span(cell(backend.name, 14, glyphs.ellipsis)),
        span(cell(word, 9, ""), backend.works ? "good" : "warn"),
        span(reason, "dim"),
      ),
    );
  }
  for (const [index, rate] of agent.rates.entries()) {
    lines.push(
      line(
        span(cell(index === 0 ? "rates" : "", 12, ""), "dim"),
        span(
          `${cell(rateText(rate.tokensPerSecond), 6, glyphs.ellipsis, "right")} tok/s  ${rate.kind} on ${rate.backend}`,
        ),
      ),
    );
  }
  lines.push(...measuredLines(agent, width), ...policy(agent, width));
  return lines.slice(0, Math.max(0, height));
}

function running(view: View, agent: AgentView, width: number): readonly Line[] {
  const { glyphs } = view;
  const head = pair("slots", `${agent.running.length} of ${agent.slots} busy`);
  return [
    head,
    ...agent.running.map((each) =>
      line(
        each.suspended
          ? span(`  ${glyphs.trial.paused} `, "warn")
          : span(`  ${glyphs.trial.running} `, "good"),
        span(cell(each.trial, 9, glyphs.ellipsis)),
        span(` ${bar(each.resource, each.target, width >= 60 ? barWidth : 5, glyphs)}`, "accent"),
        span(` ${each.resource}/${each.target}`),
        span(each.suspended ? " suspended," : "", "warn"),
        span(` ${each.model} on ${each.backend} for ${each.requester}, ${duration(each.usedMs)}`),
      ),
    ),
  ];
}

const availabilityTones = { open: "good", closed: "warn", suspended: "warn", vacating: "warn" } as const;

/** What the owner's policy makes of the moment, and how it knows whether the owner is there. */
/** Why the coordinator gives it nothing new. */
function quarantineLines({ cordonReason }: AgentView, width: number): readonly Line[] {
  if (cordonReason === null) return [];
  const words = wrap(cordonReason, width - labelWidth);
  return words.map((each, index) => pair(index === 0 ? "quarantined" : "", each, "warn"));
}

/** What programs have not found there. */
function lackLines({ lacks }: AgentView, width: number): readonly Line[] {
  return lacks.flatMap(({ sweep, what }, index) => {
    const words = wrap(`${what} (${sweep})`, width - labelWidth);
    return words.map((each, row) => pair(index + row === 0 ? "lacks" : "", each, "warn"));
  });
}

function ownerLines({ owner }: AgentView, width: number): readonly Line[] {
  if (owner === null) return [];
  const { idleMs, idleSource, reason, stance: availability } = owner;
  const why = reason === null ? [] : wrap(reason, width - labelWidth).map((each) => pair("", each));
  const input = idleMs === null ? "the last input is unknown" : `last input ${inputAge(idleMs)} ago`;
  return [
    pair("availability", availability, availabilityTones[availability]),
    ...why,
    ...(idleSource === null ? [] : [pair("", `${input}, by ${idleSource}`, "dim")]),
  ];
}

/** In steps that do not make a new frame each second of a long absence. */
function inputAge(ms: number): string {
  return duration(ms < 60_000 ? ms : Math.floor(ms / 60_000) * 60_000);
}

/** Speeds that real trials showed to be other than the probe's. */
function measuredLines({ measured }: AgentView, width: number): readonly Line[] {
  return measured
    .filter(({ claimed, trusted }) => rateText(claimed) !== rateText(trusted))
    .map(
      ({ attempts, claimed, kind, trusted }) =>
        `${kind}: claims ${rateText(claimed)}, measured ${rateText(trusted)} tok/s over ${attempts} attempts`,
    )
    .flatMap((text) => wrap(text, width - labelWidth))
    .map((text, index) => pair(index === 0 ? "measured" : "", text, "warn"));
}

function policy({ policy: word }: AgentView, width: number): readonly Line[] {
  const hours =
    word.hours === null ? "always" : word.hours.map((each) => `${each.from}-${each.to}`).join(", ");
  const rules = [`${word.slots} slots`, hours];
  if (word.idle !== null) rules.push(`after ${value(word.idle.startMinutes)} min without its owner`);
  rules.push(`leaves ${value(word.leaveFreeMemGiB)}G of memory free`);
  if (word.leaveFreeCores > 0) rules.push(`${word.leaveFreeCores} cores`);
  if (word.maxCelsius !== null) rules.push(`stands still above ${value(word.maxCelsius)} degrees`);
  const lines = wrap(rules.join(", "), width - labelWidth);
  return [
    ...lines.map((text, index) => pair(index === 0 ? "owner" : "", text)),
    pair("accepts", `${word.requesters?.join(", ") ?? "anyone"}: ${word.tasks?.join(", ") ?? "any task"}`),
  ];
}
