/** `trialmesh artifact pin` and `unpin`: what stays, on this machine whatever its quota says, and in the mesh whatever refers to it. */
import type { Command } from "commander";
import { findArtifact } from "../../client/artifact/artifact-desk.ts";
import { pinArtifact, type PinnedArtifact } from "../../client/artifact/pin-artifact.ts";
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
    "keep an artifact, here whatever else the quota lets go, and in the mesh whatever refers to it",
  ).addHelpText("after", examples("trialmesh artifact pin sentiment@champion"));
}

export function artifactUnpinCommand(terminal: Terminal): Command {
  return pinning(terminal, false, "unpin", "let an artifact go when its room is needed");
}

function pinning(terminal: Terminal, pinned: boolean, name: string, about: string): Command {
  return asking(name, about)
    .argument("<artifact>", "digest, its first characters, or a version such as reviews@2", artifactArgument)
    .action(
      action(terminal, (text: string, options: MeshOptions) =>
        withArtifacts(terminal, options, async (desk) => {
          const digest = findArtifact(desk, text);
          if (!digest.ok) return printRefusal(terminal, options, digest.refusal);
          return printAnswer(terminal, options, await pinArtifact(desk, digest.value, pinned), pinText);
        }),
      ),
    );
}

function pinText({ digest, here, inMesh, pinned }: PinnedArtifact): string {
  const name = shortDigest(digest);
  if (!pinned) return `${name} may go when its room is needed and nothing refers to it`;
  const kept = inMesh === true ? " and in the mesh's store" : "";
  return here
    ? `${name} stays on this machine${kept}`
    : `${name} stays${inMesh === true ? " in the mesh's store, and" : ""} on this machine once it is here: \`trialmesh artifact get ${name}…\``;
}
