/** `trialmesh up`: everything on this machine, until ctrl-c. The first time it makes the mesh. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import * as z from "zod";
import { homeExists, homePath, openHome } from "../../mesh/home.ts";
import { ensurePrivateFolder } from "../../system/private-file.ts";
import { accept } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, examples, flag, nameArgument, numberFlag, printing } from "../shell/option.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import { mainFile } from "../shell/main-file.ts";
import type { Terminal } from "../shell/terminal.ts";
import type { PolicyFlags } from "../../mesh/part/agent-policy.ts";
import { machineName } from "../../mesh/part/machine-name.ts";
import { startMesh } from "../../mesh/part/start-mesh.ts";
import { untilStopped } from "../../mesh/part/until-stopped.ts";
import { readUpRecord, runFolder } from "../../mesh/part/up-record.ts";
import { waitUntilReady } from "../../client/up/wait-until-ready.ts";
import { ownerFlags, ownerFlagsOf } from "./owner-flag.ts";

const listenFlag = flag(
  z
    .string()
    .regex(/^[^\s:/]+:\d{1,5}$/, 'it should look like "0.0.0.0:4222"')
    .transform((text) => ({
      host: text.slice(0, text.indexOf(":")),
      port: Number(text.slice(text.indexOf(":") + 1)),
    })),
);
const portFlag = numberFlag(z.int("it is not a whole number").min(0).max(65_535));
const detachPollMs = 200;

interface Options extends PolicyFlags, PrintOptions {
  readonly listen?: { readonly host: string; readonly port: number };
  readonly port?: number;
  readonly mesh?: string;
  readonly name: string;
  /** False with --no-agent. */
  readonly agent: boolean;
  readonly detach?: boolean;
  readonly restoreJournal?: boolean;
}

export function upCommand(terminal: Terminal): Command {
  return ownerFlags(printing("up", "start a mesh on this machine: server, coordinator and one agent"))
    .option(
      "--listen <host:port>",
      "where the server listens; 0.0.0.0:4222 lets other machines join",
      listenFlag,
    )
    .option("--port <n>", "port on loopback; 4222 by default, 0 takes any free one", portFlag)
    .option("--mesh <name>", "name of the mesh, when it is made", nameArgument)
    .option("--name <name>", "name of this machine's coordinator and agent", nameArgument, machineName())
    .option("--no-agent", "start no agent here")
    .option("--detach", "go on in the background; `trialmesh down` ends it")
    .option("--restore-journal", "make the server's journal whole again first, from the copies in this home")
    .addHelpText(
      "after",
      examples("trialmesh up", "trialmesh up --listen 0.0.0.0:4222 --slots 2", "trialmesh up --detach"),
    )
    .action(
      action(terminal, (options: Options) =>
        options.detach === true ? detach(terminal, options) : up(terminal, options),
      ),
    );
}

async function up(terminal: Terminal, options: Options): Promise<ExitCode> {
  const stopped = untilStopped(null);
  const started = await startMesh({
    path: homePath(terminal.environment),
    environment: terminal.environment,
    program: mainFile,
    mesh: options.mesh ?? null,
    name: options.name,
    host: options.listen?.host ?? null,
    port: options.listen?.port ?? options.port ?? null,
    anyPort: false,
    restoreJournal: options.restoreJournal ?? false,
    agent: options.agent ? ownerFlagsOf(options) : null,
    log: (line) => terminal.note(line),
  });
  if (!started.ok) return printRefusal(terminal, {}, started.refusal);
  const { home } = started.value;
  const ready = waitUntilReady(terminal.environment, options.agent ? 1 : 0, started.value.failed).then(
    (outcome) => {
      if (!outcome.ok) return outcome;
      terminal.note(`mesh ${home.mesh} is up at ${home.url}`);
      terminal.note("  run a sweep:        trialmesh sweep run examples/language-id.yaml");
      terminal.note("  watch:              trialmesh tui");
      terminal.note("  add a machine:      trialmesh invite agent NAME");
      terminal.note(
        "  add a person:       trialmesh account open NAME --grant TOKENS; trialmesh invite requester NAME",
      );
      terminal.note("  end it:             ctrl-c");
      return outcome;
    },
  );
  const first = await Promise.race([stopped, ready]);
  let code: ExitCode = exitCode.ok;
  if ("ok" in first && !first.ok) {
    code = printRefusal(terminal, {}, first.refusal);
  } else {
    const end = await Promise.race([stopped, started.value.failed]);
    if (typeof end === "string") {
      terminal.note(`trialmesh: ${end}`);
      code = exitCode.failed;
    }
  }
  terminal.note("stopping: agent, coordinator, server");
  await started.value.stop();
  return code;
}

/** Starts this same command line in the background and waits until the mesh answers. */
async function detach(terminal: Terminal, options: Options): Promise<ExitCode> {
  const path = homePath(terminal.environment);
  const folder = ensurePrivateFolder(runFolder({ path }));
  if (!folder.ok) return printRefusal(terminal, options, folder.refusal);
  const logFile = join(folder.value, "up.log");
  const log = openSync(logFile, "a", 0o600);
  const parameters = process.argv.slice(2).filter((word) => word !== "--detach");
  const child = spawn(process.execPath, [...process.execArgv, mainFile, ...parameters], {
    detached: true,
    stdio: ["ignore", log, log],
    env: terminal.environment,
  });
  closeSync(log);
  const failed = new Promise<string>((resolve) => {
    child.once("exit", () => resolve(`the mesh did not start; ${logFile} says why`));
    child.once("error", (error) => resolve(`the mesh did not start: ${error.message}`));
  });
  let gone: string | null = null;
  void failed.then((why) => {
    gone = why;
  });
  for (;;) {
    if (gone !== null) {
      terminal.note(`trialmesh: ${String(gone)}`);
      return exitCode.failed;
    }
    const home = homeExists(path) ? openHome(path) : null;
    if (home?.ok === true && readUpRecord(home.value)?.pid === child.pid) break;
    await sleep(detachPollMs);
  }
  const ready = await waitUntilReady(terminal.environment, options.agent ? 1 : 0, failed);
  if (!ready.ok) return printRefusal(terminal, options, ready.refusal);
  child.unref();
  const value = { pid: child.pid ?? null, log: logFile };
  return printAnswer(
    terminal,
    options,
    accept(value),
    () =>
      `the mesh is up in the background (process ${child.pid}, log ${logFile}); \`trialmesh down\` ends it`,
  );
}
