/** `trialmesh runtime ls`: which native runtimes there are, and which are here. Starts none of them. */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { action, printing } from "../shell/option.ts";
import { printAnswer, type PrintOptions } from "../shell/answer.ts";
import { table } from "../../text/table.ts";
import type { Terminal } from "../shell/terminal.ts";

const bytesPerMb = 1e6;

export function runtimeLsCommand(terminal: Terminal): Command {
  return printing("ls", "list native runtimes: which there are, and what stands in their folder").action(
    action(terminal, async (options: PrintOptions) => {
      const { managedRuntimes } = await import("../../training/runtime/managed-runtime.ts");
      const { runtimeFolder } = await import("../../training/runtime/managed-package.ts");
      const { readRuntimeRecord } = await import("../../training/runtime/runtime-record.ts");
      const folder = runtimeFolder(terminal.environment);
      const runtimes = managedRuntimes.map((runtime) => ({
        name: runtime.name,
        about: runtime.about,
        installed: readRuntimeRecord(runtime, folder),
      }));
      return printAnswer(terminal, options, accept({ folder, runtimes }), () =>
        [
          table(
            runtimes,
            [
              { head: "RUNTIME", cell: ({ name }) => name },
              { head: "VERSION", cell: ({ installed }) => installed?.version ?? "-" },
              { head: "TENSORFLOW", cell: ({ installed }) => installed?.tensorflow ?? "-" },
              { head: "FROM", cell: ({ installed }) => installed?.source ?? "not installed" },
              {
                head: "MB",
                cell: ({ installed }) =>
                  installed === null ? "-" : String(Math.round(installed.bytes / bytesPerMb)),
                right: true,
              },
              { head: "PROVEN", cell: ({ installed }) => installed?.provenAt.slice(0, 10) ?? "-" },
              { head: "ABOUT", cell: ({ about }) => about },
            ],
            "there are none",
          ),
          `in ${folder}`,
        ].join("\n"),
      );
    }),
  );
}
