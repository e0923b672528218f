/** `trialmesh machines`: which machines there are, what they run, when they were heard of, and how they joined. */
import type { Command } from "commander";
import { machineViews, type MachineView } from "../../client/machine/machine-view.ts";
import { buildId } from "../../mesh/build/own-build.ts";
import { age } from "../../text/format.ts";
import { table } from "../../text/table.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { printAnswer } from "../shell/answer.ts";
import { action, asking, examples } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function machinesCommand(terminal: Terminal): Command {
  return asking("machines", "list the machines: version, platform, when heard of, how each joined")
    .addHelpText("after", examples("trialmesh machines", "trialmesh machines --json"))
    .action(
      action(terminal, (options: MeshOptions) =>
        withMesh(terminal, options, async ({ client, home }) => {
          const mesh = await client.query("mesh", {});
          if (!mesh.ok) return printAnswer(terminal, options, mesh, () => "");
          const views = machineViews(home, mesh.value.agents, buildId(projectFolder));
          return printAnswer(terminal, options, views, (machines) => machinesText(machines, mesh.value.at));
        }),
      ),
    );
}

function machinesText(machines: readonly MachineView[], now: number): string {
  return table(
    machines,
    [
      { head: "AGENT", cell: ({ agent }) => agent },
      { head: "STATE", cell: ({ state }) => state },
      { head: "VERSION", cell: versionText },
      { head: "PLATFORM", cell: ({ platform }) => platform ?? "-" },
      { head: "HEARD OF", cell: ({ lastSeenAt }) => (lastSeenAt === null ? "never" : age(lastSeenAt, now)) },
      { head: "JOINED", cell: joinedText },
    ],
    "no machine has joined; `trialmesh add user@host` adds one",
  );
}

function versionText({ build, current, version }: MachineView): string {
  if (version === null) return "-";
  return `${version} ${build ?? ""}${current === false ? " (trialmesh upgrade)" : ""}`;
}

function joinedText({ destination, joined, service }: MachineView): string {
  switch (joined) {
    case "added":
      return `added over ssh, ${destination}${service === true ? ", a service" : ""}`;
    case "invited":
      return "by an invitation";
    case "here":
      return "with the mesh, on this machine";
    case "unknown":
      return "-";
  }
}
