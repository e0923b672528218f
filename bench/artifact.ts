/**
 * `npm run bench -- artifact [--json]`: artifacts from machine to machine: one pair beside bare TLS in turns, the memory that it
 * takes, one machine to sixteen over links of their own, a link of 1 Gbit/s; beside the NATS Object Store and rsync. What needs
 * rights or programs that are not there is null, and said.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { bytesPerMiB } from "../protocol/byte-unit.ts";
import { BenchPlace } from "./artifact/bench-place.ts";
import { fanRound, type Fan } from "./artifact/fan-lane.ts";
import { BenchNetwork } from "./artifact/network.ts";
import { objectStoreRound } from "./artifact/object-store-lane.ts";
import { pairRound, rawRound } from "./artifact/pair-lane.ts";
import { rsyncRound } from "./artifact/rsync-lane.ts";
import { smallFileRound } from "./artifact/small-file-lane.ts";
import { median } from "./shared/median.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "3" },
    /** Of the artifact that one pair passes, MiB; of the one that memory is measured with; of the one that many receive. */
    size: { type: "string", default: "512" },
    large: { type: "string", default: "4096" },
    fan: { type: "string", default: "256" },
    receivers: { type: "string", default: "16" },
    /** Of each machine's link, where many receive; Mbit/s. */
    link: { type: "string", default: "100" },
    /** Small files of a folder. */
    files: { type: "string", default: "100000" },
    /** Only these parts. */
    only: { type: "string", default: "pair,memory,fan,gigabit,small,peers" },
  },
});

const parts = new Set(values.only.split(","));
const rounds = wholeNumber("rounds", values.rounds);
const size = wholeNumber("size", values.size);
const place = new BenchPlace();
try {
  const pair = parts.has("pair") ? await pairs() : null;
  const memory = parts.has("memory") ? await memoryOf(wholeNumber("large", values.large)) : null;
  const gigabit = parts.has("gigabit") ? await gigabitShare() : null;
  const fan = parts.has("fan") ? await fanOut(wholeNumber("receivers", values.receivers)) : null;
  const small = parts.has("small") ? await smallFiles(wholeNumber("files", values.files)) : null;
  const peers = parts.has("peers") ? await others() : null;
  const result = {
    ...{ pairMBps: pair?.pairMBps ?? null, rawTlsMBps: pair?.rawTlsMBps ?? null, ratio: pair?.ratio ?? null },
    ...{ rssMiB: memory?.rssMiB ?? null, fanOut16Ratio: fan?.ratio ?? null },
    serverShare: fan?.serverShare ?? null,
    smallFilesMBps: small?.smallFilesMBps ?? null,
    ...{ objectStoreMBps: peers?.objectStoreMBps ?? null, rsyncMBps: peers?.rsyncMBps ?? null },
    ...{ gigabitShare: gigabit, pair, memory, fan, small, peers, sizeMiB: size, rounds },
    ...{ cores: cpus().length, cpuModel: cpus()[0]?.model ?? "unknown" },
  };
  console.log(JSON.stringify(result, null, values.json ? 0 : 2));
} finally {
  place.close();
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`--${name} takes a whole number above 0, not "${text}"`);
  process.exit(2);
}

function say(line: string): void {
  console.error(line);
}

function megabytes(bytesPerSecond: number): number {
  return Number((bytesPerSecond / 1e6).toFixed(1));
}

function share(value: number): number {
  return Number(value.toFixed(3));
}

/** In turns, so that what else the machine does meets both alike. */
async function pairs() {
  const source = await place.artifact(size);
  const bytes = size * bytesPerMiB;
  const found: { raw: number; pair: number; rawProcessor: number; pairProcessor: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const raw = await rawRound(place, bytes);
    const pair = await pairRound(place, source);
    found.push({
      ...{ raw: bytes / raw.seconds, pair: bytes / pair.seconds },
      ...{ rawProcessor: raw.processorSeconds, pairProcessor: pair.processorSeconds },
    });
    say(`bare TLS ${megabytes(bytes / raw.seconds)} MB/s, a pair ${megabytes(bytes / pair.seconds)} MB/s`);
  }
  place.removeFolder(source.folder);
  const of = (pick: (one: (typeof found)[number]) => number) => median(found.map(pick));
  return {
    ...{ pairMBps: megabytes(of((one) => one.pair)), rawTlsMBps: megabytes(of((one) => one.raw)) },
    ratio: share(of((one) => one.pair / one.raw)),
    /** Of the receiver alone, per GiB. */
    rawProcessorSeconds: share(of((one) => one.rawProcessor) / (size / 1_024)),
    pairProcessorSeconds: share(of((one) => one.pairProcessor) / (size / 1_024)),
  };
}

