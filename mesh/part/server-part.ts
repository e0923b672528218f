/** The mesh's server as a part of `up`: found or brought in, started, started again when it dies. */
import { allowsOldServer, findServer } from "../server-binary.ts";
import { ensureCredential } from "../admission.ts";
import { watchForFullDisk } from "../full-disk-watch.ts";
import { inHome, saveHome, type Home } from "../home.ts";
import { useOutsideServer } from "../outside-server.ts";
import { logFile, runningServerPid, startServer, stopServer } from "../server-process.ts";
import { showVersion } from "../server-version.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { meshOwner } from "../../protocol/program.ts";
import type { Environment } from "../../system/environment.ts";
import { WatchedServer } from "./watched-server.ts";

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
  /** In the environment of the parts that use it. */
  readonly partsMark: string;
}

export async function startServerPart(options: ServerOptions): Promise<Outcome<ServerPart>> {
  const { home, host, log, partsMark } = options;
  const outside = options.environment["NATS_URL"];
  if (outside !== undefined && outside !== "") return outsidePart(options, outside);
  const left = runningServerPid(home);
  if (left !== null) {
    // Nobody watches over it any more, and nothing is lost by starting it anew: every write was flushed.
    log(`server: ending process ${left}, which an earlier start left behind`);
    await stopServer(home);
  }
  const binary = await findServer(options.environment, (line) => log(line));
  if (!binary.ok) return binary;
  if (binary.value.warning !== null) log(binary.value.warning);
  const start = (port: number) =>
    startServer({ home, binary: binary.value.path, host, port, after: partsMark });
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

  const server = new WatchedServer(first.value, () => start(port), log);
  const storeFolder = inHome(home.path, "server", "store");
  const unwatch = watchForFullDisk({
    logFile: logFile(home),
    folder: storeFolder,
    onFull: (why) =>
      log(
        `server: its disk takes nothing (${why}): nothing new is stored until it does; free some space for ${storeFolder}`,
      ),
    onRoom: () => {
      log("server: its disk takes what it stores again; starting it anew");
      server.startAnew();
    },
  });
  return accept({
    home: saved.value,
    pid: () => server.pid,
    stop: () => {
      unwatch();
      return server.stop();
    },
  });
}

/** A server of somebody else's: used, neither started nor watched. */
async function outsidePart(
  { environment, home, log }: ServerOptions,
  url: string,
): Promise<Outcome<ServerPart>> {
  const nowS = Math.floor(Date.now() / 1000);
  const owner = await ensureCredential(home, "owner", meshOwner, nowS);
  if (!owner.ok) return owner;
  const used = await useOutsideServer(home, url, owner.value, nowS, allowsOldServer(environment));
  if (!used.ok) return used;
  log(`server: the one at NATS_URL ${url}`);
  return accept({ home: used.value, pid: () => null, stop: () => Promise.resolve() });
}
