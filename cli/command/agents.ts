/** `trialmesh agents`: every agent with what its probe measured and what its owner allows. */
import type { Command } from "commander";
import { action, asking, examples } from "../option.ts";
import { printAnswer } from "../print/answer.ts";
import { formatGiB, formatMetric, formatTime } from "../print/figure.ts";
import { table } from "../print/table.ts";
import type { AgentView, MeshView } from "../../protocol/view.ts";
import type { Policy } from "../../protocol/capability.ts";
import type { Terminal } from "../terminal.ts";
import { withMesh, type MeshOptions } from "../with-mesh.ts";

export function agentsCommand(terminal: Terminal): Command {
  return asking("agents", "list the agents: state, hardware, backends that train, measured speed")
    .addHelpText("after", examples("trialmesh agents", "trialmesh agents --json"))
    .action(
      action(terminal, (options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.query("mesh", {}), agentsText),
        ),
      ),
    );
}

function agentsText(mesh: MeshView): string {
  const { agents } = mesh;
  const none =
    "no agent has joined; start one with `trialmesh agent`, or invite one with `trialmesh invite agent NAME`";
  const list = table(
    agents,
    [
      { head: "AGENT", cell: (agent) => agent.agent },
      { head: "STATE", cell: stateText },
      { head: "RUNNING", cell: (agent) => `${agent.running.length}/${agent.slots}`, right: true },
      { head: "CPU", cell: ({ host }) => `${host.cores} x ${host.cpuModel}` },
      {
        head: "LOAD",
        cell: (agent) => (agent.cpuLoad === null ? "unknown" : `${Math.round(agent.cpuLoad * 100)}%`),
        right: true,
      },
      { head: "MEMORY", cell: ({ host }) => formatGiB(host.memGiB), right: true },
      { head: "FREE", cell: (agent) => formatGiB(agent.memFreeGiB), right: true },
      { head: "GPU", cell: ({ host }) => host.gpus.map((gpu) => gpu.model).join(", ") || "none" },
      {
        head: "BACKENDS",
        cell: (agent) =>
          agent.backends
            .filter((backend) => backend.works)
            .map((backend) => backend.name)
            .join(" ") || "none",
      },
    ],
    none,
  );
  const rates = agents.flatMap((agent) => agent.rates.map((rate) => ({ agent: agent.agent, ...rate })));
  const speed = table(
    rates,
    [
      { head: "AGENT", cell: (rate) => rate.agent },
      { head: "TRAINS", cell: (rate) => rate.kind },
      { head: "BACKEND", cell: (rate) => rate.backend },
      { head: "EXAMPLES/S", cell: (rate) => String(Math.round(rate.examplesPerSecond)), right: true },
      { head: "TOKENS/S", cell: (rate) => formatMetric(rate.tokensPerSecond), right: true },
    ],
    "",
  );
  const policies = agents.flatMap((agent) => policyText(agent.agent, agent.policy));
  return [list, speed, policies.join("\n")].filter((part) => part !== "").join("\n\n");
}

function stateText(agent: AgentView): string {
  if (agent.state === "closed") return `closed (${agent.closed ?? "by its owner"})`;
  return agent.state === "silent" ? `silent since ${formatTime(agent.lastSeenAt)}` : agent.state;
}

/** What an owner withholds; nothing is said of one who shares everything. */
function policyText(agent: string, policy: Policy): string[] {
  const rules: string[] = [];
  if (policy.hours !== null)
    rules.push(`works ${policy.hours.map(({ from, to }) => `${from}-${to}`).join(", ")}`);
  if (policy.leaveFreeMemGiB > 0) rules.push(`leaves ${policy.leaveFreeMemGiB} GiB of memory free`);
  if (policy.requesters !== null) rules.push(`works for ${policy.requesters.join(", ")}`);
  if (policy.tasks !== null) rules.push(`takes ${policy.tasks.join(", ")}`);
  return rules.length === 0 ? [] : [`${agent}'s owner: ${rules.join("; ")}`];
}
