/** `trialmesh join`: a requester or viewer takes up an invitation on this machine. Agents join with `agent --join`. */
import type { Command } from "commander";
import { acceptInvite } from "../../mesh/invite.ts";
import { homePath } from "../../mesh/home.ts";
import { accept } from "../../protocol/refusal.ts";
import { action, examples, printing } from "../shell/option.ts";
import { printAnswer, type PrintOptions } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";

export function joinCommand(terminal: Terminal): Command {
  return printing("join", "join a mesh as a requester or viewer, with the line `trialmesh invite` printed")
    .argument("<token>", "the invitation")
    .addHelpText("after", examples("trialmesh join tm2.eyJ2Ijoy…"))
    .action(
      action(terminal, async (token: string, options: PrintOptions) => {
        const joined = await acceptInvite(homePath(terminal.environment), token);
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
            `${home.path} belongs to mesh ${home.mesh} now, as ${credential.role} ${credential.name}; try \`trialmesh agents\``,
        );
      }),
    );
}
