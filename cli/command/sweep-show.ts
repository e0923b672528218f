/** `trialmesh sweep show`: one sweep with its trials. */
import type { Command } from "commander";
import { trialFields } from "../../client/list/list-field.ts";
import { isAsked } from "../../client/list/select-rows.ts";
import { wholeSweep } from "../../client/list/whole-sweep.ts";
import { trialsShownMax } from "../../protocol/command.ts";
import { sweepText } from "../print/sweep-text.ts";
import { printAnswer } from "../shell/answer.ts";
import { action, asking, examples, sweepArgument } from "../shell/option.ts";
import { wholeFlag } from "../shell/range.ts";
import type { Terminal } from "../shell/terminal.ts";
import { printList, withListFlags, type ListOptions } from "../shell/where-option.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const shownDefault = 100;

interface Options extends MeshOptions, ListOptions {
  readonly limit: number;
  readonly best?: boolean;
}

export function sweepShowCommand(terminal: Terminal): Command {
  return withListFlags(
    asking("show", "show a sweep and its trials")
      .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
      .option("--best", "best trials first, instead of in their order")
      .option("--limit <n>", "how many trials to show", wholeFlag(1, trialsShownMax), shownDefault),
    "lr>0.001",
  )
    .addHelpText(
      "after",
      examples(
        "trialmesh sweep show s1 --best --limit 10",
        "trialmesh sweep show s1 --where 'accuracy>=0.9' --where 'lr<0.01' --sort tokens",
      ),
    )
    .action(
      action(terminal, (sweep: string, options: Options) =>
        withMesh(terminal, options, async ({ client }) => {
          const order = options.best === true ? "best" : "number";
          if (!isAsked(options)) {
            const { limit } = options;
            return printAnswer(
              terminal,
              options,
              await client.query("sweep", { sweep, order, limit }),
              sweepText,
            );
          }
          const whole = await wholeSweep(client, sweep, order);
          if (!whole.ok) return printAnswer(terminal, options, whole, sweepText);
          return printList(terminal, options, whole, {
            fields: trialFields(whole.value),
            listOf: ({ trials }) => trials,
            withList: (value, trials) => ({ ...value, trials: [...trials] }),
            text: sweepText,
            limit: options.limit,
          });
        }),
      ),
    );
}
