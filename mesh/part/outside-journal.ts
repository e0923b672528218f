/**
 * The journal on a server that somebody else runs. A coordinator may delete no stream, and the server's disk is not ours: a lost
 * tail is put back, a stream that is gone is made anew; any other damage its owner has to put aside first.
 */
import type { Bus } from "../../protocol/bus/bus.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { streamsOf } from "../../protocol/subjects.ts";
import { connectAs } from "../connect.ts";
import type { Credential } from "../credential.ts";
import type { Home } from "../home.ts";
import type { WholeJournal } from "../../coordinator/journal/salvage.ts";
import {
  makeJournal,
  readServerJournal,
  writeServerJournal,
  type JournalPlace,
  type ServerJournal,
} from "./server-journal.ts";

/** `home`: with that server's address. */
export async function outsideJournal(home: Home, credential: Credential): Promise<Outcome<JournalPlace>> {
  const bus = await connectAs(home, credential);
  if (!bus.ok) return bus;
  return accept({
    read: (heldAt) => readServerJournal(bus.value, home.mesh, heldAt),
    replace: (whole, found, subject) => complete(bus.value, home, whole, found, subject),
    close: () => bus.value.close(),
  });
}

async function complete(
  bus: Bus,
  { mesh, url }: Home,
  whole: WholeJournal,
  found: ServerJournal | null,
  subject: string,
): Promise<Outcome<null>> {
  const isThere = found !== null && found.subject !== null;
  const had = isThere ? beginningOf(found, whole) : 0;
  if (had === null) {
    return refuse(
      "conflict",
      `the journal on the server at ${url} is damaged before its end, and a coordinator may delete no stream: stop that server, move the folder of its stream ${streamsOf(mesh).journal} away, start it, and run this again; nothing was changed`,
    );
  }
  if (!isThere) await makeJournal(bus, mesh, subject);
  await writeServerJournal(bus, mesh, subject, whole, had + 1);
  return accept(null);
}

/** How many messages it has of the whole, where it is the beginning of it and counts no other; null otherwise. */
function beginningOf(found: ServerJournal, { hashes }: WholeJournal): number | null {
  const { firstSequence, lastSequence, top } = found;
  const isCounted = lastSequence === top && firstSequence === 1 && top <= hashes.length;
  const isRight = hashes.slice(0, top).every((hash, index) => found.hashes.get(index + 1) === hash);
  return isCounted && isRight ? top : null;
}
