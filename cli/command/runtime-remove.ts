/** `trialmesh runtime remove NAME`: takes a native runtime away, and what an install that was cut short left of it. */
import { Argument, type Command } from "commander";
import { accept, refuse } from "../../protocol/refusal.ts";
import { action, examples, printing } from "../shell/option.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";

const names = ["tensorflow", "tfjs-node", "tfjs-node-gpu", "webgpu", "onnx"];

export function runtimeRemoveCommand(terminal: Terminal): Command {
  return printing("remove", "take a native runtime away")
    .addArgument(new Argument("<name>", "tensorflow means both of TensorFlow's").choices(names))
    .addHelpText("after", examples("trialmesh runtime remove tensorflow"))
    .action(
      action(terminal, async (name: string, options: PrintOptions) => {
        const { managedRuntimes } = await import("../../training/runtime/managed-runtime.ts");
        const { runtimeFolder } = await import("../../training/runtime/managed-package.ts");
        const { removeRuntime } = await import("../../training/runtime/remove-runtime.ts");
        const folder = runtimeFolder(terminal.environment);
        const meant = managedRuntimes.filter(({ name: one, tensorflow }) =>
          name === "tensorflow" ? tensorflow !== null : one === name,
        );
        const removed: string[] = [];
        for (const runtime of meant) {
          const outcome = await removeRuntime(runtime, folder);
          if (!outcome.ok) return printRefusal(terminal, options, outcome.refusal);
          if (outcome.value) removed.push(runtime.name);
        }
        if (removed.length === 0)
          return printRefusal(terminal, options, refuse("unknown", `${name} is not in ${folder}`).refusal);
        return printAnswer(
          terminal,
          options,
          accept({ removed }),
          () => `${removed.join(" and ")} taken out of ${folder}`,
        );
      }),
    );
}
