/** `trialmesh artifact pin` and `unpin`: what stays on this machine whatever the quota says. */
import type { Command } from "commander";
import { findArtifact } from "../../client/artifact/artifact-desk.ts";
import { accept } from "../../protocol/refusal.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { shortDigest } from "../../text/figure.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { action, artifactArgument, asking, examples } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withArtifacts } from "../shell/with-artifacts.ts";
import type { MeshOptions } from "../shell/with-mesh.ts";

export function artifactPinCommand(terminal: Terminal): Command {
  return pinning(
    terminal,
    true,
    "pin",
    "keep an artifact on this machine, whatever else its quota lets go",
  ).addHelpText("after", examples("trialmesh artifact pin sentiment@champion"));
}

export function artifactUnpinCommand(terminal: Terminal): Command {
  return pinning(terminal, false, "unpin", "let an artifact go when the quota needs its room");
}

function pinning(terminal: Terminal, pinned: boolean, name: string, about: string): Command {
  return asking(name, about)
    .argument("<artifact>", "digest, its first characters, or a version such as reviews@2", artifactArgument)
    .action(
      action(terminal, (text: string, options: MeshOptions) =>
        withArtifacts(terminal, options, async (desk) => {
          const { store } = desk;
          const digest = findArtifact(desk, text);
          if (!digest.ok) return printRefusal(terminal, options, digest.refusal);
          try {
            await (pinned ? store.pin(digest.value) : store.unpin(digest.value));
          } catch (error) {
            const refused = refuseDisk(error, "write", store.folder);
            return refused.ok ? 0 : printRefusal(terminal, options, refused.refusal);
          }
          const here = store.entry(digest.value) !== null;
          return printAnswer(terminal, options, accept({ digest: digest.value, pinned, here }), () =>
            pinText(digest.value, pinned, here),
          );
        }),
      ),
    );
}

function pinText(digest: string, pinned: boolean, here: boolean): string {
  const name = shortDigest(digest);
  if (!pinned) return `${name} may go when the quota needs its room`;
  return here
    ? `${name} stays on this machine`
    : `${name} stays on this machine once it is here: \`trialmesh artifact get ${name}…\``;
}
