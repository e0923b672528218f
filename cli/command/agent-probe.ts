/** `trialmesh agent probe`: measures this machine and prints what it found. Joins nothing. */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { action, examples, printing } from "../shell/option.ts";
import { printAnswer, type PrintOptions } from "../shell/answer.ts";
import { backendText } from "../print/backend-table.ts";
import { formatGiB } from "../../text/figure.ts";
import { fields } from "../../text/table.ts";
import type { Terminal } from "../shell/terminal.ts";
import type { MachineReport } from "../../mesh/part/measure-machine.ts";

export function agentProbeCommand(terminal: Terminal): Command {
  return printing(
    "probe",
    "measure this machine: hardware, backends that really train, speed of each kind of work",
  )
    .addHelpText("after", examples("trialmesh agent probe", "trialmesh agent probe --json"))
    .action(
      action(terminal, async (options: PrintOptions) => {
        const { reportMachine } = await import("../../mesh/part/measure-machine.ts");
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
