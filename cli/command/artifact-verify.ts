/** `trialmesh artifact verify`: reads what lies on this machine and tells what of it is damaged. */
import type { Command } from "commander";
import { findArtifact, type ArtifactDesk } from "../../client/artifact/artifact-desk.ts";
import { verifyArtifact, type VerifiedArtifact } from "../../client/artifact/verify-artifact.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import type { Digest } from "../../protocol/id.ts";
import { plural } from "../../protocol/plural.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { shortDigest } from "../../text/figure.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { action, artifactArgument, asking, eachOf, examples } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { progressOf, withArtifacts } from "../shell/with-artifacts.ts";
import type { MeshOptions } from "../shell/with-mesh.ts";

interface VerifyOptions extends MeshOptions {
  readonly heal?: boolean;
}

export function artifactVerifyCommand(terminal: Terminal): Command {
  return asking("verify", "read all of this machine's artifacts, or those named, and tell what is damaged")
    .argument("[artifact...]", "digests, their first characters, or versions", eachOf(artifactArgument))
    .option("--heal", "bring again what is damaged, from agents that have it or the mesh's store")
    .addHelpText("after", examples("trialmesh artifact verify", "trialmesh artifact verify reviews@2 --heal"))
    .action(
      action(terminal, (texts: readonly string[], options: VerifyOptions) =>
        withArtifacts(terminal, options, (desk) => verifyAll(terminal, desk, texts, options)),
      ),
    );
}

async function verifyAll(
  terminal: Terminal,
  desk: ArtifactDesk,
  texts: readonly string[],
  options: VerifyOptions,
): Promise<ExitCode> {
  const wanted = digestsOf(desk, texts);
  if (!wanted.ok) return printRefusal(terminal, options, wanted.refusal);
  const artifacts: VerifiedArtifact[] = [];
  for (const digest of wanted.value) {
    const progress = progressOf(terminal, shortDigest(digest));
    const say = (line: string) => terminal.note(line);
    const verified = await verifyArtifact(desk, digest, options.heal === true, say, progress);
    if (!verified.ok) return printRefusal(terminal, options, verified.refusal);
    artifacts.push(verified.value);
  }
  printAnswer(terminal, options, accept({ artifacts }), () => verifiedText(artifacts));
  return artifacts.some(({ state }) => state === "damaged" || state === "not here")
    ? exitCode.failed
    : exitCode.ok;
}

function digestsOf(desk: ArtifactDesk, texts: readonly string[]): Outcome<readonly Digest[]> {
  if (texts.length === 0) return accept(desk.store.index.list().map(({ digest }) => digest));
  const digests: Digest[] = [];
  for (const text of texts) {
    const digest = findArtifact(desk, text);
    if (!digest.ok) return digest;
    digests.push(digest.value);
  }
  return accept(digests);
}

function verifiedText(artifacts: readonly VerifiedArtifact[]): string {
  const lines = artifacts.filter(({ state }) => state !== "right").map(lineOf);
  const right = artifacts.filter(({ state }) => state === "right").length;
  return [
    ...lines,
    `${plural(right, "artifact")} of ${artifacts.length} ${right === 1 ? "is" : "are"} as their digests say`,
  ].join("\n");
}

function lineOf({ chunks, digest, state, why }: VerifiedArtifact): string {
  const where = chunks === null ? "" : `, in ${plural(chunks.length, "chunk")}`;
  switch (state) {
    case "healed":
      return `${shortDigest(digest)} was damaged${where} and is whole again`;
    case "damaged":
      return `${shortDigest(digest)} is damaged${where}; ${why ?? "`--heal` brings it again where the mesh has it"}`;
    case "not here":
      return `${shortDigest(digest)} is not on this machine`;
    case "right":
      return `${shortDigest(digest)} is as its digest says`;
  }
}
