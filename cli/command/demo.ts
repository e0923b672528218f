/**
 * `trialmesh demo`, what `npm start` runs: opens a mesh unless this home's is up already, runs the
 * example sweep, and shows it: full screen in a terminal, else as lines. Ends what it started.
 */
import { appendFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { Command } from "commander";
import { homePath, type Home } from "../../mesh/home.ts";
import { ensurePrivateFolder } from "../../system/private-file.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, printing } from "../shell/option.ts";
import { portFlag } from "../shell/port-flag.ts";
import { printProblems } from "../shell/problems.ts";
import { printRefusal, type PrintOptions } from "../shell/answer.ts";
import { mainFile } from "../shell/main-file.ts";
import type { Terminal } from "../shell/terminal.ts";
import { machineName } from "../../mesh/part/machine-name.ts";
import type { StartedMesh, StartMeshOptions } from "../../mesh/part/start-mesh.ts";
import { startUnlessStopped } from "../../mesh/part/start-unless-stopped.ts";
import { untilStopped, upEndMs } from "../../mesh/part/until-stopped.ts";
import { readUpRecord, runFolder } from "../../mesh/part/up-record.ts";
import { waitUntilReady } from "../../client/up/wait-until-ready.ts";
import { withMesh } from "../shell/with-mesh.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import { followToEnd } from "./follow-to-end.ts";
import { showTui } from "./tui.ts";

export function demoCommand(terminal: Terminal): Command {
  return printing("demo", "open a mesh on this machine and run the example sweep on it (this is `npm start`)")
    .option(
      "--port <n>",
      "port on loopback; 4222 by default, another one where that is taken, 0 takes any free one",
      portFlag,
    )
    .action(action(terminal, (options: Options) => demo(terminal, options)));
}

interface Options extends PrintOptions {
  readonly port?: number;
}

async function demo(terminal: Terminal, options: Options): Promise<ExitCode> {
  const path = homePath(terminal.environment);
  const record = readUpRecord({ path });
  if (record !== null && record.starting !== true) {
    terminal.note(`using the mesh of ${path} that is up already`);
    return runExample(terminal, options);
  }
  if (!terminal.interactive) terminal.last();
  const stopped = untilStopped(upEndMs);
  const start: StartMeshOptions = {
    path,
    environment: terminal.environment,
    program: mainFile,
    mesh: null,
    name: machineName(),
    host: null,
    port: options.port ?? null,
    anyPort: true,
    agent: [],
    log: partLog(terminal, path),
  };
  const started = await startUnlessStopped(start, stopped);
  if (started === null) return exitCode.interrupted;
  if (!started.ok) return printRefusal(terminal, options, started.refusal);
  try {
    return await runOn(terminal, options, started.value, stopped);
  } finally {
    await started.value.stop();
    sayItIsDown(terminal, started.value.home);
  }
}

async function runOn(
  terminal: Terminal,
  options: PrintOptions,
  mesh: StartedMesh,
  stopped: Promise<unknown>,
): Promise<ExitCode> {
  terminal.note("waiting for coordinator and agent; the first time the agent measures this machine");
  const interrupted = stopped.then((): ExitCode => exitCode.interrupted);
  const ready = await Promise.race([waitUntilReady(terminal.environment, 1, mesh.failed), interrupted]);
  if (ready === exitCode.interrupted) return exitCode.interrupted;
  if (typeof ready !== "number" && !ready.ok) return printRefusal(terminal, options, ready.refusal);
  const failed = mesh.failed.then((why): ExitCode => {
    terminal.note(`trialmesh: ${why}`);
    return exitCode.failed;
  });
  return Promise.race([runExample(terminal, options), failed, interrupted]);
}

function runExample(terminal: Terminal, options: PrintOptions): Promise<ExitCode> {
  const file = join(projectFolder, "examples", "language-id.yaml");
  const shown = relative(process.cwd(), file);
  return withMesh(terminal, {}, async (connected) => {
    terminal.note(`running ${shown}: which of 34 languages is a short phrase in?`);
    const { environment } = terminal;
    const { planSweep } = await import("../../client/sweep/plan-sweep.ts");
    const read = await planSweep(file, {}, environment);
    if (!read.ok) return printRefusal(terminal, {}, read.refusal);
    if (!read.value.ok) return printProblems(terminal, {}, shown, read.value.problems);
    const { plans } = read.value;
    const { launchFile } = await import("../../client/sweep/launch-file.ts");
    const progress = (line: string) => terminal.note(line);
    const launched = await launchFile({ file, plans, environment, connected, progress });
    if (!launched.ok) return printRefusal(terminal, {}, launched.refusal);
    const [sweep] = launched.value;
    if (terminal.interactive) {
      const code = await showTui(terminal, connected, { readOnly: false, sweep });
      await sayAfterwards(terminal, connected, sweep);
      return code;
    }
    return followToEnd(terminal, connected, sweep, options, false);
  });
}

/** The person has left the interface: what became of the sweep, in the terminal they came from. */
async function sayAfterwards(terminal: Terminal, { client }: Connected, sweep: string): Promise<void> {
  const { sweepResult } = await import("../print/sweep-result.ts");
  const view = await client.query("sweep", { sweep, order: "best" });
  if (!view.ok) return;
  if (view.value.summary.state === "done") terminal.out(sweepResult(view.value));
  else
    terminal.note(
      `${sweep} is not done; it goes on where it was when the mesh is up again (\`npm start\`, \`trialmesh up\`)`,
    );
}

/** Who goes on reading would ask a mesh that is no more. */
function sayItIsDown(terminal: Terminal, { path }: Home): void {
  terminal.note(`the mesh of ${path} is down again, and keeps what it knows`);
  terminal.note("  start it to stay:   trialmesh up --detach");
  terminal.note("  run a sweep on it:  trialmesh sweep run examples/language-id.yaml");
  terminal.note("  watch:              trialmesh tui");
}

const trialLine = /^agent: s\d+-\d+: /;

/**
 * The parts' lines: all of them to a file, and to the terminal what the sweep's own progress does not
 * say, unless a full-screen interface has the terminal.
 */
function partLog(terminal: Terminal, path: string): (line: string) => void {
  const folder = ensurePrivateFolder(runFolder({ path }));
  const file = join(runFolder({ path }), "demo.log");
  return (line) => {
    if (!terminal.interactive && !trialLine.test(line)) terminal.note(line);
    try {
      if (folder.ok) appendFileSync(file, `${line}\n`, { mode: 0o600 });
    } catch {
      // The disk is full, or the home was deleted: the mesh does not depend on its log.
    }
  };
}
