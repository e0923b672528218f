/**
 * UP-1: `trialmesh up --detach`: starts the same command line in the background and waits until the mesh answers, or says what the
 * log knows of why it does not. Where the mesh is up already, or is being started, it says that and starts nothing.
 */
import { spawn } from "node:child_process";
import { appendFileSync, closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lastSaid, linesSaid, logLength } from "../../client/up/log-since.ts";
import { waitUntilReady } from "../../client/up/wait-until-ready.ts";
import { homePath } from "../../mesh/home.ts";
import { findUp, readUpRecord, runFolder, type UpRecord } from "../../mesh/part/up-record.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { ensurePrivateFolder } from "../../system/private-file.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import { mainFile } from "../shell/main-file.ts";
import type { Terminal } from "../shell/terminal.ts";

const pollMs = 100;
/** What becomes of the journal where `--restore-journal` asks for it, and why a part waits instead of starting. */
const worthTelling = /^journal: |^(?:\w+: )?(?:waiting(?: for the disk)?: |--programs )/;

export interface UpDetachedOptions extends PrintOptions {
  readonly agentsWanted: number;
  readonly restoreJournal?: boolean;
}

export async function upDetached(terminal: Terminal, options: UpDetachedOptions): Promise<ExitCode> {
  const path = homePath(terminal.environment);
  const other = await findUp({ path });
  if (other !== null) return sayItIsUp(terminal, options, path, other);
  const folder = ensurePrivateFolder(runFolder({ path }));
  if (!folder.ok) return printRefusal(terminal, options, folder.refusal);
  const log = join(folder.value, "up.log");
  const from = logLength(log);
  const started = startInBackground(terminal, log, from);
  if (!started.ok) return printRefusal(terminal, options, started.refusal);
  const { ended, pid } = started.value;
  const leave = (): never => {
    terminal.note(
      `\nthe mesh goes on starting in the background (process ${pid}, log ${log}); \`trialmesh down\` ends it`,
    );
    process.exit(exitCode.interrupted);
  };
  process.once("SIGINT", leave);
  const tell = tellerOf(terminal, log, from);
  const telling = setInterval(tell, pollMs);
  const serves = await untilServing(path, pid, ended);
  // Somebody else was quicker.
  const quicker = serves.ok ? null : await findUp({ path });
  if (quicker !== null && quicker.pid !== pid) {
    clearInterval(telling);
    return sayItIsUp(terminal, options, path, quicker);
  }
  const ready = serves.ok ? await waitUntilReady(terminal.environment, options.agentsWanted, ended) : serves;
  process.off("SIGINT", leave);
  clearInterval(telling);
  tell();
  if (!ready.ok) return printRefusal(terminal, options, ready.refusal);
  return printAnswer(
    terminal,
    options,
    accept({ pid, log }),
    () => `the mesh is up in the background (process ${pid}, log ${log}); \`trialmesh down\` ends it`,
  );
}

/** Tells what came to the log since and is worth it, each line once. */
function tellerOf(terminal: Terminal, log: string, from: number): () => void {
  const told = new Set<string>();
  return () => {
    for (const line of linesSaid(log, from, worthTelling)) {
      if (!told.has(line)) terminal.note(line);
      told.add(line);
    }
  };
}

interface Background {
  readonly pid: number;
  /** Why, once it is over. */
  readonly ended: Promise<string>;
}

function startInBackground(terminal: Terminal, log: string, from: number): Outcome<Background> {
  let file: number;
  try {
    file = openSync(log, "a", 0o600);
  } catch (error) {
    return refuseDisk(error, "write", log);
  }
  const parameters = process.argv.slice(2).filter((word) => word !== "--detach");
  const child = spawn(process.execPath, [...process.execArgv, mainFile, ...parameters], {
    detached: true,
    stdio: ["ignore", file, file],
    env: terminal.environment,
  });
  closeSync(file);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`the mesh did not start: ${error.message}`));
    child.once("exit", (code, signal) => {
      const why = lastSaid(log, from) ?? diskFault(log) ?? `it ended with ${signal ?? `exit code ${code}`}`;
      resolve(`the mesh did not start: ${why} (log: ${log})`);
    });
  });
  child.unref();
  return child.pid === undefined
    ? refuse("unavailable", `the mesh did not start: ${process.execPath} could not be started`)
    : accept({ pid: child.pid, ended });
}

/** Where it could not even write its log, that is why. */
function diskFault(log: string): string | null {
  try {
    appendFileSync(log, "\n");
    return null;
  } catch (error) {
    const fault = refuseDisk(error, "write", log);
    return fault.ok ? null : fault.refusal.message;
  }
}

/** Bringing in a server may take longer than all else; while its process is there it is waited for. */
async function untilServing(path: string, pid: number, ended: Promise<string>): Promise<Outcome<null>> {
  const over = ended.then((why) => refuse("unavailable", why));
  for (;;) {
    const record = readUpRecord({ path });
    if (record?.pid === pid && record.starting !== true) return accept(null);
    const end = await Promise.race([over, sleep(pollMs, null)]);
    if (end !== null) return end;
  }
}

async function sayItIsUp(
  terminal: Terminal,
  options: UpDetachedOptions,
  path: string,
  { pid }: UpRecord,
): Promise<ExitCode> {
  if (options.restoreJournal === true)
    return printRefusal(terminal, options, {
      code: "conflict",
      field: [],
      message: `the mesh of ${path} is up (process ${pid}), and its journal is restored while it is down; end it with \`trialmesh down\` first`,
    });
  const over = Promise.withResolvers<string>();
  const look = setInterval(() => {
    if (readUpRecord({ path })?.pid !== pid)
      over.resolve(`the mesh of ${path} ended while it was waited for`);
  }, pollMs);
  const serves = await untilServing(path, pid, over.promise);
  const ready = serves.ok ? await waitUntilReady(terminal.environment, 0, over.promise) : serves;
  clearInterval(look);
  if (!ready.ok) return printRefusal(terminal, options, ready.refusal);
  const url = readUpRecord({ path })?.url ?? null;
  return printAnswer(
    terminal,
    options,
    accept({ pid, url, already: true }),
    () => `the mesh of ${path} is up already (process ${pid}, ${url}); \`trialmesh down\` ends it`,
  );
}
