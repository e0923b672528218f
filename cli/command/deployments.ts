/** `trialmesh deployments` and `trialmesh deploy show`: what the mesh answers with, by which replicas, at what cost. */
import type { Command } from "commander";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { deploymentsText, deploymentText } from "../print/deployment-text.ts";
import { printAnswer } from "../shell/answer.ts";
import { action, asking, examples, nameArgument } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly all?: boolean;
}

export function deploymentsCommand(terminal: Terminal): Command {
  return asking("deployments", "list what the mesh answers with: state, replicas, versions, tokens an hour")
    .argument("[name]", "one deployment, with its replicas", nameArgument)
    .option("--all", "also those that were stopped")
    .addHelpText("after", examples("trialmesh deployments", "trialmesh deployments answers --json"))
    .action(
      action(terminal, (deployment: string | undefined, options: Options) =>
        deployment === undefined ? list(terminal, options) : show(terminal, deployment, options),
      ),
    );
}

export function deployShowCommand(terminal: Terminal): Command {
  return asking("show", "show a deployment with its replicas")
    .argument("<name>", "what the deployment is called", nameArgument)
    .action(
      action(terminal, (deployment: string, options: MeshOptions) => show(terminal, deployment, options)),
    );
}

function list(terminal: Terminal, options: Options): Promise<ExitCode> {
  return withMesh(terminal, options, async ({ client }) =>
    printAnswer(
      terminal,
      options,
      await client.query("deployments", { stopped: options.all === true }),
      ({ deployments }) => deploymentsText(deployments),
    ),
  );
}

function show(terminal: Terminal, deployment: string, options: MeshOptions): Promise<ExitCode> {
  return withMesh(terminal, options, async ({ client }) =>
    printAnswer(terminal, options, await client.query("deployment", { deployment }), deploymentText),
  );
}
