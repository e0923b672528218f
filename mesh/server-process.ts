/**
 * Starts, watches and stops the nats-server of a home. The server is an ordinary child; whoever
 * starts it decides what to do when it exits. Not where its binary comes from (`server-binary.ts`).
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { inHome, type Home } from "./home.ts";
import { ensurePrivateFolder, writePrivateFile } from "../system/private-file.ts";
import { refuseDisk } from "../system/system-error.ts";
import { processIsAlive } from "../system/process-alive.ts";
import { claimPort, greetingOf, loopbackOf, refusePort } from "./port.ts";
import { openGuard, type Guard } from "../system/guard.ts";
import { markedEnvironment, newMark } from "../system/marked-process.ts";
import type { ServerTls } from "./server-certificate.ts";
import { firstWithTls, serverConfigText } from "./server-config.ts";
import { atLeast, showVersion, versionOf, wantedServer } from "./server-version.ts";
import { trustOf } from "./trust.ts";

const logName = "nats-server.log";
const readyTimeoutMs = 20_000;
const pollMs = 25;
const stopTimeoutMs = 5_000;
/** After SIGKILL: what the system cannot end just now is not waited for any longer. */
const killTimeoutMs = 2_000;
/** For the parts that use it, and then for itself, where whoever started it is gone. */
const endGraceSeconds = 10;

export interface ServerStart {
  readonly home: Home;
  readonly binary: string;
  /** Loopback unless another machine is to join. */
  readonly host?: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Where this process is gone, the server ends once nothing with this mark is left, or a little later. */
  readonly after?: string;
  /** Where it keeps all that it keeps; the home's own server folder where not given. */
  readonly folder?: string;
  /** What it shows its clients; left out: it speaks without TLS. */
  readonly tls?: ServerTls | null;
  /** False where what it stores counts for nothing until it has ended; true otherwise. */
  readonly flushEach?: boolean;
}

export interface RunningServer {
  readonly pid: number;
  readonly port: number;
  /** As processes on this machine reach it. */
  readonly url: string;
  /** How its clients believe it; null: it speaks without TLS. */
  readonly tls: ServerTls["trust"] | null;
  /** Resolves once the process is gone, with the log line that says why, where there is one. */
  readonly exited: Promise<{ readonly code: number | null; readonly reason: string }>;
  /** Reads its certificate anew; connections stay. */
  readonly reload: () => void;
  readonly stop: () => Promise<void>;
}

/** Writes the configuration from the home's records, starts the server and waits until it serves. */
export async function startServer(start: ServerStart): Promise<Outcome<RunningServer>> {
  const { after, binary, home, host = "127.0.0.1", port, tls = null } = start;
  const folder = start.folder ?? serverFolder(home);
  const running = runningServerPid(home, folder);
  if (running !== null) {
    return refuse(
      "conflict",
      `the server of ${home.path} already runs (process ${running}); stop it first, or use another TRIALMESH_HOME`,
    );
  }
  const chosen = await claimPort(host, port);
  if (!chosen.ok) return chosen;
  // Of no name: clients that let the server speak first are told this one before TLS begins.
  const serverName = `trialmesh-${randomBytes(8).toString("hex")}`;
  const configured = await writeConfig(start, folder, serverName, chosen.value);
  if (!configured.ok) return configured;

  const logStart = logText(folder).length;
  const mark = newMark();
  const guard = openGuard({ mark, graceSeconds: endGraceSeconds, ...(after === undefined ? {} : { after }) });
  // In a group of its own: a ctrl-c in the terminal is for whoever started it, who ends it last.
  const child = spawn(binary, ["--config", configured.value], {
    env: markedEnvironment(process.env, mark),
    stdio: "ignore",
    detached: true,
  });
  const exited = exitOf(child, guard, () => reasonIn(logText(folder).slice(logStart)));
  const ready = await waitReady({ host, port: chosen.value, tls }, serverName, exited);
  if (!ready.ok) {
    await stopChild(child, exited);
    return ready;
  }
  const { pid } = child;
  if (pid === undefined) return refuse("unavailable", `${binary} could not be started`);
  return accept({
    pid,
    port: chosen.value,
    url: `nats://${loopbackOf(host)}:${chosen.value}`,
    tls: tls?.trust ?? null,
    exited,
    reload: () => void child.kill("SIGHUP"),
    stop: () => stopChild(child, exited),
  });
}

/** The process id of this home's server when one runs, also one that another process started. */
export function runningServerPid(home: Home, folder: string = serverFolder(home)): number | null {
  const file = pidFile(folder);
  if (!existsSync(file)) return null;
  const pid = Number(readFileSync(file, "utf8").trim());
  if (!Number.isInteger(pid) || pid <= 0 || !processIsAlive(pid)) return null;
  // A process id is used again after a restart of the machine: believe it only if it serves this home.
  const commandLine = `/proc/${pid}/cmdline`;
  if (existsSync("/proc/self/cmdline")) {
    if (!existsSync(commandLine)) return null;
    if (!readFileSync(commandLine, "utf8").includes(configFile(folder))) return null;
  }
  return pid;
}

/** Stops this home's server, whoever started it. False when none runs. */
export async function stopServer(home: Home, folder: string = serverFolder(home)): Promise<boolean> {
  const pid = runningServerPid(home, folder);
  if (pid === null) return false;
  signalServer(pid, "SIGTERM");
  // One that stands still hears nothing else.
  signalServer(pid, "SIGCONT");
  if (!(await isGoneWithin(pid, stopTimeoutMs))) {
    signalServer(pid, "SIGKILL");
    await isGoneWithin(pid, killTimeoutMs);
  }
  return true;
}

