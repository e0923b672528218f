/** `trialmesh invite`: one line that lets another machine or person join. Whoever holds the line is that user. */
import { Argument, type Command } from "commander";
import { networkInterfaces } from "node:os";
import { homePath, openHome, type Home } from "../../mesh/home.ts";
import { invitedRole, invitedRoles, makeInvite, type InvitedRole } from "../../mesh/invite.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, examples, nameArgument, printing } from "../shell/option.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { readUpRecord } from "../../mesh/part/up-record.ts";

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
  const home = openHome(homePath(terminal.environment));
  if (!home.ok) return printRefusal(terminal, options, home.refusal);
  const url = options.url ?? outsideUrl(home.value);
  const made = await makeInvite(home.value, role.value, name, Math.floor(Date.now() / 1000), url);
  const answer: Outcome<{ role: InvitedRole; name: string; url: string; line: string }> = made.ok
    ? accept({ role: role.value, name, url, line: joinLine(role.value, made.value) })
    : made;
  const code = printAnswer(terminal, options, answer, (value) => value.line);
  if (code === exitCode.ok) {
    terminal.note(
      `Paste this line on the other machine; whoever holds it is ${role.value} ${name}. \`trialmesh revoke ${name}\` takes it back.`,
    );
    if (/\/\/(127\.|localhost)/.test(url)) {
      terminal.note(
        `It names ${url}, which only this machine reaches; for another one, start the mesh with \`trialmesh up --listen 0.0.0.0:${url.split(":").at(-1)}\`.`,
      );
    }
  }
  return code;
}

function joinLine(role: InvitedRole, token: string): string {
  return role === "requester" || role === "viewer"
    ? `trialmesh join ${token}`
    : `trialmesh ${role} --join ${token}`;
}

/** The address others reach this machine at, where the server listens for others at all. */
function outsideUrl(home: Home): string {
  const listen = readUpRecord(home)?.listen;
  if (listen !== "0.0.0.0" && listen !== "::") return home.url;
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => !address.internal && address.family === "IPv4");
  return outside === undefined ? home.url : `nats://${outside.address}:${home.url.split(":").at(-1)}`;
}
