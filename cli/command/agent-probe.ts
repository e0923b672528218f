/** `trialmesh agent probe`: measures this machine and prints what it found. Joins nothing. */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { action, examples, printing } from "../option.ts";
import { printAnswer, type PrintOptions } from "../print/answer.ts";
import { backendText } from "../print/backend-table.ts";
import { formatGiB } from "../print/figure.ts";
import { fields } from "../print/table.ts";
import type { Terminal } from "../terminal.ts";
import type { MachineReport } from "../up/measure-machine.ts";

export function agentProbeCommand(terminal: Terminal): Command {
  return printing(
    "probe",
    "measure this machine: hardware, backends that really train, speed of each kind of work",
  )
    .addHelpText("after", examples("trialmesh agent probe", "trialmesh agent probe --json"))
    .action(
      action(terminal, async (options: PrintOptions) => {
        const { reportMachine } = await import("../up/measure-machine.ts");
        const capability = await reportMachine({
          environment: terminal.environment,
          folder: process.cwd(),
          labels: {},
          fresh: true,
          progress: (line) => terminal.note(line),
        });
        return printAnswer(terminal, options, accept(capability), probeText);
      }),
    );
}

function probeText(report: MachineReport): string {
  const { host, node } = report;
  const facts = fields([
    ["system", `${host.os} ${host.arch}, node ${node}`],
    ["cpu", `${host.cores} x ${host.cpuModel}`],
    ["cpu features", host.cpuFeatures.join(" ") || "unknown"],
    ["memory", formatGiB(host.memGiB)],
    ["disk free", formatGiB(host.diskGiB)],
    [
      "gpu",
      host.gpus.map((gpu) => `${gpu.vendor} ${gpu.model}, ${formatGiB(gpu.vramGiB)}`).join("; ") || "none",
    ],
  ]);
  return [facts, backendText(report)].join("\n\n");
}
