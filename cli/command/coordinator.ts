/** `trialmesh coordinator`: one candidate for the lead. As many as you like; one leads, the others stand by. */
import { Command } from "commander";
import { exitCode } from "../../protocol/exit-code.ts";
import { printRefusal } from "../shell/answer.ts";
import { action, caFlag, caWords, codeFlag, examples, nameArgument } from "../shell/option.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import type { CoordinatorOptions } from "../../mesh/part/run-coordinator.ts";

export function coordinatorCommand(terminal: Terminal): Command {
  return new Command("coordinator")
    .description("run a coordinator: the first leads, each further one stands by to take over")
    .option("--ca <file>", `with --join: ${caWords}`, caFlag)
    .option("--name <name>", "its name; this machine's by default", nameArgument)
    .option("--join <code>", "join with the line of `trialmesh invite coordinator NAME`", codeFlag)
    .option("--restore-journal", "put back what the server's journal has lost, from this coordinator's copy")
    .addHelpText(
      "after",
      examples(
        "trialmesh coordinator --name second",
        "trialmesh coordinator --join tm4.8k2q-m3xd-…@192.168.1.5:4222",
      ),
    )
    .action(
      action(terminal, async (options: CoordinatorOptions) => {
        terminal.last();
        const { runCoordinator } = await import("../../mesh/part/run-coordinator.ts");
        const ended = await runCoordinator(surroundingsOf(terminal), options);
        return ended.ok ? exitCode.ok : printRefusal(terminal, {}, ended.refusal);
      }),
    );
}
