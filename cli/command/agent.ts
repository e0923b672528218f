/** `trialmesh agent`: lends this machine to the mesh, on its owner's terms. `agent probe` only measures it. */
import { Command } from "commander";
import { exitCode } from "../../protocol/exit-code.ts";
import { printRefusal } from "../shell/answer.ts";
import { action, caFlag, caWords, codeFlag, examples, gibRange, nameArgument } from "../shell/option.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import type { RunAgentOptions } from "../../mesh/part/run-agent.ts";
import { agentProbeCommand } from "./agent-probe.ts";
import { rangeFlag } from "../shell/range.ts";
import { ownerFlags } from "./owner-flag.ts";

const cacheQuotaGiBDefault = 10;

export function agentCommand(terminal: Terminal): Command {
  return ownerFlags(
    new Command("agent").description(
      "lend this machine to the mesh; its owner's flags are kept for the next start",
    ),
  )
    .option("--join <code>", "join with the line of `trialmesh invite agent NAME`", codeFlag)
    .option("--ca <file>", `with --join: ${caWords}`, caFlag)
    .option("--name <name>", "its name; this machine's by default", nameArgument)
    .option(
      "--cache-quota <GiB>",
      "disk for datasets and checkpoints",
      rangeFlag({ ...gibRange, above: true }),
      cacheQuotaGiBDefault,
    )
    .addHelpText(
      "after",
      examples(
        "trialmesh agent --join tm4.8k2q-m3xd-…@192.168.1.5:4222",
        "trialmesh agent --slots 2 --hours 22:00-07:00 --leave-free-mem 4",
        "trialmesh agent --only-when-idle 15 --max-celsius 85",
        "trialmesh agent --upload 20 --relay no",
        "trialmesh agent probe",
      ),
    )
    .addCommand(agentProbeCommand(terminal))
    .action(
      action(terminal, async (options: RunAgentOptions) => {
        terminal.last();
        // Loaded only here: engines and stores are no concern of the other commands.
        const { runAgent } = await import("../../mesh/part/run-agent.ts");
        const ended = await runAgent(surroundingsOf(terminal), options);
        return ended.ok ? exitCode.ok : printRefusal(terminal, {}, ended.refusal);
      }),
    );
}