function signalServer(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended a moment ago.
  }
}

async function isGoneWithin(pid: number, ms: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < ms; waitedMs += pollMs) {
    if (!processIsAlive(pid)) return true;
    await sleep(pollMs);
  }
  return false;
}

async function writeConfig(
  { binary, flushEach = true, home, host = "127.0.0.1", tls = null }: ServerStart,
  folder: string,
  serverName: string,
  port: number,
): Promise<Outcome<string>> {
  const version = await versionOf(binary);
  if (version === null) {
    return refuse(
      "unavailable",
      `${binary} is not a nats-server that runs on this machine; point TRIALMESH_NATS_SERVER at one of version ${showVersion(wantedServer)} or newer`,
    );
  }
  if (tls !== null && !atLeast(version, firstWithTls)) {
    return refuse(
      "unavailable",
      `nats-server ${showVersion(version)} does not let clients begin with TLS, as ${showVersion(firstWithTls)} and later do; bring it up to date, or stay on this machine with \`trialmesh up --tls off\``,
    );
  }
  const accountsFolder = join(folder, "accounts");
  const trust = await trustOf(home, accountsFolder);
  if (!trust.ok) return trust;
  const storeFolder = storeFolderIn(folder);
  try {
    // The records are the truth: a token the server kept with a later date must not outlive them.
    rmSync(accountsFolder, { recursive: true, force: true });
  } catch (error) {
    return refuseDisk(error, "write", accountsFolder);
  }
  for (const needed of [folder, accountsFolder, storeFolder]) {
    const made = ensurePrivateFolder(needed);
    if (!made.ok) return made;
  }
  const text = serverConfigText({
    version,
    serverName,
    host,
    port,
    ...trust.value,
    flushEach,
    storeFolder,
    logFile: join(folder, logName),
    pidFile: pidFile(folder),
    tls,
  });
  return writePrivateFile(configFile(folder), text);
}

/** Where this home's server keeps all that it keeps. */
export function serverFolder(home: Home): string {
  return inHome(home.path, "server", "");
}

/** Where a server with that folder keeps its streams. */
export function storeFolderIn(folder: string): string {
  return join(folder, "store");
}

function configFile(folder: string): string {
  return join(folder, "nats-server.conf");
}

function pidFile(folder: string): string {
  return join(folder, "nats-server.pid");
}

export function logFile(home: Home): string {
  return join(serverFolder(home), logName);
}

function logText(folder: string): string {
  const file = join(folder, logName);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** The last fatal or error line of the server's log, without its process id and time. */
function reasonIn(log: string): string {
  const lines = log.split("\n").filter((line) => /\[(FTL|ERR)\]/.test(line));
  return (
    lines
      .at(-1)
      ?.replace(/^.*\[(FTL|ERR)\]\s*/, "")
      .trim() ?? ""
  );
}

type Exit = { readonly code: number | null; readonly reason: string };

function exitOf(child: ChildProcess, guard: Guard, reason: () => string): Promise<Exit> {
  if (child.pid !== undefined) guard.lead(child.pid);
  return new Promise<Exit>((done) => {
    child.once("error", (error) => done({ code: null, reason: error.message }));
    child.once("exit", (code, signal) => {
      const said = reason();
      done({ code, reason: said !== "" ? said : signal === null ? "" : `ended by ${signal}` });
    });
  }).finally(() => guard.callOff());
}

interface Listening {
  readonly host: string;
  readonly port: number;
  readonly tls: ServerTls | null;
}

async function waitReady(
  { host, port, tls }: Listening,
  serverName: string,
  exited: Promise<Exit>,
): Promise<Outcome<null>> {
  let end: Exit | null = null;
  void exited.then((exit) => {
    end = exit;
  });
  const ended = (): Exit | null => end;
  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline) {
    const exit = ended();
    if (exit !== null) {
      if (exit.reason.includes("address already in use"))
        return refusePort({ code: "EADDRINUSE", message: "" }, host, port);
      return refuse(
        "unavailable",
        `nats-server stopped as soon as it started: ${exit.reason === "" ? `exit code ${exit.code}` : exit.reason}`,
      );
    }
    // It is known by its name, which nobody else can know yet.
    if ((await greetingOf(loopbackOf(host), port, tls === null ? "plain" : "anybody")).includes(serverName))
      return accept(null);
    await sleep(pollMs);
  }
  return refuse(
    "unavailable",
    `nats-server did not serve port ${port} within ${readyTimeoutMs / 1000} s; its log says no more`,
  );
}

async function stopChild(child: ChildProcess, exited: Promise<Exit>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill("SIGTERM");
  child.kill("SIGCONT");
  if (await endsWithin(exited, stopTimeoutMs)) return;
  child.kill("SIGKILL");
  await endsWithin(exited, killTimeoutMs);
}

async function endsWithin(exited: Promise<Exit>, ms: number): Promise<boolean> {
  const patience = new AbortController();
  const late = sleep(ms, "late" as const, { signal: patience.signal }).catch(() => "late" as const);
  const first = await Promise.race([exited, late]);
  patience.abort();
  return first !== "late";
}
