/** Why a trial or a sweep waits: the answer in a sentence, when it will start, the money, who is ahead, each agent. */
import type { SweepWhyView, WhyView } from "../../protocol/why-view.ts";
import { answerTo, refusalTo } from "../model/mesh-data.ts";
import { presentOf, sweepWhyWant, whyWant } from "../model/list.ts";
import { pair } from "../part/screen-table.ts";
import { ahead, clockTime, tokens } from "../../text/format.ts";
import { blank, line, span, type Line } from "../../text/line.ts";
import { wrap } from "../../text/width.ts";
import { waitingFor, type View } from "../part/screen-view.ts";

const labelWidth = 12;

export function trialWhyLines(view: View, trial: string, width: number, height: number): readonly Line[] {
  const want = whyWant(trial);
  const why = answerTo(view.data, want);
  if (why === null) return [waitingFor(view, "the answer", refusalTo(view.data, want))];
  // What does not wait has no place in any order.
  if (why.state !== "queued") return sentenceLines(why.sentence, width).slice(0, Math.max(0, height));
  return [
    ...sentenceLines(why.sentence, width),
    blank,
    ...startLines(view, why.start, width),
    budgetLine(why.budget),
    ...aheadLines(why, width),
    pair("its sweep", `${why.aheadInSweep} trials of it before this one`),
    ...agentLines(why.agents, width),
  ].slice(0, Math.max(0, height));
}

export function sweepWhyLines(view: View, sweep: string, width: number, height: number): readonly Line[] {
  const want = sweepWhyWant(sweep);
  const why = answerTo(view.data, want);
  if (why === null) return [waitingFor(view, "the answer", refusalTo(view.data, want))];
  const models = why.models.flatMap((each) => [
    blank,
    line(span(each.model, "title"), `  ${each.queued} queued, ${each.running} running`),
    ...wrap(each.sentence, width - 2).map((text) => line("  ", span(text))),
    ...(each.queued === 0 ? [] : agentLines(each.agents, width - 2).map((row) => [span("  "), ...row])),
  ]);
  return [
    ...sentenceLines(why.sentence, width),
    blank,
    ...startLines(view, why.start, width),
    budgetLine(why.budget),
    ...aheadLines(why, width),
    ...models,
  ].slice(0, Math.max(0, height));
}

function sentenceLines(sentence: string, width: number): readonly Line[] {
  return wrap(sentence, width).map((each) => line(span(each, "strong")));
}

function startLines(view: View, { at, because }: WhyView["start"], width: number): readonly Line[] {
  const present = presentOf(view.data);
  const left = at === null || present === null ? null : at - present;
  const soon = left === null || left < 0 ? "" : `, ${ahead(left)}`;
  const text = at === null ? `nobody can say: ${because}` : `${clockTime(at)}${soon}: ${because}`;
  const [first = "", ...rest] = wrap(text, width - labelWidth);
  return [pair("starts", first), ...rest.map((each) => pair("", each))];
}

function budgetLine({ available, needed, short }: WhyView["budget"]): Line {
  const lack = short > 0 ? `, ${tokens(short)} short` : "";
  return pair(
    "budget",
    `${tokens(available)} available, ${tokens(needed)} needed${lack}`,
    short > 0 ? "bad" : "plain",
  );
}

function aheadLines(
  { ahead: requesters, sweepsAhead }: Pick<SweepWhyView, "ahead" | "sweepsAhead">,
  width: number,
): readonly Line[] {
  const rows = [
    ...requesters.map(({ queued, requester }) => `${requester} in the fair order, ${queued} queued`),
    ...sweepsAhead.map(
      ({ priority, queued, sweep }) => `own ${sweep}, priority ${priority}, ${queued} queued`,
    ),
  ].flatMap((each) => wrap(each, width - labelWidth));
  const [first = "nobody in the fair order", ...rest] = rows;
  return [pair("ahead", first), ...rest.map((each) => pair("", each))];
}

const fitWidth = 9;

/** Each agent with its reasons whole: they are the answer. */
function agentLines(agents: WhyView["agents"], width: number): readonly Line[] {
  return agents.flatMap(({ agent, fits, reasons }) => {
    const because = reasons.join("; ");
    const [first = "", ...rest] = wrap(because === "" ? agent : `${agent}: ${because}`, width - fitWidth);
    return [
      line(span((fits ? "fits" : "does not").padEnd(fitWidth), fits ? "good" : "warn"), span(first)),
      ...rest.map((each) => line(" ".repeat(fitWidth), each)),
    ];
  });
}
