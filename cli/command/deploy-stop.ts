/** `trialmesh deploy stop`: a deployment ends; its name can be deployed again. */
import type { Command } from "commander";
import { plural } from "../../protocol/plural.ts";
import { printAnswer } from "../shell/answer.ts";
import { action, asking, nameArgument, noteFlag } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function deployStopCommand(terminal: Terminal): Command {
  return asking("stop", "end a deployment: its replicas answer what they were asked, and end")
    .argument("<name>", "what the deployment is called", nameArgument)
    .option("--why <text>", "reason, kept in the record", noteFlag, "")
    .action(
      action(terminal, (deployment: string, options: MeshOptions & { readonly why: string }) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("deploy-stop", { deployment, why: options.why }),
            ({ running }) =>
              running === 0
                ? `${deployment} is stopped`
                : `${deployment} is stopped; ${plural(running, "replica")} ${running === 1 ? "ends" : "end"} once what was asked is answered`,
          ),
        ),
      ),
    );
}
