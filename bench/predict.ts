/**
 * `npm run bench -- predict [--json]`: a CSV of 1,000,000 questions (those of TREC, over and over) answered by a registered
 * model's own way, beside scikit-learn with a model of the same kind, in turns on the same machine, each round in a process of its
 * own. Not a test: it holds to no figure. `TRIALMESH_DATA` names the folder that holds trec/, `TRIALMESH_PYTHON` a Python that has scikit-learn.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { TextFile } from "../client/export/text-file.ts";
import { bytesPerMiB } from "../protocol/byte-unit.ts";
import { projectFolder } from "../training/version/code-version.ts";
import { answerLane, answerLaneSchema, trainModel, type AnswerLane } from "./predict/answer-lane.ts";
import { benchFolder } from "./shared/bench-folder.ts";
import { ChildProgram } from "./shared/child-program.ts";
import { median } from "./shared/median.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rows: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "3" },
    /** Only for the bench itself: answer this CSV here, in this folder. */
    csv: { type: "string" },
    folder: { type: "string" },
  },
});

const data = process.env["TRIALMESH_DATA"];
if (data === undefined) {
  console.error("TRIALMESH_DATA names the folder that holds trec/, and is not set");
  process.exit(2);
}
const train = join(data, "trec", "train.txt");
if (values.csv !== undefined && values.folder !== undefined) {
  console.log(JSON.stringify(await answerLane(values.csv, values.folder)));
} else {
  await measure(Number(values.rows), Number(values.rounds));
}

async function measure(rows: number, rounds: number): Promise<void> {
  mkdirSync(benchFolder, { recursive: true });
  const folder = mkdtempSync(join(benchFolder, "predict-"));
  try {
    await trainModel(train, folder);
    const csv = join(folder, "questions.csv");
    await TextFile.write(csv, questions(rows));
    console.error(`${rows} rows, ${(statSync(csv).size / bytesPerMiB).toFixed(0)} MiB of CSV`);
    const own: AnswerLane[] = [];
    const theirs: AnswerLane[] = [];
    for (let round = 1; round <= rounds; round++) {
      own.push(await lane(ownProgram(csv, folder)));
      theirs.push(await lane(peerProgram(csv, folder)));
      for (const [name, list] of [
        ["trialmesh", own],
        ["scikit-learn", theirs],
      ] as const)
        console.error(`round ${round}: ${name} ${laneText(list.at(-1))}`);
    }
    const rate = (list: readonly AnswerLane[]) => median(list.map((one) => one.rows / one.seconds));
    const work = (list: readonly AnswerLane[]) => median(list.map((one) => one.rows / one.processorSeconds));
    const result = {
      rowsPerSecond: Math.round(rate(own)),
      sklearnRowsPerSecond: Math.round(rate(theirs)),
      ratio: Number((rate(own) / rate(theirs)).toFixed(2)),
      rssMiB: Math.round(Math.max(...own.map(({ rssMiB }) => rssMiB))),
      sklearnRssMiB: Math.round(Math.max(...theirs.map(({ rssMiB }) => rssMiB))),
      /** Of rows by processor time, which says more on a shared machine. */
      processorRatio: Number((work(own) / work(theirs)).toFixed(2)),
      rows,
      load: Number(loadavg()[0]?.toFixed(1)),
    };
    console.log(values.json ? JSON.stringify(result) : resultText(result));
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function laneText(lane: AnswerLane | undefined): string {
  if (lane === undefined) return "";
  const { accuracy, processorSeconds, rows, rssMiB, seconds } = lane;
  return `${Math.round(rows / seconds)} rows/s, ${processorSeconds.toFixed(1)} s of processor, peak ${Math.round(rssMiB)} MiB, accuracy ${accuracy.toFixed(4)}`;
}

function resultText(result: {
  readonly rowsPerSecond: number;
  readonly sklearnRowsPerSecond: number;
  readonly ratio: number;
  readonly rssMiB: number;
  readonly processorRatio: number;
}): string {
  return `trialmesh ${result.rowsPerSecond} rows/s, peak ${result.rssMiB} MiB; scikit-learn ${result.sklearnRowsPerSecond} rows/s; ratio ${result.ratio}, by processor time ${result.processorRatio}`;
}

function ownProgram(csv: string, folder: string): ChildProgram {
  return new ChildProgram(process.execPath, [
    fileURLToPath(import.meta.url),
    "--csv",
    csv,
    "--folder",
    folder,
  ]);
}

function peerProgram(csv: string, folder: string): ChildProgram {
  const script = join(projectFolder, "bench", "predict", "peers", "sklearn_rows.py");
  return new ChildProgram(process.env["TRIALMESH_PYTHON"] ?? "python3", [
    script,
    train,
    csv,
    join(folder, "peer.csv"),
  ]);
}

async function lane(program: ChildProgram): Promise<AnswerLane> {
  try {
    const [line] = await program.line(/^\{.*\}$/);
    await program.ended;
    return answerLaneSchema.parse(JSON.parse(line));
  } finally {
    await program.stop();
  }
}

/** Questions with their labels, in turn, and a number that tells the rows apart. */
async function* questions(rows: number): AsyncGenerator<string> {
  const lines = readFileSync(train, "latin1")
    .split(/\r?\n/u)
    .filter((line) => line.includes(" "));
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  yield "id,label,text\n";
  for (let row = 0; row < rows; row++) {
    const line = lines[row % lines.length] ?? "";
    const at = line.indexOf(" ");
    yield `${row},${line.slice(0, at)},${quoted(line.slice(at + 1))}\n`;
  }
}
