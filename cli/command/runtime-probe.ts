/** `trialmesh runtime probe`: which backends train here, which not and why, and how fast. Joins nothing. */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { action, printing } from "../shell/option.ts";
import { printAnswer, type PrintOptions } from "../shell/answer.ts";
import { backendText } from "../print/backend-table.ts";
import type { Terminal } from "../shell/terminal.ts";

export function runtimeProbeCommand(terminal: Terminal): Command {
  return printing("probe", "try every backend: which train here, which not and why, and how fast").action(
    action(terminal, async (options: PrintOptions) => {
      const { reportMachine } = await import("../../mesh/part/measure-machine.ts");
      const { backends, rates, threads, ...rest } = await reportMachine({
        environment: terminal.environment,
        folder: process.cwd(),
        labels: {},
        fresh: true,
        progress: (line) => terminal.note(line),
      });
      return printAnswer(terminal, options, accept({ backends, rates, threads }), (value) =>
        backendText({ ...rest, ...value }),
      );
    }),
  );
}
