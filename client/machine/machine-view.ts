/** The machines of a mesh as their owner looks at them: what runs there, when it was heard of, and how it joined. Asks nothing of them. */
import { listUsers } from "../../mesh/user.ts";
import type { Home } from "../../mesh/home.ts";
import { listInvitations } from "../../mesh/invitation.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { AgentView } from "../../protocol/view.ts";
import { listMachines } from "./machine-record.ts";

export interface MachineView {
  readonly agent: string;
  /** As the mesh has it; `unknown`: it has never heard of it. */
  readonly state: AgentView["state"] | "unknown";
  /** Version and build that it was brought; null for one that was not added from here. */
  readonly version: string | null;
  readonly build: string | null;
  /** Whether that is this very build; null where it is not known. */
  readonly current: boolean | null;
  readonly platform: string | null;
  /** Unix time in ms, by the leader's clock. */
  readonly lastSeenAt: number | null;
  readonly joined: "added" | "invited" | "here" | "unknown";
  /** Of one that was added: whom ssh reaches it as. */
  readonly destination: string | null;
  readonly service: boolean | null;
}

/** By name. `build`: digest of this build. */
export function machineViews(
  home: Home,
  agents: readonly AgentView[],
  build: string,
): Outcome<readonly MachineView[]> {
  const machines = listMachines(home);
  if (!machines.ok) return machines;
  const invited = invitedNames(home);
  const users = listUsers(home);
  const own = new Set(
    users.ok ? users.value.filter(({ role }) => role === "agent").map(({ name }) => name) : [],
  );
  const names = new Set([...agents.map(({ agent }) => agent), ...machines.value.map(({ agent }) => agent)]);
  const views = [...names].toSorted().map((name): MachineView => {
    const agent = agents.find((one) => one.agent === name);
    const record = machines.value.find((one) => one.agent === name);
    const joined = invited.has(name) ? "invited" : own.has(name) ? "here" : "unknown";
    return {
      agent: name,
      state: agent?.state ?? "unknown",
      version: record?.packageVersion ?? null,
      build: record?.build ?? null,
      current: record === undefined ? null : record.build === build,
      platform: record?.platform ?? (agent === undefined ? null : `${agent.host.os}-${agent.host.arch}`),
      lastSeenAt: agent?.lastSeenAt ?? null,
      joined: record === undefined ? joined : "added",
      destination: record?.destination ?? null,
      service: record?.service ?? null,
    };
  });
  return accept(views);
}

function invitedNames(home: Home): ReadonlySet<string> {
  const all = listInvitations(home);
  if (!all.ok) return new Set();
  return new Set(
    all.value.flatMap(({ role, used }) => (role === "agent" ? used.map(({ name }) => name) : [])),
  );
}
