/** `trialmesh revoke`: takes a credential back and cuts its connections. */
import { Option, type Command } from "commander";
import { tellRevoked } from "../../client/up/tell-revoked.ts";
import { homePath, openHome, type Home } from "../../mesh/home.ts";
import { anyRole, revokeUser } from "../../mesh/revoke.ts";
import { roles } from "../../protocol/subjects.ts";
import { action, examples, nameArgument, printing } from "../shell/option.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";

interface Options extends PrintOptions {
  readonly role?: string;
}

/** Where no mesh answers, the next `up` tells it. */
async function tellMesh(terminal: Terminal, home: Home): Promise<void> {
  const connected = await terminal.connect();
  if (!connected.ok) return;
  await tellRevoked(connected.value.client, home);
  await connected.value.client.close();
}

export function revokeCommand(terminal: Terminal): Command {
  return printing("revoke", "cut a user off: its credential is refused from now on")
    .argument("<name>", "name of the agent, requester, viewer or coordinator", nameArgument)
    .addOption(new Option("--role <role>", "where several users share the name").choices([...roles]))
    .addHelpText("after", examples("trialmesh revoke tower", "trialmesh revoke team-a --role requester"))
    .action(
      action(terminal, async (name: string, options: Options) => {
        const home = openHome(homePath(terminal.environment));
        if (!home.ok) return printRefusal(terminal, options, home.refusal);
        const role = options.role === undefined ? null : anyRole(options.role);
        if (role !== null && !role.ok) return printRefusal(terminal, options, role.refusal);
        const revoked = await revokeUser(home.value, name, Math.floor(Date.now() / 1000), role?.value);
        if (revoked.ok && revoked.value.role === "agent") await tellMesh(terminal, home.value);
        return printAnswer(terminal, options, revoked, (value) => {
          if (value.publicKey === null)
            return `nobody had joined as ${value.role} ${value.name} yet; the invitation is taken back`;
          const when =
            value.applied.when === "now"
              ? "cut off now"
              : `refused from the server's next start on (${value.applied.reason})`;
          return `${value.role} ${value.name} is ${when}`;
        });
      }),
    );
}
