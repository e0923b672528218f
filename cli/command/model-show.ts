/** `trialmesh model show`: a model's versions and aliases, and how each alias came to where it points; or one version. */
import type { Command } from "commander";
import { versionFields } from "../../client/list/list-field.ts";
import type { ModelReference } from "../../client/model/model-reference.ts";
import { showModel } from "../../client/model/show-model.ts";
import { modelText, versionText } from "../print/model-text.ts";
import { printAnswer } from "../shell/answer.ts";
import { withRemovedFlag, type RemovedOptions } from "../shell/label-option.ts";
import { modelArgument } from "../shell/model-option.ts";
import { action, asking, examples, nameArgument } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { printList, withListFlags, type ListOptions } from "../shell/where-option.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

type Options = MeshOptions & ListOptions & RemovedOptions;
type Wanted = Pick<ModelReference, "model"> & { readonly version: number | string | null };

export function modelShowCommand(terminal: Terminal): Command {
  return withListFlags(
    withRemovedFlag(
      asking("show", "show a model: versions, aliases, who moved an alias, when and from where"),
    ).argument(
      "<model>",
      "name of the model; or name@version, name@alias or name@best for one version",
      (text: string): Wanted =>
        text.includes("@") ? modelArgument(text) : { model: nameArgument(text), version: null },
    ),
    "accuracy>=0.9",
  )
    .addHelpText(
      "after",
      examples(
        "trialmesh model show language-id --where 'accuracy>0.8' --sort -bytes",
        "trialmesh model show language-id@champion",
      ),
    )
    .action(
      action(terminal, ({ model, version }: Wanted, { all: removed = false, ...options }: Options) =>
        withMesh(terminal, options, async (connected) => {
          if (version !== null) {
            const { showVersion } = await import("../../client/model/show-version.ts");
            const one = await showVersion(connected, { model, version }, terminal);
            return printAnswer(terminal, options, one, versionText);
          }
          const shown = await showModel(connected.client, { model, removed });
          return printList(terminal, options, shown, {
            fields: versionFields(shown.ok ? shown.value.aliases : []),
            listOf: ({ versions }) => versions,
            withList: (value, versions) => ({ ...value, versions: [...versions] }),
            text: modelText,
          });
        }),
      ),
    );
}
