/**
 * One machine has an artifact, many receive it at once, each over a link of its own; beside the time that one alone takes. They
 * find each other through a server with a link of its own, where there is one.
 */
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import type { ChildProgram } from "../shared/child-program.ts";
import type { BenchArtifact, BenchPlace } from "./bench-place.ts";
import { BenchMachine } from "./bench-machine.ts";
import { startServer } from "./bench-tracker.ts";
import type { BenchNetwork } from "./network.ts";

export interface Fan {
  /** Until the last has all of it. */
  readonly seconds: number;
  /** Of all bytes that arrived, those that came from whoever had it first. */
  readonly sourceShare: number;
  /** And those that came twice. */
  readonly spareShare: number;
  /** Of all bytes that any link carried, those that went to the server or came from it; null where there is none. */
  readonly serverShare: number | null;
  /** Of all receivers together, for each GiB that one of them received. */
  readonly processorSeconds: number;
}

export interface FanOptions {
  readonly receivers: number;
  /** Of them, how many are killed after so long, and waited for no more. */
  readonly lost?: { readonly count: number; readonly afterMs: number };
  /** A nats-server; null: each is told of all others when it starts. */
  readonly binary: string | null;
}

const port = 7_411;

/** Machine 0 of the network has it, the next `receivers` receive, and the last is the server's. */
export async function fanRound(
  place: BenchPlace,
  network: BenchNetwork,
  source: BenchArtifact,
  { binary, lost = { count: 0, afterMs: 0 }, receivers }: FanOptions,
): Promise<Fan> {
  const folders: string[] = [];
  const machines: BenchMachine[] = [];
  const server = await serverOf(place, network, binary, receivers + 1);
  const peers = Array.from({ length: receivers + 1 }, (_, index) => ({
    ...{ name: `m${index}`, host: network.host(index), port },
  }));
  const begin = async (index: number, role: "serve" | "receive", folder: string) => {
    const name = `m${index}`;
    const who = { name, identity: place.identity(name), host: network.host(index), port };
    const order = { role, ...who, folder, artifact: source.digest, peers, server: server?.url ?? "" };
    const machine = new BenchMachine(order, network.names[index]);
    machines.push(machine);
    await machine.port();
    return machine;
  };
  try {
    const first = await begin(0, "serve", source.folder);
    const all = await Promise.all(
      peers.slice(1).map((_, at) => {
        folders.push(place.newFolder());
        return begin(at + 1, "receive", folders.at(-1) ?? "");
      }),
    );
    const before = trafficOf(network, receivers + 1);
    const began = performance.now();
    for (const one of all) one.begin();
    const losing = setTimeout(() => all.slice(0, lost.count).map((one) => one.lose()), lost.afterMs);
    const measured = await Promise.all(all.slice(lost.count).map((one) => one.measured()));
    const seconds = (performance.now() - began) / 1_000;
    clearTimeout(losing);
    const after = trafficOf(network, receivers + 1);
    const sum = (pick: (one: (typeof measured)[number]) => number) =>
      measured.reduce((total, one) => total + pick(one), 0);
    const bytes = sum((one) => one.bytes);
    return {
      seconds,
      processorSeconds: sum((one) => one.processorSeconds) / (bytes / bytesPerGiB),
      sourceShare: (await first.sent()).bytes / bytes,
      spareShare: sum((one) => one.spareBytes) / bytes,
      serverShare: server === null ? null : (after.server - before.server) / (after.all - before.all),
    };
  } finally {
    for (const one of machines) await one.stop();
    await server?.stop();
    for (const folder of folders) place.removeFolder(folder);
  }
}

async function serverOf(
  place: BenchPlace,
  network: BenchNetwork,
  binary: string | null,
  index: number,
): Promise<{ readonly url: string; stop(): Promise<void> } | null> {
  const name = network.names[index];
  if (binary === null || name === undefined) return null;
  const folder = place.newFolder();
  const started: { server?: ChildProgram; tracker?: BenchMachine } = {};
  const stop = async () => {
    await started.tracker?.stop();
    await started.server?.stop();
    place.removeFolder(folder);
  };
  try {
    const { server, url } = await startServer(binary, folder, name, network.host(index));
    started.server = server;
    const tracker = new BenchMachine(
      { role: "track", name: "tracker", identity: place.identity("tracker"), server: url },
      name,
    );
    started.tracker = tracker;
    await tracker.port();
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Bytes that the links of all machines have delivered, and those to and from the last one, the server's. */
function trafficOf(network: BenchNetwork, server: number): { readonly all: number; readonly server: number } {
  let all = 0;
  for (const index of network.names.keys()) all += network.traffic(index).received;
  const { received, sent } =
    server < network.names.length ? network.traffic(server) : { received: 0, sent: 0 };
  return { all, server: received + sent };
}
