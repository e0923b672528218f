/** One machine to another, beside bare TLS between the same two processes' like, in turns; in given networks or on loopback. */
import type { Digest } from "../../protocol/id.ts";
import { BenchMachine, type Measured } from "./bench-machine.ts";
import type { BenchPlace } from "./bench-place.ts";

/** Where each of the two runs. */
export interface PairNetwork {
  readonly host: string;
  readonly from: string | null;
  readonly to: string | null;
}

export const loopback: PairNetwork = { host: "127.0.0.1", from: null, to: null };

export interface Pair extends Measured {
  /** Of the machine that sends. */
  readonly senderRssMiB: number;
  readonly senderProcessorSeconds: number;
}

export async function rawRound(place: BenchPlace, bytes: number, network = loopback): Promise<Measured> {
  const name = { name: "from", identity: place.identity("from"), host: network.host };
  const from = new BenchMachine({ role: "raw-serve", ...name, bytes }, network.from);
  const peers = [{ name: "from", host: network.host, port: await from.port() }];
  const to = new BenchMachine(
    { role: "raw-take", name: "to", identity: place.identity("to"), bytes, peers },
    network.to,
  );
  try {
    return await to.measured();
  } finally {
    await to.stop();
    await from.stop();
  }
}

export async function pairRound(
  place: BenchPlace,
  source: { readonly folder: string; readonly digest: Digest },
  network = loopback,
): Promise<Pair> {
  const name = { name: "from", identity: place.identity("from"), host: network.host };
  const from = new BenchMachine({ role: "serve", ...name, folder: source.folder }, network.from);
  const peers = [{ name: "from", host: network.host, port: await from.port() }];
  const folder = place.newFolder();
  const order = { name: "to", identity: place.identity("to"), folder, artifact: source.digest, peers };
  const to = new BenchMachine({ role: "receive", ...order }, network.to);
  try {
    await to.port();
    const before = await from.sent();
    to.begin();
    const measured = await to.measured();
    const { processorSeconds, rssMiB } = await from.sent();
    const senderProcessorSeconds = processorSeconds - before.processorSeconds;
    return { ...measured, senderRssMiB: rssMiB, senderProcessorSeconds };
  } finally {
    await to.stop();
    await from.stop();
    place.removeFolder(folder);
  }
}
