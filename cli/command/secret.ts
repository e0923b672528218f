/** `trialmesh secret`: values that programs need and nobody else may read: set, listed by name, taken away. */
import type { Command } from "commander";
import { readSecrets, removeSecret, setSecret, type KeptSecret } from "../../client/secret/secret-file.ts";
import { secretNameText } from "../../protocol/secret.ts";
import { accept } from "../../protocol/refusal.ts";
import { formatTime } from "../../text/figure.ts";
import { table } from "../../text/table.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { action, asking, examples, flag } from "../shell/option.ts";
import { readHidden } from "../shell/read-hidden.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const nameArgument = flag(secretNameText, "a name as of a variable, such as HF_TOKEN");

export function secretSetCommand(terminal: Terminal): Command {
  return asking("set", "seal a value to the agents of the mesh; it is read from standard input or asked for")
    .argument(
      "<name>",
      "what it is called, and the variable that programs get, such as HF_TOKEN",
      nameArgument,
    )
    .addHelpText("after", examples("trialmesh secret set HF_TOKEN < token.txt"))
    .action(
      action(terminal, (name: string, options: MeshOptions) =>
        withMesh(terminal, options, async (connected) => {
          const value = await readHidden(`value of ${name}: `);
          if (!value.ok) return printRefusal(terminal, options, value.refusal);
          const set = await setSecret(connected, name, value.value, Date.now());
          if (!set.ok) return printRefusal(terminal, options, set.refusal);
          return printAnswer(
            terminal,
            options,
            accept(shown(set.value)),
            ({ agents }) => `${name} is sealed to ${agents.join(", ")}; a sweep file says secrets: [${name}]`,
          );
        }),
      ),
    );
}

export function secretLsCommand(terminal: Terminal): Command {
  return asking("ls", "list the names of secrets, and the agents they are sealed to").action(
    action(terminal, (options: MeshOptions) =>
      withMesh(terminal, options, ({ client, home }) => {
        const kept = readSecrets(home.path);
        const own = kept.ok
          ? accept(kept.value.filter(({ requester }) => requester === client.who).map(shown))
          : kept;
        return Promise.resolve(
          printAnswer(terminal, options, own, (secrets) =>
            table(
              secrets,
              [
                { head: "NAME", cell: (secret) => secret.name },
                { head: "SET", cell: (secret) => formatTime(secret.setAt, Date.now()) },
                { head: "AGENTS", cell: (secret) => secret.agents.join(" ") },
              ],
              "no secrets; `trialmesh secret set NAME` makes one",
            ),
          ),
        );
      }),
    ),
  );
}

export function secretRmCommand(terminal: Terminal): Command {
  return asking("rm", "take a secret away from later sweeps; those that run have it")
    .argument("<name>", "name of the secret", nameArgument)
    .action(
      action(terminal, (name: string, options: MeshOptions) =>
        withMesh(terminal, options, (connected) =>
          Promise.resolve(
            printAnswer(
              terminal,
              options,
              removeSecret(connected, name),
              () => `${name} is gone from this home`,
            ),
          ),
        ),
      ),
    );
}

function shown({ name, sealed, setAt }: KeptSecret) {
  return { name, setAt, agents: Object.keys(sealed).toSorted() };
}