async function memoryOf(large: number) {
  const source = await place.artifact(large);
  const { rssMiB, seconds, senderRssMiB } = await pairRound(place, source);
  place.removeFolder(source.folder);
  const whole = Math.round(Math.max(rssMiB, senderRssMiB));
  say(`${large} MiB in ${seconds.toFixed(1)} s: at most ${whole} MiB of memory`);
  return { rssMiB: whole, receiver: Math.round(rssMiB), sender: Math.round(senderRssMiB), large };
}

/** Of a link of 1 Gbit/s, what one pair fills. */
async function gigabitShare(): Promise<number | null> {
  const network = BenchNetwork.open(2, 1_000);
  if (network === null) return sayNoNetwork();
  const source = await place.artifact(size);
  try {
    const [from = null, to = null] = network.names;
    const { bytes, seconds } = await pairRound(place, source, {
      network: { host: network.host(0), from, to },
    });
    const filled = share((bytes * 8) / seconds / 1e9);
    say(`a link of 1 Gbit/s: ${Math.round(filled * 100)}% full`);
    return filled;
  } finally {
    network.close();
    place.removeFolder(source.folder);
  }
}

async function fanOut(receivers: number) {
  const megabits = wholeNumber("link", values.link);
  // The last is the server's.
  const network = BenchNetwork.open(receivers + 2, megabits);
  if (network === null) return sayNoNetwork();
  const binary = process.env["TRIALMESH_NATS_SERVER"] ?? null;
  if (binary === null) say("TRIALMESH_NATS_SERVER names no nats-server: what it carries is left out");
  const source = await place.artifact(wholeNumber("fan", values.fan));
  try {
    const one = await fanRound(place, network, source, { binary, receivers: 1 });
    const all = await fanRound(place, network, source, { binary, receivers });
    const lost = { count: Math.ceil(receivers / 20), afterMs: one.seconds * 500 };
    const some = await fanRound(place, network, source, { binary, receivers, lost });
    const ratio = share(all.seconds / one.seconds);
    say(
      `${receivers} receive in ${ratio} times the time of one; ${Math.round(all.sourceShare * 100)}% came from the first`,
    );
    return {
      ...{ ratio, seconds: share(all.seconds), oneSeconds: share(one.seconds), receivers, megabits },
      ...{ serverShare: percent(all), serverShareWithLoss: percent(some) },
      ...{ sourceShare: share(all.sourceShare), spareShare: share(all.spareShare) },
      ratioWithLoss: share(some.seconds / one.seconds),
      /** Of all receivers together, per GiB that one of them received. */
      processorSeconds: share(all.processorSeconds),
    };
  } finally {
    network.close();
    place.removeFolder(source.folder);
  }
}

function percent({ serverShare }: Fan): number | null {
  return serverShare === null ? null : Number(serverShare.toFixed(5));
}

async function smallFiles(files: number) {
  const { bytes, packed, received, unpacked } = await smallFileRound(place, files);
  const smallFilesMBps = megabytes(bytes / (packed + received + unpacked));
  say(`${files} small files: ${smallFilesMBps} MB/s from folder to folder`);
  return {
    ...{ smallFilesMBps, files, bytes },
    ...{ inMBps: megabytes(bytes / packed), pairMBps: megabytes(bytes / received) },
    outMBps: megabytes(bytes / unpacked),
  };
}

async function others() {
  const source = await place.artifact(size);
  const [bytes, file] = [size * bytesPerMiB, source.file];
  const folder = place.newFolder();
  const binary = process.env["TRIALMESH_NATS_SERVER"];
  if (binary === undefined) say("TRIALMESH_NATS_SERVER names no nats-server: the Object Store is left out");
  const store = binary === undefined ? null : await objectStoreRound(binary, folder, file, bytes);
  const rsync = await rsyncRound(folder, file, bytes);
  if (rsync === null) say("there is no rsync: it is left out");
  place.removeFolder(source.folder);
  return {
    objectStoreMBps: store === null ? null : megabytes(store.both),
    objectStoreGetMBps: store === null ? null : megabytes(store.get),
    rsyncMBps: rsync === null ? null : megabytes(rsync),
  };
}

function sayNoNetwork(): null {
  say("no network namespaces can be made here (they need an administrator, `ip` and `tc`): left out");
  return null;
}
