/**
 * `npm run bench -- data [--json]`: a CSV of 5,000,000 rows (about 1 GB, made once per run) built into a dataset version
 * and profiled, each round in a process of its own, beside pandas and polars doing the same plan, in turns on the same
 * machine. Not a test: it holds to no figure. `TRIALMESH_PYTHON` names a Python that has pandas, polars and pyarrow.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bytesPerMiB } from "../protocol/byte-unit.ts";
import { projectFolder } from "../training/version/code-version.ts";
import { generateCsv } from "./data/generate.ts";
import { laneRoundSchema, rowsPerSecond, type LaneRound } from "./data/lane-round.ts";
import { ownLane } from "./data/own-lane.ts";
import { benchFolder } from "./shared/bench-folder.ts";
import { ChildProgram } from "./shared/child-program.ts";
import { median } from "./shared/median.ts";

const peers = ["pandas", "polars"] as const;
const lanes = ["trialmesh", ...peers] as const;
type Lane = (typeof lanes)[number];

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rows: { type: "string", default: "5000000" },
    rounds: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    peer: { type: "boolean", default: true },
    /** Only for the bench itself: run our own lane here, on this CSV, in this folder. */
    csv: { type: "string" },
    folder: { type: "string" },
  },
  allowNegative: true,
});

if (values.csv !== undefined && values.folder !== undefined) {
  console.log(JSON.stringify(await ownLane(values.csv, values.folder)));
} else {
  await measure();
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`--${name} takes a whole number above 0, not "${text}"`);
  process.exit(2);
}

async function measure(): Promise<void> {
  const rows = wholeNumber("rows", values.rows);
  const rounds = wholeNumber("rounds", values.rounds);
  mkdirSync(benchFolder, { recursive: true });
  const folder = mkdtempSync(join(benchFolder, "data-"));
  try {
    const csv = join(folder, "rows.csv");
    const bytes = generateCsv(csv, rows, wholeNumber("seed", values.seed));
    console.error(`${rows} rows, ${(bytes / bytesPerMiB).toFixed(0)} MiB of CSV`);
    const done = new Map<Lane, LaneRound[]>(lanes.map((lane) => [lane, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const lane of lanes) {
        if (lane !== "trialmesh" && !values.peer) continue;
        const result = await runLane(lane, csv, folder);
        if (result === null) continue;
        done.get(lane)?.push(result);
        console.error(
          `round ${round}: ${lane} ${Math.round(rowsPerSecond(result))} rows/s (build ${result.buildSeconds.toFixed(1)} s, profile ${result.profileSeconds.toFixed(1)} s; ${result.processorSeconds.toFixed(1)} s of processor), peak ${Math.round(result.peakMiB)} MiB`,
        );
      }
    }
    report(done, rows, bytes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In a process of its own, so that its peak of memory is its own; null where a peer cannot run here. */
async function runLane(lane: Lane, csv: string, folder: string): Promise<LaneRound | null> {
  const place = mkdtempSync(join(folder, `${lane}-`));
  const program =
    lane === "trialmesh"
      ? new ChildProgram(process.execPath, [fileURLToPath(import.meta.url), "--csv", csv, "--folder", place])
      : new ChildProgram(process.env["TRIALMESH_PYTHON"] ?? "python3", [
          join(projectFolder, "bench", "data", "peers", `${lane}_plan.py`),
          csv,
          join(place, "out.parquet"),
        ]);
  try {
    const [line] = await program.line(/^\{.*\}$/);
    await program.ended;
    return laneRoundSchema.parse(JSON.parse(line));
  } catch (error) {
    if (lane === "trialmesh") throw error;
    const why = error instanceof Error ? (error.message.split("\n").at(-1) ?? "") : String(error);
    console.error(
      `${lane} is left out: ${why} (TRIALMESH_PYTHON names a Python that has ${lane} and pyarrow)`,
    );
    return null;
  } finally {
    await program.stop();
    rmSync(place, { recursive: true, force: true });
  }
}

function report(done: ReadonlyMap<Lane, readonly LaneRound[]>, rows: number, bytes: number): void {
  const rateOf = (lane: Lane) => {
    const rates = (done.get(lane) ?? []).map(rowsPerSecond);
    return rates.length === 0 ? null : median(rates);
  };
  const own = rateOf("trialmesh") ?? Number.NaN;
  const ratio = (lane: Lane) => {
    const theirs = rateOf(lane);
    return theirs === null ? null : rounded(own / theirs, 3);
  };
  const first = done.get("trialmesh")?.[0];
  const differing = peers.filter((peer) => {
    const theirs = done.get(peer)?.[0];
    return theirs !== undefined && first !== undefined && !sameWork(first, theirs);
  });
  const result = {
    rowsPerSecond: Math.round(own),
    peakMiB: Math.round(Math.max(...(done.get("trialmesh") ?? []).map(({ peakMiB }) => peakMiB))),
    pandasRatio: ratio("pandas"),
    polarsRatio: ratio("polars"),
    /** Processor time of the same work, theirs by ours. */
    processorRatios: Object.fromEntries(peers.map((peer) => [peer, processorRatio(done, peer)])),
    rows,
    csvMiB: Math.round(bytes / bytesPerMiB),
    /** Peers that kept other rows or measured other lengths than we did: none, or the ratios mean nothing. */
    differing,
    rounds: Object.fromEntries(lanes.map((lane) => [lane, done.get(lane) ?? []])),
    cores: cpus().length,
    cpuModel: cpus()[0]?.model ?? "unknown",
  };
  if (values.json) {
    console.log(JSON.stringify(result));
    return;
  }
  for (const lane of lanes) {
    const rounds = done.get(lane) ?? [];
    if (rounds.length === 0) continue;
    const against = lane === "trialmesh" ? "" : `; ratio ${ratio(lane)}`;
    console.log(
      `${lane.padEnd(lanes[0].length)}  ${Math.round(rateOf(lane) ?? 0)} rows/s, peak ${Math.round(Math.max(...rounds.map(({ peakMiB }) => peakMiB)))} MiB (median of ${rounds.length} rounds of ${rows} rows)${against}`,
    );
  }
  if (differing.length > 0) console.log(`not the same work: ${differing.join(", ")}`);
}

function processorRatio(done: ReadonlyMap<Lane, readonly LaneRound[]>, peer: Lane): number | null {
  const seconds = (lane: Lane) => (done.get(lane) ?? []).map(({ processorSeconds }) => processorSeconds);
  const [own, theirs] = [seconds("trialmesh"), seconds(peer)];
  return own.length === 0 || theirs.length === 0 ? null : rounded(median(theirs) / median(own), 3);
}

function sameWork(a: LaneRound, b: LaneRound): boolean {
  const close = (x: number, y: number) => Math.abs(x - y) <= 1e-6 * Math.abs(y);
  return (
    a.rows === b.rows &&
    a.kept === b.kept &&
    close(a.meanCharacters, b.meanCharacters) &&
    close(a.meanWords, b.meanWords)
  );
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
