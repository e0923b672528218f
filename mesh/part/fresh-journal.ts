/**
 * A fresh stream of the journal on this machine's disk, beside the one that is damaged: written by a server of its own that nobody
 * else knows of, read back from the disk by another, and only then put in the damaged one's place. Ended at any moment it leaves
 * the damaged one where it was, or none, or the fresh one, whole; what is under way is thrown away by the next attempt.
 */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { WholeJournal } from "../../coordinator/journal/salvage.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { streamsOf } from "../../protocol/subjects.ts";
import { connectAs } from "../connect.ts";
import type { Credential } from "../credential.ts";
import type { Home } from "../home.ts";
import { loadIdentity } from "../identity.ts";
import { serverFolder, startServer, stopServer, storeFolderIn } from "../server-process.ts";
import {
  journalFault,
  makeJournal,
  readServerJournal,
  writeServerJournal,
  type JournalPlace,
} from "./server-journal.ts";
import { makeFolderSync } from "../../system/make-folder.ts";

interface FreshJournalOptions {
  readonly home: Home;
  /** Of the server. */
  readonly binary: string;
  /** A coordinator's. */
  readonly credential: Credential;
}

/** The journal of this home's own server. `at`: names what is put aside, ms. */
export function ownJournal(
  options: FreshJournalOptions,
  at: number,
  log: (line: string) => void,
): JournalPlace {
  const { home } = options;
  return {
    async read(heldAt) {
      const read = await withServer(options, serverFolder(home), true, (bus) =>
        readServerJournal(bus, home.mesh, heldAt),
      );
      if (read.ok) return read.value;
      log(`journal: the server gives nothing: ${read.refusal.message}`);
      return null;
    },
    async replace(whole, _, subject) {
      const fresh = await writeFreshJournal(options, whole, subject);
      return fresh.ok ? swapJournal(home, fresh.value, at) : fresh;
    },
    close: () => Promise.resolve(),
  };
}

/** Connects to a server of this home that is started for this alone, on a free port, and ended after it. */
async function withServer<T>(
  { binary, credential, home }: FreshJournalOptions,
  folder: string,
  flushEach: boolean,
  use: (bus: Bus) => Promise<T>,
): Promise<Outcome<T>> {
  await stopServer(home, folder);
  const server = await startServer({ home, binary, port: 0, folder, flushEach });
  if (!server.ok) return server;
  try {
    const bus = await connectAs({ ...home, url: server.value.url, tls: null }, credential);
    if (!bus.ok) return bus;
    try {
      return accept(await use(bus.value));
    } finally {
      await bus.value.close();
    }
  } finally {
    await server.value.stop();
  }
}

/** The folder of the server that wrote it. */
async function writeFreshJournal(
  options: FreshJournalOptions,
  whole: WholeJournal,
  subject: string,
): Promise<Outcome<string>> {
  const { home } = options;
  const folder = freshFolder(home);
  await stopServer(home, folder);
  rmSync(folder, { recursive: true, force: true });
  const written = await withServer(options, folder, false, async (bus) => {
    await makeJournal(bus, home.mesh, subject);
    await writeServerJournal(bus, home.mesh, subject, whole, 1);
  });
  if (!written.ok) return written;
  flushTree(folder);
  const fault = await withServer(options, folder, true, async (bus) =>
    journalFault(await readServerJournal(bus, home.mesh, whole.at), whole),
  );
  if (!fault.ok) return fault;
  if (fault.value !== null)
    return refuse(
      "unavailable",
      `the fresh journal is not what was written: ${fault.value}; nothing was changed`,
    );
  flushTree(folder);
  return accept(folder);
}

/** Puts it in the place of the damaged one, which is put aside. Where the latter lies now; null where there was none. */
function swapJournal(home: Home, fresh: string, at: number): Outcome<string | null> {
  const place = journalFolder(home, serverFolder(home));
  const from = journalFolder(home, fresh);
  if (!place.ok) return place;
  if (!from.ok) return from;
  makeFolderSync(dirname(place.value), 0o700);
  let aside: string | null = null;
  if (existsSync(place.value)) {
    const name = `journal-${new Date(at).toISOString().replaceAll(/[-:.]/g, "")}`;
    aside = join(serverFolder(home), "damaged", name);
    makeFolderSync(dirname(aside), 0o700);
    renameSync(place.value, aside);
  }
  renameSync(from.value, place.value);
  flushPath(dirname(place.value));
  rmSync(fresh, { recursive: true, force: true });
  return accept(aside);
}

function freshFolder(home: Home): string {
  return join(serverFolder(home), "restoring");
}

/** Where a server with that folder keeps the journal's stream. */
function journalFolder(home: Home, folder: string): Outcome<string> {
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  const account = identity.value.meshAccount.getPublicKey();
  const { journal } = streamsOf(home.mesh);
  return accept(join(storeFolderIn(folder), "jetstream", account, "streams", journal));
}

function flushTree(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) flushTree(join(path, entry.name));
    else if (entry.isFile()) flushPath(join(path, entry.name));
  }
  flushPath(path);
}

function flushPath(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
