/** `trialmesh runtime install NAME`: brings in a native runtime and proves it. How is `training/runtime/install-runtime.ts`. */
import { Argument, type Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { exitCode } from "../../protocol/exit-code.ts";
import { action, examples, printing } from "../shell/option.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";

const names = ["tensorflow", "tfjs-node", "tfjs-node-gpu", "webgpu", "onnx"];

export function runtimeInstallCommand(terminal: Terminal): Command {
  return printing("install", "bring in a native runtime outside the project, and prove that it works")
    .addArgument(
      new Argument(
        "<name>",
        "tensorflow means tfjs-node-gpu where there is an NVIDIA driver and CUDA works, else tfjs-node",
      ).choices(names),
    )
    .addHelpText(
      "after",
      examples(
        "trialmesh runtime install tensorflow",
        "trialmesh runtime install webgpu",
        "trialmesh runtime install onnx",
      ),
    )
    .action(
      action(terminal, async (name: string, options: PrintOptions) => {
        const { installNamed } = await import("../../client/runtime/install-named.ts");
        const { runtimeFolder } = await import("../../training/runtime/managed-package.ts");
        const folder = runtimeFolder(terminal.environment);
        const stop = new AbortController();
        const interrupt = () => stop.abort();
        process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
        const installed = await installNamed(name, surroundingsOf(terminal), stop.signal);
        process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
        if (!installed.ok) {
          printRefusal(terminal, options, installed.refusal);
          return stop.signal.aborted ? exitCode.interrupted : exitCode.failed;
        }
        return printAnswer(terminal, options, accept(installed.value), (record) => {
          const library =
            record.tensorflow === null ? "" : `, TensorFlow ${record.tensorflow} from ${record.source}`;
          const next =
            record.backend === null
              ? "`trialmesh serve` answers with ONNX models now"
              : "`trialmesh runtime probe` measures it";
          return `${record.name} ${record.version} is in ${folder}${library}; ${next}`;
        });
      }),
    );
}
