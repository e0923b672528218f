/** One machine has an artifact, many receive it at once, each over a link of its own; beside the time that one alone takes. */
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import type { BenchPlace } from "./bench-place.ts";
import { BenchMachine } from "./bench-machine.ts";
import type { BenchNetwork } from "./network.ts";

export interface Fan {
  /** Until the last has all of it. */
  readonly seconds: number;
  /** Of all bytes that arrived, those that came from whoever had it first. */
  readonly sourceShare: number;
  /** And those that came twice. */
  readonly spareShare: number;
  /** Of all receivers together, for each GiB that one of them received. */
  readonly processorSeconds: number;
}

/** Machine 0 of the network has it, and the next `receivers` receive; `lost` of them end in the middle, and are waited for no more. */
export async function fanRound(
  place: BenchPlace,
  network: BenchNetwork,
  source: { readonly folder: string; readonly digest: string },
  { lost = 0, receivers }: { readonly receivers: number; readonly lost?: number },
): Promise<Fan> {
  const port = 7_411;
  const identityOf = (index: number) => ({ name: `m${index}`, identity: place.identity(`m${index}`) });
  const peers = Array.from({ length: receivers + 1 }, (_, index) => ({
    ...{ name: `m${index}`, host: network.host(index), port },
  }));
  const at = (index: number) => ({ host: network.host(index), port, artifact: source.digest });
  const first = new BenchMachine(
    { role: "serve", ...identityOf(0), ...at(0), folder: source.folder },
    network.names[0],
  );
  await first.port();
  const all = peers.slice(1).map((_, place_) => {
    const index = place_ + 1;
    const order = { ...identityOf(index), ...at(index), folder: place.newFolder(), peers };
    return new BenchMachine({ role: "receive", ...order }, network.names[index]);
  });
  try {
    for (const one of all) await one.port();
    const began = performance.now();
    for (const one of all) one.begin();
    const staying = all.slice(lost);
    const losing = setTimeout(() => all.slice(0, lost).map((one) => one.stop()), 1_000);
    const measured = await Promise.all(staying.map((one) => one.measured()));
    clearTimeout(losing);
    const seconds = (performance.now() - began) / 1_000;
    const bytes = measured.reduce((sum, one) => sum + one.bytes, 0);
    const spare = measured.reduce((sum, one) => sum + one.spareBytes, 0);
    const processor = measured.reduce((sum, one) => sum + one.processorSeconds, 0);
    const processorSeconds = processor / (bytes / bytesPerGiB);
    return {
      seconds,
      processorSeconds,
      sourceShare: (await first.sent()).bytes / bytes,
      spareShare: spare / bytes,
    };
  } finally {
    for (const one of all) await one.stop();
    await first.stop();
  }
}
