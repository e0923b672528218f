/** `trialmesh model promote`: points an alias to a version, once that version has proved that it can serve. */
import type { Command } from "commander";
import { refuse } from "../../protocol/refusal.ts";
import { modelReference, type ModelReference } from "../../client/model/model-reference.ts";
import { action, asking, examples, nameArgument } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function modelPromoteCommand(terminal: Terminal): Command {
  return asking("promote", "point an alias to a version, after loading it and having it answer an example")
    .argument("<model>", "name@version, or name@alias to copy an alias", modelReference)
    .argument("<alias>", "the alias to move, such as champion", nameArgument)
    .option("--why <text>", "reason, kept in the record", "")
    .addHelpText(
      "after",
      examples("trialmesh model promote language-id@2 champion --why 'better on short phrases'"),
    )
    .action(
      action(
        terminal,
        (reference: ModelReference, alias: string, options: MeshOptions & { readonly why: string }) =>
          withMesh(terminal, options, async ({ client, bus }) => {
            const view = await client.query("model", { model: reference.model });
            if (!view.ok) return printRefusal(terminal, options, view.refusal);
            const { version } = reference;
            const number =
              typeof version === "number"
                ? version
                : view.value.aliases.find((known) => known.alias === version)?.version;
            if (number === undefined)
              return printRefusal(
                terminal,
                options,
                refuse("unknown", `${reference.model} has no alias "${version}"`).refusal,
              );
            const { checkVersion } = await import("../../client/model/check-version.ts");
            const checked = await checkVersion(client, bus, view.value, number);
            if (!checked.ok) return printRefusal(terminal, options, checked.refusal);
            terminal.note(`${reference.model}@${number} answers: ${checked.value.answer}`);
            const answer = await client.command("model-promote", {
              model: reference.model,
              version: number,
              alias,
              why: options.why,
            });
            return printAnswer(
              terminal,
              options,
              answer,
              (value) =>
                `${value.model}@${value.alias} points to version ${value.version} now${value.from === null ? "" : `, before to ${value.from}`}`,
            );
          }),
      ),
    );
}
