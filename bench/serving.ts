/**
 * `npm run bench -- serving [--json]`: a small text classifier served here, beside bare `node:http` with the same model and route and
 * beside Python's servers, each on one core and loaded from another, in turns. Processor time per request counts first: on a
 * machine that others use too the clock says little. A peer that is not installed is null, and said.
 */
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Generator, ServerLane, type LaneWords, type Measured } from "./serving/server-lane.ts";
import { installPeers, peerLane, peerNames, type PeerName } from "./serving/peer-lane.ts";
import { trainTrec } from "./serving/trained-model.ts";
import { median } from "./shared/median.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    /** Of each load, and how often all are loaded in turn. */
    seconds: { type: "string", default: "1" },
    rounds: { type: "string", default: "9" },
    /** Only these peers; "none" for none. */
    peers: { type: "string", default: peerNames.join(",") },
    /** Brings the peers in by pip first; some GB. */
    install: { type: "boolean", default: false },
  },
});

const say = (line: string) => console.error(line);
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const perBatch = 32;
const token = "bench-0123456789abcdef";

const trained = await trainTrec();
if (trained === null) {
  console.error("no TREC data: set TRIALMESH_DATA to the folder that holds trec/");
  process.exit(1);
}
const { accuracy, file, questions } = trained;
const [question = ""] = questions;
if (values.install) installPeers(say);
const childFile = (name: string) => fileURLToPath(new URL(`./serving/${name}.js`, import.meta.url));
const tensors = (texts: readonly string[]) =>
  JSON.stringify({ inputs: [{ name: "text", datatype: "BYTES", shape: [texts.length], data: texts }] });
const path = "/v2/models/trec/infer";
const own: LaneWords = {
  name: "trialmesh",
  path,
  token,
  body: tensors,
  // As the program `trialmesh` starts `serve`.
  command: [process.execPath, "--max-semi-space-size=4", childFile("serving-child"), file, token],
};
const alone: LaneWords = { ...own, name: "trialmesh without batches", command: [...own.command, "alone"] };
const bare: LaneWords = {
  name: "node:http",
  path,
  body: tensors,
  command: [process.execPath, childFile("node-http-child"), file],
};

const generator = new Generator(childFile("load-child"));
const lanes: ServerLane[] = [];
const load = (connections: number, rate: number | null = null) => ({ connections, rate, seconds });
try {
  const ours = await started(own);
  const limit = await started(bare);
  const pair = await pairRounds(ours, limit);
  // The load counts from when a request was due, not from when there was a connection for it.
  const half = Math.round(median(pair.map(({ c100 }) => c100.ours.perSecond)) / 2);
  const fixed: Measured[] = [];
  for (let round = 0; round < rounds; round++)
    fixed.push(await ours.measure(generator, ours.order(questions, 1, load(100, half))));
  const rssMiB = Math.round(ours.rssMiB());
  const batching = await batchingRounds(ours, await started(alone));
  const peers = await peerRounds(ours);
  const of = (pick: (round: (typeof pair)[number]) => number) => Number(median(pair.map(pick)).toFixed(3));
  const cpuRatios = {
    c1: of(({ c1 }) => c1.limit.cpuUs / c1.ours.cpuUs),
    c16: of(({ c16 }) => c16.limit.cpuUs / c16.ours.cpuUs),
    c100: of(({ c100 }) => c100.limit.cpuUs / c100.ours.cpuUs),
  };
  const found = peerNames.flatMap((name) => peers[name] ?? []);
  const result = {
    requestsPerSecond: Math.round(Math.max(...pair.map(({ c100 }) => c100.ours.perSecond))),
    p99Ms: Number(Math.min(...fixed.map(({ p99Ms }) => p99Ms)).toFixed(2)),
    peers: Object.fromEntries(peerNames.map((name) => [name, peers[name]?.perSecond ?? null])),
    ratioToBest: found.length === 0 ? null : Math.min(...found.map(({ cpuRatio }) => cpuRatio)),
    nodeHttpRatio: Math.min(cpuRatios.c16, cpuRatios.c100),
    batchRowsPerSecond: Math.round(perBatch * Math.max(...pair.map(({ x32 }) => x32.ours.perSecond))),
    failed:
      pair.reduce(
        (sum, { c1, c16, c100, x32 }) =>
          sum + c1.ours.failed + c16.ours.failed + c100.ours.failed + x32.ours.failed,
        0,
      ) + fixed.reduce((sum, one) => sum + one.failed, 0),
    nodeHttp: {
      cpu: cpuRatios,
      clock: {
        c1: of(({ c1 }) => c1.ours.perSecond / c1.limit.perSecond),
        c16: of(({ c16 }) => c16.ours.perSecond / c16.limit.perSecond),
        c100: of(({ c100 }) => c100.ours.perSecond / c100.limit.perSecond),
      },
      batch: of(({ x32 }) => x32.limit.cpuUs / x32.ours.cpuUs),
      p50AtOne: of(({ c1 }) => c1.ours.p50Ms / c1.limit.p50Ms),
      p99At16: of(({ c16 }) => c16.ours.p99Ms / c16.limit.p99Ms),
    },
    /** At one connection, with batches over without. */
    batching,
    cpuUs: {
      ours: of(({ c100 }) => c100.ours.cpuUs),
      nodeHttp: of(({ c100 }) => c100.limit.cpuUs),
      batch: of(({ x32 }) => x32.ours.cpuUs),
    },
    peerRatios: peers,
    ...{
      fixedRate: half,
      rssMiB,
      firstAnswerMs: Math.round(ours.startMs),
      accuracy,
      load: loadavg(),
      cores: cpus().length,
    },
  };
  console.log(JSON.stringify(result, null, values.json ? 0 : 2));
} finally {
  for (const lane of lanes) await lane.stop();
  generator.stop();
}

