/**
 * `trialmesh connection`: what a program in any language needs to speak to the mesh as one of its people. It names the file
 * that holds the secret and never prints the secret.
 */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { action, asking, examples } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { fields } from "../../text/table.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";
import { connectionOf, type Connection } from "../../client/connect/connection.ts";

export function connectionCommand(terminal: Terminal): Command {
  return asking("connection", "print what another program needs to speak to the mesh: docs/outside.md")
    .addHelpText(
      "after",
      examples("trialmesh connection", "trialmesh connection --json --as team-a > connection.json"),
    )
    .action(
      action(terminal, (options: MeshOptions) =>
        // Connects, so that what is printed is known to work.
        withMesh(terminal, options, async (connected) =>
          printAnswer(terminal, options, accept(connectionOf(connected)), connectionText),
        ),
      ),
    );
}

function connectionText(connection: Connection): string {
  return fields([
    ["mesh", connection.mesh],
    ["server", connection.url],
    ["TLS", tlsText(connection)],
    ["as", `${connection.role} ${connection.name}`],
    ["credentials", connection.credentials],
    ["inbox prefix", connection.inboxPrefix],
    ["queries", `${connection.queryPrefix}NAME`],
    ["commands", connection.commandPrefix === null ? "none" : `${connection.commandPrefix}NAME`],
  ]);
}

function tlsText({ tls }: Connection): string {
  if (tls === null) return "none";
  const by = tls.ca === null ? "by whom this machine trusts" : `by ${tls.ca}`;
  return tls.handshakeFirst ? `1.3, before the server speaks; ${by}` : `1.3, ${by}`;
}
