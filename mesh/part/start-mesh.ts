/**
 * Opens a mesh on this machine: home and keys on the first run, then server, coordinator and agent,
 * each a process of its own. Says one line for each; ends them in the reverse order.
 */
import { ensureCredential } from "../admission.ts";
import { homeExists, openHome, prepareHome, saveHome, type Home } from "../home.ts";
import { ensureIdentity, keysOf } from "../identity.ts";
import { isLoopbackHost } from "../port.ts";
import { runningServerPid, serverFolder, storeFolderIn } from "../server-process.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { meshOwner } from "../../protocol/program.ts";
import { startPart, type Part } from "./part.ts";
import { restoreJournal } from "./restore-journal.ts";
import { serveWithKeys } from "./serve-with-keys.ts";
import { startServerPart, type ServerPart } from "./server-part.ts";
import { partEndMs } from "./until-stopped.ts";
import { claimUp, removeUpRecord, writeUpRecord } from "./up-record.ts";
import { upgradeHome } from "../upgrade-home.ts";
import { listUsers, sharedUsers } from "../user.ts";
import type { Environment } from "../../system/environment.ts";
import type { FolderLock } from "../../system/folder-lock.ts";
import { openGuard } from "../../system/guard.ts";
import { markedEnvironment, newMark } from "../../system/marked-process.ts";
import { deletedReason, watchForDeletion } from "./deletion-watch.ts";

export const defaultPort = 4222;
const defaultMesh = "mesh";
const loopback = "127.0.0.1";

export interface StartMeshOptions {
  readonly path: string;
  readonly environment: Environment;
  /** The file that runs `trialmesh`'s command line: each part is a process of it. */
  readonly program: string;
  /** Name of the mesh when it is made here; null for the default. */
  readonly mesh: string | null;
  /** Name of this machine's coordinator and agent. */
  readonly name: string;
  readonly host: string | null;
  /** Null means the home's, or 4222. */
  readonly port: number | null;
  /** Where the port is taken, take any free one instead of refusing. Nobody but this machine reaches it on loopback. */
  readonly anyPort: boolean;
  /** False: without TLS, for loopback only. */
  readonly tls?: boolean;
  /** A file with the certificate of who signs for a server of one's own. */
  readonly ca?: string | null;
  /** What one user or agent may send in a day; left out: a quarter of the room on the home's disk. */
  readonly artifactBytesPerDay?: number | null;
  /** Make the server's journal whole again before anything is started. */
  readonly restoreJournal?: boolean;
  /** Flags for the agent, or null for no agent. */
  readonly agent: readonly string[] | null;
  readonly log: (line: string) => void;
}

export interface StartedMesh {
  readonly home: Home;
  /** Resolves with a sentence once a part has ended with a refusal. */
  readonly failed: Promise<string>;
  readonly stop: () => Promise<void>;
}

export async function startMesh(options: StartMeshOptions): Promise<Outcome<StartedMesh>> {
  if (options.tls === false && !isLoopbackHost(options.host ?? loopback))
    return refuse(
      "invalid",
      `without TLS all that is said could be read and changed on its way to ${options.host ?? ""}: --tls off is for loopback only; leave it out, or --listen`,
    );
  const lock = claimUp(options);
  if (!lock.ok) return lock;
  const started = await startClaimed(options, lock.value);
  if (!started.ok) {
    removeUpRecord(options);
    lock.value.release();
  }
  return started;
}

