/** `trialmesh account open`: a requester's account, with a weight and a first grant. */
import type { Command } from "commander";
import { openAccount } from "../../client/account/open-account.ts";
import { formatTokens } from "../../protocol/token.ts";
import { action, asking, examples, nameArgument, tokensFlag, weightFlag } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly weight?: number;
  readonly grant?: number;
}

export function accountOpenCommand(terminal: Terminal): Command {
  return asking("open", "open an account for a requester")
    .argument("<requester>", "name of the account", nameArgument)
    .option("--weight <w>", "share of the machines against others who wait", weightFlag)
    .option("--grant <tokens>", "tokens to begin with", tokensFlag)
    .addHelpText(
      "after",
      examples("trialmesh account open team-a --grant 500", "trialmesh account open night --weight 0.2"),
    )
    .action(
      action(terminal, (requester: string, options: Options) =>
        withMesh(terminal, options, async ({ client }) => {
          const { grant = 0, weight } = options;
          const wanted = { requester, grant, ...(weight === undefined ? {} : { weight }) };
          const account = await openAccount(client, wanted);
          return printAnswer(terminal, options, account, ({ accounts: [found], opened }) =>
            found === undefined
              ? `the account of ${requester} is open`
              : `the account of ${requester} is open${opened ? "" : " already"}: ${formatTokens(found.available)} tokens available, weight ${found.weight}`,
          );
        }),
      ),
    );
}
