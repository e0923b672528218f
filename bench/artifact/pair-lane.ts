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

/** `folder`: of the store that receives it, which stays; without one it is made and removed. */
export async function pairRound(
  place: BenchPlace,
  source: { readonly folder: string; readonly digest: Digest },
  {
    folder = null,
    network = loopback,
  }: { readonly folder?: string | null; readonly network?: PairNetwork } = {},
): Promise<Pair> {
  const name = { name: "from", identity: place.identity("from"), host: network.host };
  const from = new BenchMachine(
    { role: "serve", ...name, folder: source.folder, artifact: source.digest },
    network.from,
  );
  const peers = [{ name: "from", host: network.host, port: await from.port() }];
  const into = folder ?? place.newFolder();
  const order = { name: "to", identity: place.identity("to"), folder: into, artifact: source.digest, peers };
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
    if (folder === null) place.removeFolder(into);
  }
}
