/** `trialmesh artifact ls` and `show`: which artifacts lie here, which the record names, and what is known of each. */
import type { Command } from "commander";
import {
  findArtifact,
  listArtifacts,
  showArtifact,
  type ShownArtifact,
} from "../../client/artifact/artifact-desk.ts";
import { accept } from "../../protocol/refusal.ts";
import { plural } from "../../protocol/plural.ts";
import { formatBytes, formatTime, shortDigest } from "../../text/figure.ts";
import { fields, table } from "../../text/table.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { action, artifactArgument, asking, examples } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withArtifacts } from "../shell/with-artifacts.ts";
import type { MeshOptions } from "../shell/with-mesh.ts";

export function artifactLsCommand(terminal: Terminal): Command {
  return asking("ls", "list the artifacts of this machine, and those that the mesh's record names")
    .alias("list")
    .action(
      action(terminal, (options: MeshOptions) =>
        withArtifacts(terminal, options, async (desk) => {
          const artifacts = await listArtifacts(desk);
          const { quotaBytes, totalBytes } = desk.store.index;
          return printAnswer(terminal, options, accept({ artifacts, totalBytes, quotaBytes }), listText);
        }),
      ),
    );
}

interface Listed {
  readonly artifacts: readonly ShownArtifact[];
  readonly totalBytes: number;
  readonly quotaBytes: number;
}

function listText({ artifacts, quotaBytes, totalBytes }: Listed): string {
  const rows = table(
    artifacts,
    [
      { head: "DIGEST", cell: ({ digest }) => shortDigest(digest) },
      { head: "SIZE", cell: ({ bytes }) => (bytes === null ? "-" : formatBytes(bytes)), right: true },
      { head: "KIND", cell: ({ kind }) => kind ?? "-" },
      { head: "WHERE", cell: whereText },
      { head: "PINNED", cell: ({ pinned }) => (pinned ? "yes" : "-") },
      { head: "USED", cell: ({ usedAt }) => formatTime(usedAt, Date.now()) },
      { head: "NAMES", cell: ({ names }) => names.join(" ") || "-" },
    ],
    "no artifact is here, and the record names none",
  );
  const here = artifacts.filter((one) => one.here).length;
  return `${rows}\n${plural(here, "artifact")} here, ${formatBytes(totalBytes)} of at most ${formatBytes(quotaBytes)}`;
}

/** So many agents by name; the rest as a number, for a row is one line. */
const agentsNamedMax = 2;

function whereText({ agents, here, inMesh }: ShownArtifact): string {
  const others = agents ?? [];
  const places = [
    ...(here ? ["here"] : []),
    ...(inMesh === true ? ["mesh"] : []),
    ...others.slice(0, agentsNamedMax),
    ...(others.length > agentsNamedMax ? [`${others.length - agentsNamedMax} more`] : []),
  ];
  if (places.length > 0) return places.join(", ");
  return inMesh === null ? "?" : "nowhere";
}

export function artifactShowCommand(terminal: Terminal): Command {
  return asking("show", "show an artifact: size, kind, where it is, what refers to it")
    .argument("<artifact>", "digest, its first characters, or a version such as reviews@2", artifactArgument)
    .addHelpText("after", examples("trialmesh artifact show reviews@2"))
    .action(
      action(terminal, (text: string, options: MeshOptions) =>
        withArtifacts(terminal, options, async (desk) => {
          const digest = findArtifact(desk, text);
          if (!digest.ok) return printRefusal(terminal, options, digest.refusal);
          const shown = {
            ...(await showArtifact(desk, digest.value)),
            path: desk.store.pathOf(digest.value),
          };
          return printAnswer(terminal, options, accept(shown), showText);
        }),
      ),
    );
}

function showText(shown: ShownArtifact & { readonly path: string }): string {
  const { agents, bytes, digest, here, inMesh, kind, names, path, pinned, readers, usedAt } = shown;
  return fields([
    ["digest", digest],
    ["size", bytes === null ? "unknown" : `${formatBytes(bytes)} (${bytes} bytes)`],
    ["kind", kind ?? "unknown until it is here"],
    ["here", here ? path : "no"],
    ["mesh's store", inMesh === null ? "cannot be asked" : inMesh ? "yes" : "no"],
    ["agents", agents === null ? "cannot be asked" : agents.join(", ") || "none that is present"],
    ["pinned", pinned ? "yes" : "no"],
    ["last used", formatTime(usedAt, Date.now())],
    [
      "read by",
      readers === 0
        ? "nobody just now"
        : readers === 1
          ? "a process of this machine"
          : `${readers} processes of this machine`,
    ],
    ["names", names.join(" ") || "none"],
  ]);
}
