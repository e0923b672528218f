/** What the mesh answers with of one model, under its versions: each deployment, what keeps it from being whole, and its replicas. */
import type { DeploymentView, ReplicaView } from "../../protocol/deployment-view.ts";
import { plural } from "../../protocol/plural.ts";
import { short, tokens } from "../../text/format.ts";
import { line, span, type Line, type Tone } from "../../text/line.ts";
import { wrap } from "../../text/width.ts";
import { deploymentsWant } from "../model/list.ts";
import { answerTo } from "../model/mesh-data.ts";
import { heading } from "../part/pane.ts";
import { pair } from "../part/screen-table.ts";
import { agoOf, type View } from "../part/screen-view.ts";

const whyRowsMax = 2;

const stateTones: Readonly<Record<DeploymentView["state"], Tone>> = {
  starting: "accent",
  running: "good",
  short: "warn",
  "out of tokens": "warn",
  stopping: "dim",
  stopped: "dim",
};

/** Nothing where no deployment has anything to do with it. */
export function deploymentLines(view: View, model: string, width: number): readonly Line[] {
  const all = answerTo(view.data, deploymentsWant)?.deployments ?? [];
  const own = all.filter(({ versions }) => versions.some((version) => version.model === model));
  if (own.length === 0) return [];
  return [
    heading("Deployments", Math.min(view.width, 40), false, view.glyphs),
    ...own.flatMap((deployment) => linesOf(view, deployment, width)),
  ];
}

function linesOf(view: View, deployment: DeploymentView, width: number): readonly Line[] {
  const { reference, replicas, revision, spent, state, tokensPerHour, versions, wanted, why } = deployment;
  const ready = replicas.filter((replica) => replica.state === "ready").length;
  const answers = versions
    .map(({ role, version }) => `@${version}${role === "incumbent" ? "" : ` (${role})`}`)
    .join(" ");
  const reasons = why === null ? [] : wrap(why, width).slice(0, whyRowsMax);
  return [
    line(
      span(`${deployment.deployment} `, "strong"),
      span(state, stateTones[state]),
      ` ${ready}/${plural(wanted, "replica")}, ${reference} is ${answers}, revision ${revision}`,
    ),
    ...reasons.map((text) => line(span(text, "warn"))),
    pair("cost", `${tokens(tokensPerHour)} tokens an hour, ${tokens(spent)} spent`),
    ...replicas.map((replica) => replicaLine(view, replica)),
  ];
}

function replicaLine(
  view: View,
  { agent, failed, requests, revision, since, state, trouble }: ReplicaView,
): Line {
  const failures = failed === 0 ? "" : `, ${short(failed)} failed`;
  const text = `${state}, revision ${revision ?? "-"}, ${plural(requests, "request")}${failures}, ${agoOf(view, since)}`;
  return pair(
    agent ?? "no agent",
    trouble === null ? text : `${text}: ${trouble}`,
    state === "ready" ? "plain" : "dim",
  );
}
