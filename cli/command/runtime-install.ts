/** `trialmesh runtime install NAME`: brings in a native runtime and proves it. How is `training/runtime/install-runtime.ts`. */
import { Argument, type Command } from "commander";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { RuntimeRecord } from "../../training/runtime/runtime-record.ts";
import { exitCode } from "../../protocol/exit-code.ts";
import { action, examples, printing } from "../shell/option.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";

const names = ["tensorflow", "tfjs-node", "tfjs-node-gpu", "webgpu"];

export function runtimeInstallCommand(terminal: Terminal): Command {
  return printing("install", "bring in a native runtime outside the project, and prove that it trains")
    .addArgument(
      new Argument(
        "<name>",
        "tensorflow means tfjs-node-gpu where there is an NVIDIA driver and CUDA works, else tfjs-node",
      ).choices(names),
    )
    .addHelpText(
      "after",
      examples("trialmesh runtime install tensorflow", "trialmesh runtime install webgpu"),
    )
    .action(
      action(terminal, async (name: string, options: PrintOptions) => {
        const { readDriverVersion } = await import("../../agent/capability/compute-capability.ts");
        const { runtimeFolder } = await import("../../training/runtime/managed-package.ts");
        const folder = runtimeFolder(terminal.environment);
        const stop = new AbortController();
        const interrupt = () => stop.abort();
        process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
        const install = (runtime: string) => installNamed(terminal, runtime, folder, stop.signal);
        const card = name === "tensorflow" && (await readDriverVersion()) !== null;
        let installed = await install(name === "tensorflow" ? (card ? "tfjs-node-gpu" : "tfjs-node") : name);
        if (!installed.ok && card && !stop.signal.aborted) {
          terminal.note(`not for the card: ${installed.refusal.message}`);
          installed = await install("tfjs-node");
        }
        process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
        if (!installed.ok) {
          printRefusal(terminal, options, installed.refusal);
          return stop.signal.aborted ? exitCode.interrupted : exitCode.failed;
        }
        return printAnswer(terminal, options, accept(installed.value), (record) => {
          const library =
            record.tensorflow === null ? "" : `, TensorFlow ${record.tensorflow} from ${record.source}`;
          return `${record.name} ${record.version} is in ${folder}${library}; \`trialmesh runtime probe\` measures it`;
        });
      }),
    );
}

async function installNamed(
  terminal: Terminal,
  name: string,
  folder: string,
  signal: AbortSignal,
): Promise<Outcome<RuntimeRecord>> {
  const { installRuntime } = await import("../../training/runtime/install-runtime.ts");
  const { managedRuntimes } = await import("../../training/runtime/managed-runtime.ts");
  const { proveRuntime } = await import("../../agent/capability/prove-runtime.ts");
  const runtime = managedRuntimes.find((one) => one.name === name);
  if (runtime === undefined) return refuse("unknown", `there is no runtime "${name}"`);
  terminal.note(`${runtime.name} (${runtime.about}) into ${folder}`);
  return installRuntime({
    runtime,
    folder,
    environment: terminal.environment,
    signal,
    say: (line) => terminal.note(`  ${line}`),
    prove: proveRuntime,
  });
}
