/** `trialmesh invite`: one line that lets another machine or person join. Whoever holds the line is that user. */
import { Argument, type Command } from "commander";
import { isLoopback, makeInvitation } from "../../client/connect/make-invitation.ts";
import { invitedRole, invitedRoles } from "../../mesh/invite.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { action, examples, nameArgument, printing } from "../shell/option.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";

interface Options extends PrintOptions {
  readonly url?: string;
}

export function inviteCommand(terminal: Terminal): Command {
  return printing("invite", "print the one line that lets another machine or person join")
    .addArgument(new Argument("<role>", "what it may do").choices([...invitedRoles]))
    .argument("<name>", "its name in the mesh", nameArgument)
    .option(
      "--url <url>",
      "address of the mesh as the other machine reaches it, such as nats://192.168.1.5:4222",
    )
    .addHelpText(
      "after",
      examples(
        "trialmesh invite agent tower",
        "trialmesh invite requester team-a",
        "trialmesh invite agent tower --url nats://192.168.1.5:4222",
      ),
    )
    .action(
      action(terminal, (role: string, name: string, options: Options) =>
        invite(terminal, role, name, options),
      ),
    );
}

async function invite(
  terminal: Terminal,
  roleText: string,
  name: string,
  options: Options,
): Promise<ExitCode> {
  const role = invitedRole(roleText);
  if (!role.ok) return printRefusal(terminal, options, role.refusal);
  const nowS = Math.floor(Date.now() / 1000);
  const made = await makeInvitation(terminal.environment, { role: role.value, name, url: options.url, nowS });
  const code = printAnswer(terminal, options, made, ({ line }) => line);
  if (!made.ok) return code;
  terminal.note(
    `Paste this line on the other machine; whoever holds it is ${role.value} ${name}. \`trialmesh revoke ${name}\` takes it back.`,
  );
  if (isLoopback(made.value)) {
    const { url } = made.value;
    terminal.note(
      `It names ${url}, which only this machine reaches; for another one, start the mesh with \`trialmesh up --listen 0.0.0.0:${url.split(":").at(-1)}\`.`,
    );
  }
  return code;
}
