/** `model rm`, `model restore`, and the same of datasets: takes all of it or one version out of sight, and brings that back. */
import type { Command } from "commander";
import type { CommandValue } from "../../protocol/command.ts";
import { namedList, plural } from "../../protocol/plural.ts";
import type { RegistryEntry } from "../../protocol/registry-entry.ts";
import type { RemovalView } from "../../protocol/removal-view.ts";
import { formatBytes } from "../../text/figure.ts";
import { printAnswer } from "../shell/answer.ts";
import { entryArgument, entryForm } from "../shell/entry-argument.ts";
import { action, asking, examples, noteFlag } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

type Kind = RegistryEntry["of"];

interface Options extends MeshOptions {
  readonly dry?: boolean;
  readonly force?: boolean;
  readonly why: string;
}

export function registryRmCommand(terminal: Terminal, of: Kind): Command {
  return asking("rm", `remove a ${of} or one version of it: out of the lists, and nothing new stands on it`)
    .argument(`<${of}>`, entryForm(of), entryArgument(of))
    .option("--dry", "only say what would go and what stands on it")
    .option("--force", "also where something stands on it; that stays as it is")
    .option("--why <text>", "reason, kept in the record", noteFlag, "")
    .addHelpText("after", examples(`trialmesh ${of} rm reviews@3 --dry`, `trialmesh ${of} rm reviews`))
    .addHelpText(
      "after",
      `\nNumbers and lineage stay, and so do the bytes for a while (\`trialmesh gc policy\`):\n\`trialmesh ${of} restore\` brings it back.\n`,
    )
    .action(
      action(terminal, (entry: RegistryEntry, { dry = false, force = false, why, ...options }: Options) =>
        withMesh(terminal, options, async ({ client }) =>
          dry
            ? printAnswer(terminal, options, await client.query("removal", entry), (view) =>
                removalText(view, entry.of, true),
              )
            : printAnswer(
                terminal,
                options,
                await client.command("registry-remove", { ...entry, force, why }),
                (view) => removalText(view, entry.of, false),
              ),
        ),
      ),
    );
}

function removalText({ bytes, dependents, entry, versions }: RemovalView, of: Kind, dry: boolean): string {
  const what = `${entry}${versions.length > 1 ? `, ${plural(versions.length, "version")}` : ""}`;
  const stands = dependents.length === 0 ? "nothing stands on it" : `on it stands ${namedList(dependents)}`;
  if (dry) {
    const force = dependents.length === 0 ? "" : ", so it takes `--force`";
    return `${what} (${formatBytes(bytes)}) would be removed; ${stands}${force}`;
  }
  return `${what} (${formatBytes(bytes)}) is removed; ${stands}; the bytes are kept for a while, and \`trialmesh ${of} restore ${entry}\` brings it back`;
}

export function registryRestoreCommand(terminal: Terminal, of: Kind): Command {
  return asking("restore", `bring back a removed ${of}, or one version of it`)
    .argument(`<${of}>`, `${entryForm(of)}; of all of it, what was removed last`, entryArgument(of))
    .addHelpText("after", examples(`trialmesh ${of} restore reviews@3`, `trialmesh ${of} show reviews --all`))
    .action(
      action(terminal, (entry: RegistryEntry, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.command("registry-restore", entry), (value) =>
            restoredText(value, entry.name),
          ),
        ),
      ),
    );
}

function restoredText({ lost, versions }: CommandValue<"registry-restore">, name: string): string {
  const back = versions.map((version) => `${name}@${version}`).join(", ");
  return [`${back} ${versions.length === 1 ? "is" : "are"} on record again`, ...lost].join("; ");
}
