/** `trialmesh model promote`: points an alias to a version that has proved it can serve. */
import type { Command } from "commander";
import type { AliasMove } from "../../client/model/move-alias.ts";
import { refuse } from "../../protocol/refusal.ts";
import type { ModelReference } from "../../client/model/model-reference.ts";
import { moveShown } from "../shell/move-shown.ts";
import { modelArgument } from "../shell/model-option.ts";
import { action, asking, examples, nameArgument, noteFlag } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly best?: boolean;
  readonly why: string;
}

export function modelPromoteCommand(terminal: Terminal): Command {
  return asking("promote", "point an alias to a version, after loading it and having it answer an example")
    .argument(
      "<model>",
      "name@version, name@alias to copy an alias, or name with --best",
      (text: string): PromotedModel =>
        text.includes("@") ? modelArgument(text) : { model: nameArgument(text), version: null },
    )
    .argument("<alias>", "the alias to move, such as champion", nameArgument)
    .option("--best", "the best version of those measured on the same data")
    .option("--why <text>", "reason, kept in the record", noteFlag, "")
    .addHelpText(
      "after",
      examples(
        "trialmesh model promote language-id@2 champion --why 'better on short phrases'",
        "trialmesh model promote language-id champion --best",
      ),
    )
    .action(
      action(terminal, (wanted: PromotedModel, alias: string, options: Options) => {
        const { model } = wanted;
        const version = options.best === true && wanted.version === null ? "best" : wanted.version;
        if (version === null || (options.best === true && version !== "best"))
          return Promise.resolve(printRefusal(terminal, options, whichVersion(model).refusal));
        return withMesh(terminal, options, async (connected) => {
          const move: AliasMove = { of: "promote", model, version, alias };
          return printAnswer(
            terminal,
            options,
            await moveShown(terminal, connected, move, options.why),
            (value) =>
              `${value.model}@${value.alias} points to version ${value.version} now${value.from === null ? "" : `, before to ${value.from}`}`,
          );
        });
      }),
    );
}

type PromotedModel = Omit<ModelReference, "version"> & { readonly version: number | string | null };

function whichVersion(model: string) {
  return refuse(
    "invalid",
    `one version is to be promoted: ${model}@2 for a number, ${model}@stable for another alias's, or ${model} with --best`,
  );
}