async function startClaimed(options: StartMeshOptions, lock: FolderLock): Promise<Outcome<StartedMesh>> {
  const opened = await openOrMake(options);
  if (!opened.ok) return opened;
  const home = opened.value;
  const listen = options.host ?? loopback;
  const announced = writeUpRecord(home, { listen, url: home.url, starting: true });
  if (!announced.ok) return announced;
  if (options.restoreJournal === true) {
    const restored = await restoreJournal({ ...options, home, at: Date.now() });
    if (!restored.ok) return restored;
  }
  const partsMark = newMark();
  const server = await startServer(options, home, partsMark);
  if (!server.ok) return server;
  const recorded = writeUpRecord(home, { listen, url: server.value.home.url, starting: false });
  if (!recorded.ok) {
    await server.value.stop();
    return recorded;
  }
  const bytesPerDay = options.artifactBytesPerDay ?? null;
  const withKeys = await serveWithKeys(server.value.home, bytesPerDay, options.log);
  // They end by themselves, saving their work, unless they stand still.
  const guard = openGuard({ mark: partsMark, asks: false, graceSeconds: partEndMs / 1000 });
  const parts = startParts(options, partsMark);
  const deleted = Promise.withResolvers<string>();
  const unwatch = watchForDeletion([home.path, storeFolderIn(serverFolder(home))], (path) =>
    deleted.resolve(deletedReason(path)),
  );
  return accept({
    home: server.value.home,
    failed: Promise.race([...parts.map((part) => part.failed), deleted.promise]),
    async stop() {
      await withKeys.stop();
      unwatch();
      for (const part of parts.toReversed()) await part.stop();
      await server.value.stop();
      guard.callOff();
      removeUpRecord(home);
      lock.release();
    },
  });
}

function startParts(options: StartMeshOptions, mark: string): readonly Part[] {
  const { agent, log, name, program } = options;
  const environment = markedEnvironment(options.environment, mark);
  const start = (label: string, flags: readonly string[]) =>
    startPart({ label, program, parameters: [label, "--name", name, ...flags], environment, log });
  const first = start("coordinator", []);
  return agent === null ? [first] : [first, start("agent", agent)];
}

async function openOrMake(options: StartMeshOptions): Promise<Outcome<Home>> {
  const { path, log } = options;
  if (homeExists(path)) {
    const home = openHome(path);
    if (!home.ok) return home;
    const identity = keysOf(home.value);
    if (!identity.ok) return identity;
    if (options.mesh !== null && options.mesh !== home.value.mesh) {
      return refuse(
        "conflict",
        `${path} is the home of mesh ${home.value.mesh}, not of ${options.mesh}; leave --mesh out, or use another TRIALMESH_HOME`,
      );
    }
    const current = home.value.outdated ? await bringUpToDate(home.value, log) : home;
    if (!current.ok) return current;
    const users = listUsers(current.value);
    if (!users.ok) return users;
    const shared = sharedUsers(users.value).map(({ name, role }) => `${role} ${name}`);
    if (shared.length > 0)
      log(
        `home: these still share an account; a machine that is updated renews its credential by itself: ${shared.join(", ")}`,
      );
    return current;
  }
  const home = prepareHome(
    path,
    options.mesh ?? defaultMesh,
    `nats://${loopback}:${options.port ?? defaultPort}`,
  );
  if (!home.ok) return home;
  const identity = ensureIdentity(home.value);
  if (!identity.ok) return identity;
  const owner = await ensureCredential(home.value, "owner", meshOwner, Math.floor(Date.now() / 1000));
  if (!owner.ok) return owner;
  const saved = saveHome(path, home.value.mesh, home.value.url);
  if (!saved.ok) return saved;
  log(`home: made ${path} for mesh ${home.value.mesh}, with its keys (only you can read them)`);
  return home;
}

async function bringUpToDate(home: Home, log: (line: string) => void): Promise<Outcome<Home>> {
  const upgraded = await upgradeHome(home, Math.floor(Date.now() / 1000));
  if (!upgraded.ok) return upgraded;
  const { reissued } = upgraded.value;
  log(
    `home: each user has an account of its own now; new credentials for ${reissued.join(", ") || "nobody"}`,
  );
  return accept(upgraded.value.home);
}

async function startServer(
  options: StartMeshOptions,
  home: Home,
  partsMark: string,
): Promise<Outcome<ServerPart>> {
  const { ca = null, environment, log, tls = true } = options;
  const host = options.host ?? loopback;
  const port = options.port ?? (Number(home.url.split(":").at(-1)) || defaultPort);
  const started = await startServerPart({ home, host, port, tls, ca, environment, log, partsMark });
  const taken = !started.ok && started.refusal.code === "conflict" && runningServerPid(home) === null;
  if (!taken || !options.anyPort) return started;
  log(`server: port ${port} is taken here; taking a free one`);
  return startServerPart({ home, host, port: 0, tls, ca, environment, log, partsMark });
}
