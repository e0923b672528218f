/** `trialmesh agent probe`: measures this machine and prints what it found. Joins nothing. */
import type { Command } from "commander";
import type { Capability } from "../../protocol/capability.ts";
import { accept } from "../../protocol/refusal.ts";
import { action, examples, printing } from "../option.ts";
import { printAnswer, type PrintOptions } from "../print/answer.ts";
import { formatGiB, formatMetric } from "../print/figure.ts";
import { fields, table } from "../print/table.ts";
import type { Terminal } from "../terminal.ts";

export function agentProbeCommand(terminal: Terminal): Command {
  return printing(
    "probe",
    "measure this machine: hardware, backends that really train, speed of each kind of work",
  )
    .addHelpText("after", examples("trialmesh agent probe", "trialmesh agent probe --json"))
    .action(
      action(terminal, async (options: PrintOptions) => {
        const { measureMachine } = await import("../up/measure-machine.ts");
        const capability = await measureMachine({
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

function probeText({ host, node, backends, rates }: Capability): string {
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
  const trains = table(
    backends,
    [
      { head: "BACKEND", cell: (backend) => backend.name },
      { head: "TRAINS", cell: (backend) => (backend.works ? "yes" : "no") },
      { head: "VERSION", cell: (backend) => backend.version ?? "-" },
      { head: "BECAUSE", cell: (backend) => backend.reason ?? "" },
    ],
    "no backend",
  );
  const speed = table(
    rates,
    [
      { head: "WORK", cell: (rate) => rate.kind },
      { head: "BACKEND", cell: (rate) => rate.backend },
      { head: "EXAMPLES/S", cell: (rate) => String(Math.round(rate.examplesPerSecond)), right: true },
      { head: "TOKENS/S", cell: (rate) => formatMetric(rate.tokensPerSecond), right: true },
    ],
    "nothing can be trained here",
  );
  return [facts, trains, speed].join("\n\n");
}
