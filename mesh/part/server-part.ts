/** The mesh's server as a part of `up`: found or brought in, started, started again when it dies. */
import type { ServerTrust } from "../server-trust.ts";
import { allowsOldServer, findServer } from "../server-binary.ts";
import { ensureCredential } from "../admission.ts";
import { writeServerCertificate, type ServerTls } from "../server-certificate.ts";
import { watchForFullDisk } from "../full-disk-watch.ts";
import { inHome, saveHome, type Home } from "../home.ts";
import { readCertificate } from "../home-tls.ts";
import { loadIdentity } from "../identity.ts";
import { useOutsideServer } from "../outside-server.ts";
import { logFile, runningServerPid, startServer, stopServer, type RunningServer } from "../server-process.ts";
import { showVersion } from "../server-version.ts";
import { serverLife } from "../../protocol/certificate/certificate-life.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { meshOwner } from "../../protocol/program.ts";
import type { Environment } from "../../system/environment.ts";
import { LateAccounts } from "./late-accounts.ts";
import { keepServerCertificate } from "./keep-server-certificate.ts";
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
  /** False: without TLS, on loopback only. Of a server of one's own its address says so. */
  readonly tls: boolean;
  /** Of a server of one's own: a file with the certificate of who signs for it; null: whom this machine trusts. */
  readonly ca: string | null;
  readonly environment: Environment;
  readonly log: (line: string) => void;
  /** In the environment of the parts that use it. */
  readonly partsMark: string;
}

export async function startServerPart(options: ServerOptions): Promise<Outcome<ServerPart>> {
  const { home, host, log, partsMark } = options;
  const outside = options.environment["NATS_URL"];
  if (outside !== undefined && outside !== "") return outsidePart(options, outside);
  if (options.ca !== null)
    return refuse("invalid", "--ca is for a server of your own, at a NATS_URL that begins with tls://");
  await endLeftBehind(home, log);
  const binary = await findServer(options.environment, (line) => log(line));
  if (!binary.ok) return binary;
  if (binary.value.warning !== null) log(binary.value.warning);
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const certify = (): Outcome<ServerTls | null> =>
    options.tls
      ? writeServerCertificate(home, identity.value, { listen: host, nowMs: Date.now() })
      : accept(null);
  const late = new LateAccounts(home, log);
  const start = async (port: number): Promise<Outcome<RunningServer>> => {
    const tls = certify();
    if (!tls.ok) return tls;
    await late.begin();
    return startServer({ home, binary: binary.value.path, host, port, tls: tls.value, after: partsMark });
  };
  const first = await start(options.port);
  if (!first.ok) return first;
  const { port, tls, url } = first.value;
  log(
    `server: process ${first.value.pid}, nats-server ${showVersion(binary.value.version)} at ${url}, ${tls === null ? "without TLS" : "TLS"} (log: ${logFile(home)})`,
  );
  const saved = saveHome(home.path, home.mesh, url, tls);
  if (!saved.ok) {
    await first.value.stop();
    return saved;
  }

  late.tellSoon(saved.value);
  const startAgain = async () => {
    const again = await start(port);
    if (again.ok) late.tellSoon(saved.value);
    return again;
  };
  const server = new WatchedServer(first.value, startAgain, log);
  const reload = () => server.reload();
  const endKeeping =
    tls === null
      ? () => {}
      : keepServerCertificate({ life: serverLife, write: certify, reload, now: Date.now, log });
  const unwatch = watchDisk(home, server, log);
  return accept({
    home: saved.value,
    pid: () => server.pid,
    stop: () => {
      unwatch();
      endKeeping();
      late.end();
      return server.stop();
    },
  });
}

/** Nobody watches over it any more, and nothing is lost by starting it anew: every write was flushed. */
async function endLeftBehind(home: Home, log: (line: string) => void): Promise<void> {
  const left = runningServerPid(home);
  if (left === null) return;
  log(`server: ending process ${left}, which an earlier start left behind`);
  await stopServer(home);
}

function watchDisk(home: Home, server: WatchedServer, log: (line: string) => void): () => void {
  const storeFolder = inHome(home.path, "server", "store");
  return watchForFullDisk({
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
}

/** A server of somebody else's: used, neither started nor watched. */
async function outsidePart(
  { ca, environment, home, log }: ServerOptions,
  url: string,
): Promise<Outcome<ServerPart>> {
  const nowS = Math.floor(Date.now() / 1000);
  const owner = await ensureCredential(home, "owner", meshOwner, nowS);
  if (!owner.ok) return owner;
  const tls = outsideTls(url, ca);
  if (!tls.ok) return tls;
  const used = await useOutsideServer(
    { ...home, url, tls: tls.value },
    owner.value,
    nowS,
    allowsOldServer(environment),
  );
  if (!used.ok) return used;
  const how = tls.value === null ? "without TLS, which a NATS_URL that begins with tls:// asks for" : "TLS";
  log(`server: the one at NATS_URL ${url}, ${how}`);
  return accept({ home: used.value, pid: () => null, stop: () => Promise.resolve() });
}

function outsideTls(url: string, ca: string | null): Outcome<ServerTrust | null> {
  const isTls = url.startsWith("tls://");
  if (ca === null) return accept(isTls ? { kind: "named", ca } : null);
  if (!isTls)
    return refuse(
      "invalid",
      `--ca names who signs for a server with TLS, and NATS_URL ${url} asks for none; write it as tls://…`,
    );
  const text = readCertificate(ca);
  return text.ok ? accept({ kind: "named", ca: text.value }) : text;
}
