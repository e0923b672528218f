/**
 * `trialmesh trial propose`: one point to try in a running sweep, by hand or from a script. Whether it is a point of the
 * sweep's space is for the coordinator to say; here only the words become values.
 */
import type { Command } from "commander";
import { proposeTrial, readParams } from "../../client/sweep/hand-proposal.ts";
import { accept } from "../../protocol/refusal.ts";
import { action, asking, eachOf, examples, sweepArgument, textFlag } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { formatParams } from "../../text/shown-parameter.ts";
import type { Terminal } from "../shell/terminal.ts";
import { nameCharactersMax, textCharactersMax } from "../../protocol/bound.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly model?: string;
}

export function trialProposeCommand(terminal: Terminal): Command {
  return asking(
    "propose",
    "propose one trial of a running sweep; a point it has tried already is not run again",
  )
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .argument(
      "<parameters...>",
      "every parameter of the model's space as name=value, constants too",
      eachOf(textFlag("name=value", textCharactersMax)),
    )
    .option(
      "--model <model>",
      "the model to train; may be left out where the sweep has only one",
      textFlag("the name of a model", nameCharactersMax),
    )
    .addHelpText(
      "after",
      examples(
        "trialmesh trial propose s7 lr=0.3 charMax=5",
        "trialmesh trial propose s7 --model textcnn lr=0.01 unit=word windows=2-3",
      ),
    )
    .addHelpText(
      "after",
      "\nNumbers, true and false are read as such, the rest as text; id='\"16\"' is the text 16.\n",
    )
    .action(
      action(terminal, (sweep: string, words: readonly string[], options: Options, command: Command) => {
        const params = readParams(words);
        if (!params.ok) return command.error(`error: ${params.refusal.message}`);
        return withMesh(terminal, options, async ({ client }) => {
          const proposed = await proposeTrial(client, sweep, params.value, options.model);
          if (!proposed.ok) return printRefusal(terminal, options, proposed.refusal);
          const { model, ...value } = proposed.value;
          return printAnswer(terminal, options, accept(value), ({ known, trial }) =>
            known
              ? `${trial} is this point already; it is not run again`
              : `${trial} proposed: ${model} ${formatParams(params.value)}`,
          );
        });
      }),
    );
}
