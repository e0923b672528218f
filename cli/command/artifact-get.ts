/** `trialmesh artifact get` and `put`: files and folders out of the mesh's store and into it. */
import type { Command } from "commander";
import { findArtifact } from "../../client/artifact/artifact-desk.ts";
import { bringArtifact, placeArtifact } from "../../client/artifact/bring-artifact.ts";
import { putArtifact, type PutArtifact } from "../../client/artifact/put-artifact.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { plural } from "../../protocol/plural.ts";
import { accept } from "../../protocol/refusal.ts";
import { formatBytes, shortDigest } from "../../text/figure.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { action, artifactArgument, asking, examples, fileArgument } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { progressOf, withArtifacts } from "../shell/with-artifacts.ts";
import type { MeshOptions } from "../shell/with-mesh.ts";

interface GetOptions extends MeshOptions {
  readonly out?: string;
}

export function artifactGetCommand(terminal: Terminal): Command {
  return asking("get", "bring an artifact onto this machine, and to a path with --out")
    .argument("<artifact>", "digest, its first characters, or a version such as reviews@2", artifactArgument)
    .option("--out <path>", "a file or folder that is not there yet", fileArgument)
    .addHelpText(
      "after",
      examples(
        "trialmesh artifact get sentiment@champion --out model.safetensors",
        "trialmesh artifact get 3f9a61c2             # into this machine's store; prints its path there",
      ),
    )
    .action(action(terminal, (text: string, options: GetOptions) => getArtifact(terminal, text, options)));
}

function getArtifact(terminal: Terminal, text: string, options: GetOptions): Promise<ExitCode> {
  return withArtifacts(terminal, options, async (desk) => {
    const digest = findArtifact(desk, text);
    if (!digest.ok) return printRefusal(terminal, options, digest.refusal);
    const progress = progressOf(terminal, shortDigest(digest.value));
    const say = (line: string) => terminal.note(line);
    const held = await bringArtifact(desk, digest.value, say, progress);
    if (!held.ok) return printRefusal(terminal, options, held.refusal);
    const { bytes, path } = held.value;
    try {
      const { out } = options;
      if (out === undefined)
        return printAnswer(terminal, options, accept({ digest: digest.value, bytes, path }), () => path);
      const placed = await placeArtifact(held.value, out);
      if (!placed.ok) return printRefusal(terminal, options, placed.refusal);
      const { files, kind } = placed.value;
      const what = kind === "file" ? "the file" : `a folder of ${plural(files, "file")}`;
      const answer = accept({ digest: digest.value, bytes, path: out, kind, files });
      return printAnswer(terminal, options, answer, () => `${out} is ${what}, ${formatBytes(bytes)}`);
    } finally {
      held.value.release();
    }
  });
}

export function artifactPutCommand(terminal: Terminal): Command {
  return asking("put", "take a file or a folder into this machine's store and the mesh's")
    .argument("<path>", "a file or a folder", fileArgument)
    .addHelpText(
      "after",
      "\nA folder is one artifact: names, contents and which files may be run, nothing else of them. Links, pipes and devices are refused.\n",
    )
    .addHelpText(
      "after",
      examples("trialmesh artifact put corpus/", "trialmesh artifact put weights.bin --json"),
    )
    .action(
      action(terminal, (path: string, options: MeshOptions) =>
        withArtifacts(terminal, options, async (desk) =>
          printAnswer(terminal, options, await putArtifact(desk, path, progressOf(terminal, path)), putText),
        ),
      ),
    );
}

function putText({ bytes, digest, kind, sent }: PutArtifact): string {
  const where =
    sent === null
      ? "kept on this machine alone"
      : `${sent ? "sent to the mesh" : "in the mesh already"}; it stays there until \`trialmesh artifact unpin\``;
  return `${digest}\n${kind}, ${formatBytes(bytes)}; ${where}`;
}
