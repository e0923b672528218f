/** The flags of both exports, and what is said of one that is done; the same for a sweep and a trial. */
import { Option, type Command } from "commander";
import {
  exportFormats,
  exportPlace,
  exportTables,
  type ExportOptions,
} from "../../client/export/export-place.ts";
import type { Exported, ExportSource } from "../../client/export/export-trials.ts";
import type { MeshClient } from "../../protocol/client.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { exitCode } from "../../protocol/exit-code.ts";
import { plural } from "../../protocol/plural.ts";
import { formatBytes } from "../../text/figure.ts";
import { printAnswer, printRefusal } from "./answer.ts";
import { fileArgument } from "./option.ts";
import type { Terminal } from "./terminal.ts";
import { withMesh, type MeshOptions } from "./with-mesh.ts";

/** What is half written is taken away before it ends. */
const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export type ExportCommandOptions = ExportOptions & MeshOptions;

export function withExportFlags(command: Command): Command {
  return command
    .option(
      "--out <place>",
      "a file, a folder, or - for standard output (default: a folder SWEEP-export, of json a file)",
      fileArgument,
    )
    .addOption(
      new Option("--format <format>", "what to write (default: what the file is called, else csv)").choices(
        exportFormats,
      ),
    )
    .addOption(
      new Option("--table <table>", "of csv and parquet only this table (default: both)").choices(
        exportTables,
      ),
    )
    .option("--force", "write anew what is there already");
}

/** `name`: what the files are called after. */
export function runExport(
  terminal: Terminal,
  options: ExportCommandOptions,
  name: string,
  sourceOf: (client: MeshClient) => ExportSource,
): Promise<ExitCode> {
  const place = exportPlace(name, options);
  if (!place.ok) {
    printRefusal(terminal, options, place.refusal);
    // Flags that contradict each other, or a place that is taken.
    return Promise.resolve(place.refusal.code === "invalid" ? exitCode.usage : exitCode.failed);
  }
  return withMesh(terminal, options, async ({ client }) => {
    const { exportTrials } = await import("../../client/export/export-trials.ts");
    const pour = (text: string) => terminal.pour(text);
    const leave = () => process.exit(exitCode.interrupted);
    for (const signal of endingSignals) process.once(signal, leave);
    const done = await exportTrials(sourceOf(client), place.value, pour, Date.now());
    for (const signal of endingSignals) process.off(signal, leave);
    if (!done.ok) return printRefusal(terminal, options, done.refusal);
    if (done.value.files.every(({ file }) => file !== null))
      return printAnswer(terminal, options, done, exportedText);
    // Standard output is the export's.
    for (const line of exportedText(done.value).split("\n")) terminal.note(`trialmesh: ${line}`);
    return exitCode.ok;
  });
}

function exportedText({ files, history, trials, values }: Exported): string {
  const about = `${plural(trials, "trial")}, ${plural(values, "value")} of their history`;
  const written = files.flatMap(({ bytes, file, table }) =>
    file === null ? [] : [`${file}: ${table === "all" ? about : table}, ${formatBytes(bytes ?? 0)}`],
  );
  const summary = written.length === 1 && files[0]?.table === "all" ? [] : [about];
  return [...written, ...summary, ...keptText(history)].join("\n");
}

/** Never is a history called whole that is not. */
function keptText({ empty, lost, partial, whole }: Exported["history"]): readonly string[] {
  const trained = whole + partial + lost;
  if (trained === 0) return empty === 0 ? [] : ["none of them has said anything yet"];
  if (whole === trained) return ["the history is whole: every epoch of every trial"];
  const parts = [
    `whole of ${whole} of ${plural(trained, "trial")}`,
    ...(partial === 0 ? [] : [`partial of ${partial}`]),
    ...(lost === 0 ? [] : [`lost of ${lost}`]),
  ];
  return [
    `the history is ${parts.join(", ")}: the mesh keeps the newest points of each agent and lets go of older ones; column "history" says it of each trial`,
  ];
}
