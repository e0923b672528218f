/** `trialmesh sweep show`: one sweep with its trials. */
import type { Command } from "commander";
import { action, asking, examples, sweepArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { sweepText } from "../print/sweep-text.ts";
import type { Terminal } from "../shell/terminal.ts";
import { trialsShownMax } from "../../protocol/command.ts";
import { wholeFlag } from "../shell/range.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const shownDefault = 100;

interface Options extends MeshOptions {
  readonly limit: number;
  readonly best?: boolean;
}

export function sweepShowCommand(terminal: Terminal): Command {
  return asking("show", "show a sweep and its trials")
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .option("--best", "best trials first, instead of in their order")
    .option("--limit <n>", "how many trials to show", wholeFlag(1, trialsShownMax), shownDefault)
    .addHelpText("after", examples("trialmesh sweep show s1 --best --limit 10"))
    .action(
      action(terminal, (sweep: string, options: Options) =>
        withMesh(terminal, options, async ({ client }) => {
          const order = options.best === true ? "best" : "number";
          return printAnswer(
            terminal,
            options,
            await client.query("sweep", { sweep, order, limit: options.limit }),
            sweepText,
          );
        }),
      ),
    );
}
