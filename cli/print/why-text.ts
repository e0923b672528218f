/** Why a trial or a sweep waits, as text: the sentence, each agent, the money, who is ahead, and when it will start. */
import { ahead as aheadOf } from "../../text/format.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { StartView, SweepWhyView, WhyView } from "../../protocol/why-view.ts";
import { plural } from "../../protocol/plural.ts";
import type { Present } from "../../client/follow/present-of.ts";
import { formatTime } from "../../text/figure.ts";
import { fields, table } from "../../text/table.ts";

export function trialWhyText(why: WhyView, now: Present): string {
  const answer = `${why.trial} is ${why.state}: ${why.sentence}`;
  // What does not wait has no place in any order.
  if (why.state !== "queued") return answer;
  return [
    answer,
    agentTable(why.agents),
    fields([
      ["tokens", moneyText(why.budget)],
      ["ahead", aheadText(why)],
      ["in its sweep", `${plural(why.aheadInSweep, "trial")} before it`],
      ["starts", startText(why.start, now)],
    ]),
  ].join("\n\n");
}

export function sweepWhyText(why: SweepWhyView, now: Present): string {
  const headline = `${why.sweep}: ${why.sentence}`;
  if (why.state === "done" || why.state === "stopped") return headline;
  const models = why.models.map(({ model, queued, running, sentence, agents }) => {
    const head = `${model}: ${queued} queued, ${running} running. ${sentence}`;
    return queued === 0 ? head : `${head}\n${indent(agentTable(agents))}`;
  });
  return [
    headline,
    models.join("\n\n"),
    fields([
      ["tokens", moneyText(why.budget)],
      ["ahead", aheadText(why)],
      ["starts", startText(why.start, now)],
    ]),
  ].join("\n\n");
}

function agentTable(agents: WhyView["agents"]): string {
  return table(
    agents,
    [
      { head: "AGENT", cell: (agent) => agent.agent },
      { head: "FITS", cell: (agent) => (agent.fits ? "yes" : "no") },
      { head: "BECAUSE", cell: (agent) => agent.reasons.join("; ") || "-" },
    ],
    "no agent has joined",
  );
}

function moneyText({ available, needed, short }: WhyView["budget"]): string {
  // With no agent that fits there is no price either.
  if (needed === 0) return `${formatTokens(available)} available`;
  const lack = short > 0 ? `, ${formatTokens(short)} short` : "";
  return `${formatTokens(needed)} needed for a start, ${formatTokens(available)} available${lack}`;
}

function aheadText({ ahead, sweepsAhead }: Pick<WhyView, "ahead" | "sweepsAhead">): string {
  const requesters = ahead.map(({ requester, queued }) => `${requester} (${plural(queued, "trial")})`);
  const sweeps = sweepsAhead.map(
    ({ sweep, priority, queued }) => `${sweep} (${plural(queued, "trial")}, priority ${priority})`,
  );
  const parts = [
    requesters.length === 0 ? "no other requester" : `in the fair order ${requesters.join(", ")}`,
    sweeps.length === 0 ? "no other sweep of its requester" : `of its requester ${sweeps.join(", ")}`,
  ];
  return parts.join("; ");
}

function startText({ at, because }: StartView, { own, present }: Present): string {
  if (at === null) return `nobody can say: ${because}`;
  const left = at - present;
  const time = formatTime(own + left, Date.now());
  const when = left < 0 ? time : `${time}, ${aheadOf(left)}`;
  return `${when}: ${because}`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
