/** `trialmesh tui`: the terminal interface; plain lines where there is no terminal. */
import type { Command } from "commander";
import type { runTui } from "../../tui/run-tui.tsx";
import { refuse } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, asking, examples } from "../shell/option.ts";
import { printRefusal } from "../shell/answer.ts";
import { neverBlock } from "../shell/output.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";

export function tuiCommand(terminal: Terminal): Command {
  return asking("tui", "watch and steer the mesh in a full-screen interface; plain lines without a terminal")
    .option("--read-only", "change nothing")
    .addHelpText(
      "after",
      examples("trialmesh tui", "trialmesh tui --read-only", "trialmesh tui | tee mesh.log"),
    )
    .action(
      action(terminal, (options: MeshOptions & { readonly readOnly?: boolean }) =>
        withMesh(terminal, options, (connected) =>
          terminal.interactive
            ? showTui(terminal, connected, {
                readOnly: options.readOnly === true || connected.client.role === "viewer",
                sweep: null,
              })
            : showPlain(terminal, connected),
        ),
      ),
    );
}

export interface ShowTuiOptions {
  readonly readOnly: boolean;
  /** The sweep to open with, or null for the overview. */
  readonly sweep: string | null;
}

export async function showTui(
  terminal: Terminal,
  connected: Connected,
  options: ShowTuiOptions,
): Promise<ExitCode> {
  const run = await loadTui();
  if (run === null) {
    return printRefusal(
      terminal,
      {},
      refuse("unavailable", "the terminal interface is not built; run `npm run build` first").refusal,
    );
  }
  neverBlock(process.stdout);
  const { meshLauncher } = await import("../../client/sweep/mesh-launcher.ts");
  const { checkVersion } = await import("../../client/model/check-version.ts");
  await run({
    client: connected.client,
    readOnly: options.readOnly,
    launch: meshLauncher(connected, terminal.environment),
    stdin: process.stdin,
    stdout: process.stdout,
    checkVersion: (version) => checkVersion(connected, version, terminal),
    ...(options.sweep === null ? {} : { startWith: { sweep: options.sweep } }),
  });
  return exitCode.ok;
}

/** JSX must be compiled: straight from the sources there is no terminal interface. */
async function loadTui(): Promise<typeof runTui | null> {
  try {
    const tui = await import("../../tui/run-tui.tsx");
    return tui.runTui;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_UNKNOWN_FILE_EXTENSION") return null;
    throw error;
  }
}

async function showPlain(terminal: Terminal, { client }: Connected): Promise<ExitCode> {
  const { runPlain } = await import("../../tui/plain.ts");
  const stop = new AbortController();
  const end = () => stop.abort();
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  const stdout = { write: (text: string) => terminal.out(text.replace(/\n$/, "")) };
  await runPlain({ client, stdout, signal: stop.signal });
  return exitCode.ok;
}
