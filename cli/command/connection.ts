/**
 * `trialmesh connection`: what a program in any language needs to speak to the mesh as one of its people. It names the file
 * that holds the secret and never prints the secret.
 */
import type { Command } from "commander";
import { credentialFile } from "../../mesh/credential.ts";
import { accept } from "../../protocol/refusal.ts";
import { inboxPrefixOf, subjectsOf } from "../../protocol/subjects.ts";
import { action, asking, examples } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { fields } from "../../text/table.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";

interface Connection {
  readonly mesh: string;
  /** Address of the NATS server. */
  readonly url: string;
  readonly role: string;
  readonly name: string;
  /** Path of a NATS `.creds` file. */
  readonly credentials: string;
  /** Replies to any other inbox are denied. */
  readonly inboxPrefix: string;
  /** With a query's name after it, the subject to ask on. */
  readonly queryPrefix: string;
  /** The same for commands; null for a viewer, who has none. */
  readonly commandPrefix: string | null;
}

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

function connectionOf({ client, home }: Connected): Connection {
  const { role, who } = client;
  const subjects = subjectsOf(home.mesh);
  return {
    mesh: home.mesh,
    url: home.url,
    role,
    name: who,
    credentials: credentialFile(home, role, who),
    inboxPrefix: inboxPrefixOf(role, who),
    queryPrefix: subjects.query(role, who, ""),
    commandPrefix: role === "viewer" ? null : subjects.command(role, who, ""),
  };
}

function connectionText(connection: Connection): string {
  return fields([
    ["mesh", connection.mesh],
    ["server", connection.url],
    ["as", `${connection.role} ${connection.name}`],
    ["credentials", connection.credentials],
    ["inbox prefix", connection.inboxPrefix],
    ["queries", `${connection.queryPrefix}NAME`],
    ["commands", connection.commandPrefix === null ? "none" : `${connection.commandPrefix}NAME`],
  ]);
}
