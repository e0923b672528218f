/**
 * Who holds what, in the bench: a nats-server in a network of its own, and beside it a process in which the coordinator's tracker
 * answers. Machines tell it what they hold and ask it for others, as agents do. Not a coordinator: nothing is decided here.
 */
import { join } from "node:path";
import { Tracker } from "../../coordinator/leader/tracker.ts";
import { tellHoldings, type HoldingsTeller } from "../../agent/tell-holdings.ts";
import { findPeers } from "../../artifact/find-peers.ts";
import type { Peer } from "../../artifact/peer/peer-door.ts";
import { trackedPeers } from "../../artifact/peer/tracked-peer.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { connectBus } from "../../protocol/bus/nats-bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { accept } from "../../protocol/refusal.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { trackSchema, type Held } from "../../protocol/tracking.ts";
import { ChildProgram } from "../shared/child-program.ts";

const mesh = "bench";
const port = 4_222;
const epoch = 1;
const { track } = subjectsOf(mesh);

/** Starts the server in `network`, and returns it and where it is reached. */
export async function startServer(
  binary: string,
  folder: string,
  network: string,
  host: string,
): Promise<{ readonly server: ChildProgram; readonly url: string }> {
  const words = [
    "--jetstream",
    "--store_dir",
    join(folder, "server"),
    "--addr",
    host,
    "--port",
    String(port),
  ];
  const server = new ChildProgram("ip", ["netns", "exec", network, binary, ...words]);
  await server.line(/Server is ready/);
  return { server, url: `nats://${host}:${port}` };
}

function connectTo(url: string, name: string): Promise<Bus> {
  return connectBus({ servers: url, name, inboxPrefix: `_INBOX.${name}` });
}

/** Answers for as long as the process lives. */
export async function serveBenchTracker(url: string): Promise<void> {
  const bus = await connectTo(url, "tracker");
  const tracker = new Tracker();
  bus.subscribe(`${track}.*`, (message) => {
    const who = message.subject.split(".").at(-1) ?? "";
    const asked = trackSchema.parse(fromBytes(message.data));
    if (asked.kind === "find")
      message.respond(toBytes(accept({ peers: tracker.find(asked.digest, who, () => true) })));
    if (asked.kind === "hold") message.respond(toBytes(accept({ again: !tracker.hold(who, asked) })));
  });
}

export interface Tracked {
  readonly peersOf: (artifact: Digest) => Promise<readonly Peer[]>;
  readonly teller: HoldingsTeller;
}

/** A machine's own word with the tracker. `all`: what it holds to begin with. */
export async function joinTracker(
  url: string,
  { address, all, name }: { readonly name: string; readonly address: string; readonly all: readonly Held[] },
): Promise<Tracked> {
  const bus = await connectTo(url, name);
  // In a mesh the server puts the sender's name there.
  const asMachine: Pick<Bus, "request"> = {
    request: (subject, data, timeoutMs) => bus.request(`${subject}.${name}`, data, timeoutMs),
  };
  const teller = tellHoldings({
    ...{ bus: asMachine, mesh, clock: systemClock, incarnation: name },
    ...{ place: () => ({ door: { addresses: [address] }, via: [], relays: false }), all: () => all },
  });
  teller.welcomed(epoch);
  return {
    teller,
    peersOf: async (artifact) => {
      const found = trackedPeers(await findPeers(asMachine, mesh, artifact), name);
      return found.flatMap((peer) => ("port" in peer ? [peer] : []));
    },
  };
}