async function started(words: LaneWords): Promise<ServerLane> {
  const lane = await ServerLane.start(words, question);
  lanes.push(lane);
  // Warm: what is measured is a server that has been up for a while.
  await generator.load(lane.order(questions, 1, { connections: 16, rate: null, seconds: 2 }));
  return lane;
}

/** In turns, so that what else the machine does meets both alike. */
async function pairRounds(ours: ServerLane, limit: ServerLane) {
  const both = async (connections: number, perRequest = 1) => {
    const of = (lane: ServerLane) =>
      lane.measure(generator, lane.order(questions, perRequest, load(connections)));
    return { ours: await of(ours), limit: await of(limit) };
  };
  const found: {
    c1: Awaited<ReturnType<typeof both>>;
    c16: Awaited<ReturnType<typeof both>>;
    c100: Awaited<ReturnType<typeof both>>;
    x32: Awaited<ReturnType<typeof both>>;
  }[] = [];
  for (let round = 0; round < rounds; round++) {
    const one = {
      c1: await both(1),
      c16: await both(16),
      c100: await both(100),
      x32: await both(16, perBatch),
    };
    const shown = ({ limit: bareOne, ours: ownOne }: (typeof one)["c1"]) =>
      `${Math.round(ownOne.cpuUs)} and ${Math.round(bareOne.cpuUs)} µs`;
    say(
      `of a processor per request, ours and node:http: ${shown(one.c1)} at 1, ${shown(one.c16)} at 16, ${shown(one.c100)} at 100, ${shown(one.x32)} for ${perBatch} texts`,
    );
    found.push(one);
  }
  return found;
}

/** What batches cost a lone caller, who never waits for one. */
async function batchingRounds(ours: ServerLane, without: ServerLane) {
  const rows: { own: Measured; other: Measured }[] = [];
  const of = (lane: ServerLane) => lane.measure(generator, lane.order(questions, 1, load(1)));
  for (let round = 0; round < rounds; round++) rows.push({ own: await of(ours), other: await of(without) });
  const ratio = (pick: (one: Measured) => number) =>
    Number(median(rows.map(({ other, own: mine }) => pick(mine) / pick(other))).toFixed(3));
  return { p50: ratio((one) => one.p50Ms), cpu: ratio((one) => one.cpuUs) };
}

interface PeerRatio {
  readonly perSecond: number;
  readonly cpuUs: number;
  /** Theirs over ours, of processor time for one request, and for one of 32 texts. */
  readonly cpuRatio: number;
  readonly batchRatio: number;
  /** Ours over theirs. */
  readonly clockRatio: number;
}

async function peerRounds(ours: ServerLane): Promise<Partial<Record<PeerName, PeerRatio>>> {
  const wanted = peerNames.filter((name) => values.peers.split(",").includes(name));
  const found: Partial<Record<PeerName, PeerRatio>> = {};
  for (const name of wanted) {
    const words = peerLane(name);
    if (typeof words === "string") {
      say(`${name}: ${words}`);
      continue;
    }
    try {
      const lane = await started(words);
      found[name] = await peerRatio(ours, lane);
      say(`${name}: ${JSON.stringify(found[name])}`);
      await lane.stop();
    } catch (fault) {
      say(`${name}: ${fault instanceof Error ? fault.message : String(fault)}`);
    }
  }
  return found;
}

async function peerRatio(ours: ServerLane, lane: ServerLane): Promise<PeerRatio> {
  const rows: { one: Measured; own: Measured; many: Measured; ownMany: Measured }[] = [];
  for (let round = 0; round < rounds; round++) {
    const of = (server: ServerLane, perRequest: number) =>
      server.measure(generator, server.order(questions, perRequest, load(16)));
    rows.push({
      one: await of(lane, 1),
      own: await of(ours, 1),
      many: await of(lane, perBatch),
      ownMany: await of(ours, perBatch),
    });
  }
  const of = (pick: (row: (typeof rows)[number]) => number) => Number(median(rows.map(pick)).toFixed(2));
  return {
    perSecond: Math.round(Math.max(...rows.map(({ one }) => one.perSecond))),
    cpuUs: Math.round(of(({ one }) => one.cpuUs)),
    cpuRatio: of(({ one, own: mine }) => one.cpuUs / mine.cpuUs),
    batchRatio: of(({ many, ownMany }) => many.cpuUs / ownMany.cpuUs),
    clockRatio: of(({ one, own: mine }) => mine.perSecond / one.perSecond),
  };
}
