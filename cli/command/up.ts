/** `trialmesh up`: everything on this machine, until ctrl-c. The first time it makes the mesh. */
import { Option, type Command } from "commander";
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import { sentenceCharactersMax } from "../../protocol/bound.ts";
import { homePath, type Home } from "../../mesh/home.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, examples, gibRange, nameArgument, printing, textFlag } from "../shell/option.ts";
import { printRefusal, type PrintOptions } from "../shell/answer.ts";
import { mainFile } from "../shell/main-file.ts";
import type { Terminal } from "../shell/terminal.ts";
import type { PolicyFlags } from "../../mesh/part/agent-policy.ts";
import { machineName } from "../../mesh/part/machine-name.ts";
import type { StartMeshOptions } from "../../mesh/part/start-mesh.ts";
import { startUnlessStopped } from "../../mesh/part/start-unless-stopped.ts";
import { untilStopped, upEndMs } from "../../mesh/part/until-stopped.ts";
import { waitUntilReady } from "../../client/up/wait-until-ready.ts";
import { openGatewayOfUp } from "./gateway-of-up.ts";
import { ownerFlags, ownerFlagsOf } from "./owner-flag.ts";
import { listenFlag } from "../shell/listen-flag.ts";
import { rangeFlag } from "../shell/range.ts";
import { portFlag } from "../shell/port-flag.ts";
import { upDetached } from "./up-detached.ts";

interface Options extends PolicyFlags, PrintOptions {
  readonly listen?: { readonly host: string; readonly port: number };
  readonly port?: number;
  readonly mesh?: string;
  readonly name: string;
  /** False with --no-agent. */
  readonly agent: boolean;
  /** GiB. */
  readonly artifactQuota?: number;
  /** False with --no-gateway. */
  readonly gateway: boolean;
  readonly detach?: boolean;
  readonly restoreJournal?: boolean;
  readonly tls: "on" | "off";
  readonly ca?: string;
}

export function upCommand(terminal: Terminal): Command {
  return ownerFlags(printing("up", "start a mesh on this machine: server, coordinator and one agent"))
    .option(
      "--listen <host:port>",
      "where the server listens; 0.0.0.0:4222 lets other machines join",
      listenFlag("0.0.0.0:4222"),
    )
    .option("--port <n>", "port on loopback; 4222 by default, 0 takes any free one", portFlag)
    .option("--mesh <name>", "name of the mesh, when it is made", nameArgument)
    .option("--name <name>", "name of this machine's coordinator and agent", nameArgument, machineName())
    .option(
      "--artifact-quota <GiB>",
      "what one user or agent may send in a day; a quarter of the disk's room by default",
      rangeFlag({ ...gibRange, above: true }),
    )
    .addOption(
      new Option("--tls <how>", "off: without TLS, for a server that listens on loopback only")
        .choices(["on", "off"])
        .default("on"),
    )
    .option(
      "--ca <file>",
      "certificate of who signs for a server of your own, at NATS_URL tls://…",
      textFlag("a file", sentenceCharactersMax),
    )
    .option("--no-agent", "start no agent here")
    .option("--no-gateway", "open no address here for callers of deployments")
    .option("--detach", "go on in the background; `trialmesh down` ends it")
    .option("--restore-journal", "make the server's journal whole again first, from the copies in this home")
    .addHelpText(
      "after",
      examples("trialmesh up", "trialmesh up --listen 0.0.0.0:4222 --slots 2", "trialmesh up --detach"),
    )
    .action(
      action(terminal, (options: Options, command: Command) => {
        const slip = portSlip(options);
        if (slip !== null) return command.error(`error: ${slip}`);
        return options.detach === true
          ? upDetached(terminal, { ...options, agentsWanted: options.agent ? 1 : 0 })
          : up(terminal, options);
      }),
    );
}

/** Two ports are asked for, and the server listens on one; null where they agree. */
function portSlip({ listen, port }: Options): string | null {
  if (listen === undefined || port === undefined || listen.port === port) return null;
  const { host } = listen;
  return `--listen names port ${listen.port} and --port ${port}; the server has one: give --listen ${host}:${port}, or leave --port out`;
}

async function up(terminal: Terminal, options: Options): Promise<ExitCode> {
  terminal.last();
  const stopped = untilStopped(upEndMs);
  const started = await startUnlessStopped(startOptions(terminal, options), stopped);
  if (started === null) return exitCode.ok;
  if (!started.ok) return printRefusal(terminal, {}, started.refusal);
  const { failed, home, stop } = started.value;
  const ready = waitUntilReady(terminal.environment, options.agent ? 1 : 0, failed).then((outcome) => {
    if (outcome.ok) sayHowToGoOn(terminal, home);
    return outcome;
  });
  const gateway = ready.then(async ({ ok }) => {
    const opened = ok && options.gateway ? await openGatewayOfUp(terminal) : null;
    if (opened !== null) terminal.note(`gateway at ${opened.url}`);
    return opened;
  });
  const first = await Promise.race([stopped, ready]);
  let code: ExitCode = exitCode.ok;
  if ("ok" in first && !first.ok) {
    code = printRefusal(terminal, {}, first.refusal);
  } else {
    const end = await Promise.race([stopped, failed]);
    if (typeof end === "string") {
      terminal.note(`trialmesh: ${end}`);
      code = exitCode.failed;
    }
  }
  terminal.note("stopping: agent, coordinator, server");
  // One that is still being opened is no reason to wait.
  const opened = await Promise.race([gateway, Promise.resolve(null)]);
  await opened?.close();
  await stop();
  return code;
}

function startOptions(terminal: Terminal, options: Options): StartMeshOptions {
  return {
    path: homePath(terminal.environment),
    environment: terminal.environment,
    program: mainFile,
    mesh: options.mesh ?? null,
    name: options.name,
    host: options.listen?.host ?? null,
    port: options.listen?.port ?? options.port ?? null,
    anyPort: false,
    artifactBytesPerDay:
      options.artifactQuota === undefined ? null : Math.round(options.artifactQuota * bytesPerGiB),
    restoreJournal: options.restoreJournal ?? false,
    tls: options.tls === "on",
    ca: options.ca ?? null,
    agent: options.agent ? ownerFlagsOf(options) : null,
    log: (line) => terminal.note(line),
  };
}

function sayHowToGoOn(terminal: Terminal, home: Home): void {
  terminal.note(`mesh ${home.mesh} is up at ${home.url}`);
  terminal.note("  run a sweep:        trialmesh sweep run examples/language-id.yaml");
  terminal.note("  watch:              trialmesh tui");
  terminal.note("  add a machine:      trialmesh add user@host, or trialmesh invite agent NAME");
  terminal.note(
    "  add a person:       trialmesh account open NAME --grant TOKENS; trialmesh invite requester NAME",
  );
  terminal.note("  end it:             ctrl-c");
}
