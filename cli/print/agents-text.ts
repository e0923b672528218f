/** The agents as text: hardware, measured speed, what each owner withholds, and where a claim of speed is not believed. */
import type { Policy } from "../../protocol/capability.ts";
import type { AgentDetailView, AgentView, MeshView } from "../../protocol/view.ts";
import { plural } from "../../protocol/plural.ts";
import { formatGiB, formatMetric, formatTime, percent } from "../../text/figure.ts";
import { loadNote } from "../../text/load-note.ts";
import { table } from "../../text/table.ts";

/** One agent, and what its Python has installed, one a line. */
export function agentDetailText({ agent, packages }: AgentDetailView): string {
  const all = agentsText({ agents: [agent] });
  if (packages === null) return all;
  const lines = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [all, lines.join("\n")].filter((part) => part !== "").join("\n\n");
}

export function agentsText({ agents }: Pick<MeshView, "agents">): string {
  const notes = agents.flatMap((agent) => [
    ...policyText(agent),
    ...pythonText(agent),
    ...sandboxText(agent),
    ...availabilityText(agent),
    ...loadText(agent),
    ...measuredText(agent),
    ...asideText(agent),
    ...lacksText(agent),
  ]);
  return [hardwareTable(agents), speedTable(agents), notes.join("\n")]
    .filter((part) => part !== "")
    .join("\n\n");
}

function hardwareTable(agents: readonly AgentView[]): string {
  return table(
    agents,
    [
      { head: "AGENT", cell: (agent) => agent.agent },
      { head: "STATE", cell: stateText },
      { head: "RUNNING", cell: (agent) => `${agent.running.length}/${agent.slots}`, right: true },
      { head: "CPU", cell: ({ host }) => `${host.cores} x ${host.cpuModel}` },
      {
        head: "LOAD",
        cell: (agent) => (agent.cpuLoad === null ? "unknown" : percent(agent.cpuLoad)),
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
    "no agent has joined; start one with `trialmesh agent`, or invite one with `trialmesh invite agent NAME`",
  );
}

function speedTable(agents: readonly AgentView[]): string {
  const rates = agents.flatMap((agent) => agent.rates.map((rate) => ({ agent: agent.agent, ...rate })));
  return table(
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
}

function stateText(agent: AgentView): string {
  switch (agent.state) {
    case "closed":
      // Where the agent says what it makes of the moment, that stands in a line of its own below.
      return agent.owner === null || agent.owner.stance === "open"
        ? `closed (${agent.closed ?? "by its owner"})`
        : agent.owner.stance;
    case "silent":
      return `silent since ${formatTime(agent.lastSeenAt, Date.now())}`;
    case "cordoned":
      return "cordoned (takes no new trials)";
    case "draining":
      return "draining (takes no new trials, gives up what runs)";
    case "present":
      return "present";
  }
}

/** What an owner withholds; nothing is said of one who shares everything. */
function policyText({ agent, policy }: AgentView): string[] {
  const rules = ownerRules(policy);
  return rules.length === 0 ? [] : [`${agent}'s owner: ${rules.join("; ")}`];
}

function ownerRules(policy: Policy): string[] {
  const { hours, idle, leaveFreeCores, leaveFreeMemGiB, maxCelsius, programs, requesters, tasks } = policy;
  const rules: string[] = [];
  if (hours !== null) rules.push(`works ${hours.map(({ from, to }) => `${from}-${to}`).join(", ")}`);
  if (idle !== null) rules.push(`works when nobody has touched it for ${idle.startMinutes} min`);
  if (leaveFreeMemGiB > 0) rules.push(`leaves ${leaveFreeMemGiB} GiB of memory free`);
  if (leaveFreeCores > 0) rules.push(`leaves ${plural(leaveFreeCores, "core")} free`);
  if (maxCelsius !== null) rules.push(`stands still above ${maxCelsius} degrees`);
  if (requesters !== null) rules.push(`works for ${requesters.join(", ")}`);
  if (tasks !== null) rules.push(`takes ${tasks.join(", ")}`);
  if (programs !== "none")
    rules.push(programs === "any" ? "runs anyone's programs" : "runs programs of the mesh's owner");
  return rules;
}

/** What programs get there, where its owner lets any run. */
function pythonText({ agent, packages, policy, python }: AgentView): string[] {
  if (policy.programs === "none") return [];
  if (python === null) return [`${agent} has no Python`];
  return [`${agent} has Python ${python}${packages === null ? "" : ` with ${plural(packages, "package")}`}`];
}

/** How programs are kept from the rest of the machine, and what is missing for more. */
function sandboxText({ agent, policy, sandbox }: AgentView): string[] {
  if (policy.programs === "none" || sandbox === null) return [];
  const { missing, network, rung } = sandbox;
  if (rung === "none")
    return [`${agent} runs programs without a sandbox${missing === null ? "" : `: ${missing}`}`];
  return [
    `${agent} runs programs in ${rung}, ${network === "none" ? "without a network" : "with its network"}`,
  ];
}

/** What the policy makes of the moment, and how it knows whether its owner is there. */
function availabilityText({ agent, owner }: AgentView): string[] {
  if (owner === null) return [];
  const { idleMs, idleSource, reason, stance: availability } = owner;
  const why = reason === null ? "" : `: ${reason}`;
  const input = idleMs === null ? "the last input is unknown" : `last input ${idleText(idleMs)} ago`;
  const source = idleSource === null ? "" : ` (${input}, by ${idleSource})`;
  return availability === "open" && source === "" ? [] : [`${agent} is ${availability}${why}${source}`];
}

function idleText(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** PROBE-13: of all backends together, with the most that others used. Its agent sees to it. */
function loadText({ agent, backends }: AgentView): string[] {
  const loaded = backends.flatMap(({ load, name }) => (load === undefined ? [] : [{ load, name }]));
  if (loaded.length === 0) return [];
  const names = loaded.map(({ name }) => name).join(", ");
  const note = loadNote(Math.max(...loaded.map(({ load }) => load)));
  return [`${agent}, ${names}: ${note}; it is measured again once the machine is idle`];
}

function measuredText({ agent, measured }: AgentView): string[] {
  const unlike = measured.filter(({ claimed, trusted }) => formatMetric(claimed) !== formatMetric(trusted));
  return unlike.map(
    ({ attempts, claimed, kind, trusted }) =>
      `${agent}, ${kind}: claims ${formatMetric(claimed)}, measured ${formatMetric(trusted)} tokens/s over ${plural(attempts, "attempt")}; priced at ${formatMetric(trusted)}`,
  );
}

/** Quarantined by the coordinator, for a reason that somebody has to see to. */
function asideText({ agent, cordonReason }: AgentView): string[] {
  if (cordonReason === null) return [];
  return [
    `${agent} is quarantined: ${cordonReason}; \`trialmesh agents cordon ${agent} --end\` lets it work again`,
  ];
}

/** What programs have not found there; it gets no more trials of those sweeps while another agent fits. */
function lacksText({ agent, lacks }: AgentView): string[] {
  return lacks.map(({ sweep, what }) => `${agent} lacks ${what}, which ${sweep} needs`);
}
