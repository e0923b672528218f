/** Deployments as text: one line each, or one with its replicas. */
import type { DeploymentTrialView, DeploymentView, ReplicaView } from "../../protocol/deployment-view.ts";
import { formatTokens } from "../../protocol/token.ts";
import { formatTime } from "../../text/figure.ts";
import { fields, table } from "../../text/table.ts";

export function deploymentsText(deployments: readonly DeploymentView[]): string {
  return table(
    deployments,
    [
      { head: "DEPLOYMENT", cell: ({ deployment }) => deployment },
      { head: "BY", cell: ({ requester }) => requester },
      { head: "REFERENCE", cell: ({ reference }) => reference },
      { head: "VERSION", cell: versionsText },
      { head: "STATE", cell: ({ state }) => state },
      { head: "READY", cell: (one) => `${readyOf(one)}/${one.wanted}`, right: true },
      { head: "REQUESTS", cell: (one) => String(sumOf(one, "requests")), right: true },
      { head: "TOKENS/H", cell: ({ tokensPerHour }) => formatTokens(tokensPerHour), right: true },
      { head: "SPENT", cell: ({ spent }) => formatTokens(spent), right: true },
      { head: "WHY", cell: ({ why }) => why ?? "" },
    ],
    "no deployment yet; `trialmesh deploy answers language-id@champion` makes one",
  );
}

export function deploymentText(view: DeploymentView): string {
  const { created, deployment, reference, requester, revision, spent, state, sweep, tokensPerHour, why } =
    view;
  const head = fields([
    ["deployment", `${deployment} by ${requester}, replicas are trials of ${sweep}`],
    ["state", why === null ? state : `${state}: ${why}`],
    ["answers", `${versionsText(view)}, which ${reference} is (revision ${revision})`],
    ["replicas", `${readyOf(view)} of ${view.wanted} answer`],
    ["tokens", `${formatTokens(tokensPerHour)} an hour, ${formatTokens(spent)} spent`],
    ["since", formatTime(created, Date.now())],
  ]);
  const trials = view.trials === undefined ? "" : `\n\n${trialsText(view.trials)}`;
  return `${head}${trials}\n\n${replicasText(view.replicas)}`;
}

/** What all replicas together have seen of the versions on trial, beside the incumbent. */
function trialsText(trials: readonly DeploymentTrialView[]): string {
  const evidence = ({ evidence: now, needed }: DeploymentTrialView) =>
    `${now.toPrecision(evidenceDigits)}${needed === null ? "" : ` of ${Math.round(needed)}`}`;
  return table(
    trials,
    [
      { head: "ON TRIAL", cell: ({ model, role, version }) => `${role} ${model}@${version}` },
      { head: "SHARE", cell: ({ share }) => percentText(share), right: true },
      { head: "COMPARED", cell: ({ pairs }) => String(pairs), right: true },
      { head: "FAILED ALONE", cell: ({ challengerFailed }) => String(challengerFailed), right: true },
      { head: "INCUMBENT ALONE", cell: ({ incumbentFailed }) => String(incumbentFailed), right: true },
      {
        head: "AGREED",
        cell: ({ agreed, compared }) => (compared === 0 ? "-" : percentText(agreed / compared)),
        right: true,
      },
      { head: "EVIDENCE", cell: evidence, right: true },
    ],
    "",
  );
}

const evidenceDigits = 3;

function percentText(share: number): string {
  return `${Number((100 * share).toFixed(1))}%`;
}

function replicasText(replicas: readonly ReplicaView[]): string {
  return table(
    replicas,
    [
      { head: "REPLICA", cell: ({ trial }) => trial },
      { head: "AGENT", cell: ({ agent }) => agent ?? "-" },
      { head: "STATE", cell: ({ state }) => state },
      { head: "REVISION", cell: ({ revision }) => String(revision ?? "-"), right: true },
      { head: "REQUESTS", cell: ({ requests }) => String(requests), right: true },
      { head: "FAILED", cell: ({ failed }) => String(failed), right: true },
      { head: "SINCE", cell: ({ since }) => formatTime(since, Date.now()) },
      { head: "TROUBLE", cell: ({ trouble }) => trouble ?? "" },
    ],
    "no replica runs",
  );
}

/** The incumbent by itself; what answers some callers or is compared with what it is. */
export function versionsText({ versions }: DeploymentView): string {
  return versions
    .map(({ model, role, version }) => `${model}@${version}${role === "incumbent" ? "" : ` (${role})`}`)
    .join(", ");
}

export function readyOf({ replicas }: DeploymentView): number {
  return replicas.filter(({ state }) => state === "ready").length;
}

function sumOf({ replicas }: DeploymentView, of: "failed" | "requests"): number {
  return replicas.reduce((sum, replica) => sum + replica[of], 0);
}
