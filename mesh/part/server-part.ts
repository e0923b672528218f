/** The mesh's server as a part of `up`: found or brought in, started, started again when it dies. */
import { findServer } from "../server-binary.ts";
import { ensureCredential } from "../credential.ts";
import { watchForFullDisk } from "../full-disk-watch.ts";
import { saveHome, type Home } from "../home.ts";
import { useOutsideServer } from "../outside-server.ts";
import { logFile, runningServerPid, startServer, stopServer, type RunningServer } from "../server-process.ts";
import { showVersion } from "../server-version.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { meshOwner } from "../../protocol/program.ts";
import { BackOff } from "../../system/back-off.ts";
import type { Environment } from "../../system/environment.ts";

export interface ServerPart {
  /** The home with the address the server really has. */
  readonly home: Home;
  readonly pid: () => number | null;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly home: Home;
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly environment: Environment;
  readonly log: (line: string) => void;
}

export async function startServerPart(options: ServerOptions): Promise<Outcome<ServerPart>> {
  const { home, host, log } = options;
  const outside = options.environment["NATS_URL"];
  if (outside !== undefined && outside !== "") return outsidePart(home, outside, log);
  const left = runningServerPid(home);
  if (left !== null) {
    // Nobody watches over it any more, and nothing is lost by starting it anew: every write was flushed.
    log(`server: ending process ${left}, which an earlier start left behind`);
    await stopServer(home);
  }
  const binary = await findServer(options.environment, (line) => log(line));
  if (!binary.ok) return binary;
  if (binary.value.warning !== null) log(binary.value.warning);
  const start = (port: number) => startServer({ home, binary: binary.value.path, host, port });
  const first = await start(options.port);
  if (!first.ok) return first;
  const { port, url } = first.value;
  log(
    `server: process ${first.value.pid}, nats-server ${showVersion(binary.value.version)} at ${url} (log: ${logFile(home)})`,
  );
  const saved = url === home.url ? accept(home) : saveHome(home.path, home.mesh, url);
  if (!saved.ok) {
    await first.value.stop();
    return saved;
  }

  const kept = keepRunning(first.value, () => start(port), log);
  const unwatch = watchForFullDisk({
    logFile: logFile(home),
    folder: home.path,
    onFull: () =>
      log(
        `server: its disk is full: nothing new is stored until there is room; free some space for ${home.path}`,
      ),
    onRoom: () => {
      log("server: there is room on its disk again; starting it anew");
      void kept.server()?.stop();
    },
  });
  return accept({
    home: saved.value,
    pid: () => kept.server()?.pid ?? null,
    stop: async () => {
      unwatch();
      await kept.stop();
    },
  });
}

interface KeptServer {
  /** Null while it is between two runs. */
  readonly server: () => RunningServer | null;
  stop(): Promise<void>;
}

/** Starts the server again whenever it ends, later each time. */
function keepRunning(
  first: RunningServer,
  start: () => Promise<Outcome<RunningServer>>,
  log: (line: string) => void,
): KeptServer {
  let server: RunningServer | null = null;
  let stopping = false;
  let again: NodeJS.Timeout | null = null;
  const backOff = new BackOff();
  const watch = (running: RunningServer): void => {
    server = running;
    const startedAt = performance.now();
    void running.exited.then(({ reason }) => {
      server = null;
      if (stopping) return;
      log(`server: ended${reason === "" ? "" : ` (${reason})`}; starting it again`);
      restart(backOff.next(performance.now() - startedAt));
    });
  };
  const restart = (waitMs: number): void => {
    again = setTimeout(() => {
      void start().then(async (started) => {
        if (!started.ok) {
          log(`server: ${started.refusal.message}`);
          if (!stopping) restart(backOff.next(0));
        } else if (stopping) await started.value.stop();
        else {
          log(`server: process ${started.value.pid}`);
          watch(started.value);
        }
      });
    }, waitMs);
  };
  watch(first);
  return {
    server: () => server,
    stop: async () => {
      stopping = true;
      if (again !== null) clearTimeout(again);
      await server?.stop();
    },
  };
}

/** A server of somebody else's: used, neither started nor watched. */
async function outsidePart(
  home: Home,
  url: string,
  log: (line: string) => void,
): Promise<Outcome<ServerPart>> {
  const owner = await ensureCredential(home, "owner", meshOwner, Math.floor(Date.now() / 1000));
  if (!owner.ok) return owner;
  const used = await useOutsideServer(home, url, owner.value);
  if (!used.ok) return used;
  log(`server: the one at NATS_URL ${url}`);
  return accept({ home: used.value, pid: () => null, stop: () => Promise.resolve() });
}
