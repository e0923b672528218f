/** `trialmesh join`: takes up an invitation on this machine. Agents and coordinators can do it as they start, with `--join`. */
import type { Command } from "commander";
import { acceptInvite } from "../../mesh/join.ts";
import { machineName } from "../../mesh/part/machine-name.ts";
import { homePath } from "../../mesh/home.ts";
import { readCertificate } from "../../mesh/home-tls.ts";
import { accept } from "../../protocol/refusal.ts";
import type { Role } from "../../protocol/subjects.ts";
import { action, caFlag, caWords, codeFlag, examples, printing } from "../shell/option.ts";
import { printAnswer, type PrintOptions } from "../shell/answer.ts";
import { firstLine } from "../shell/first-line.ts";
import type { Terminal } from "../shell/terminal.ts";

interface Options extends PrintOptions {
  readonly ca?: string;
}

export function joinCommand(terminal: Terminal): Command {
  return printing("join", "join a mesh with the line that `trialmesh invite` printed there")
    .argument("<code>", "the invitation, CODE@host:port; - reads it from standard input", codeFlag)
    .option("--ca <file>", caWords, caFlag)
    .addHelpText("after", examples("trialmesh join tm4.8k2q-m3xd-…@192.168.1.5:4222"))
    .action(
      action(terminal, async (given: string, options: Options) => {
        const line = given === "-" ? await firstLine(process.stdin) : given;
        const ca = options.ca === undefined ? accept(null) : readCertificate(options.ca);
        if (!ca.ok) return printAnswer(terminal, options, ca, () => "");
        const joined = await acceptInvite(homePath(terminal.environment), line, {
          machine: machineName(),
          role: null,
          ca: ca.value,
        });
        if (!joined.ok) return printAnswer(terminal, options, joined, () => "");
        const { home, credential } = joined.value;
        const value = {
          mesh: home.mesh,
          url: home.url,
          role: credential.role,
          name: credential.name,
          home: home.path,
        };
        return printAnswer(
          terminal,
          options,
          accept(value),
          () =>
            `${home.path} belongs to mesh ${home.mesh} now, as ${credential.role} ${credential.name}; try \`trialmesh ${nextOf(credential.role)}\``,
        );
      }),
    );
}

/** What one who has just joined does first. */
function nextOf(role: Role): string {
  return role === "agent" || role === "coordinator" ? role : "agents";
}
