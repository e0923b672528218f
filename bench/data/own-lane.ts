/** The bench's plan as a dataset file would declare it, built and profiled in this process, with what it took. */
import { join } from "node:path";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { buildDataset } from "../../data/version/build-dataset.ts";
import { declarationSchema } from "../../data/declaration/declaration.ts";
import { profileVersion } from "../../data/profile/profile-version.ts";
import { valueOf } from "../shared/value-of.ts";
import { classNames } from "./generate.ts";
import type { LaneRound } from "./lane-round.ts";

const threads = 2;
const memoryMiB = 1024;
const kibPerMib = 1024;
const usPerSecond = 1e6;

export async function ownLane(csv: string, folder: string): Promise<LaneRound> {
  const declaration = declarationSchema.parse({
    name: "bench",
    sources: [{ path: csv, format: "csv" }],
    plan: [
      { step: "map-label", column: "class", map: classNames.map((name, at) => [String(at + 1), name]) },
      { step: "concat", columns: ["title", "description"], to: "text", separator: ". " },
      { step: "clean", columns: ["text"], html: true, escapes: true, whitespace: true, unicode: "NFC" },
      { step: "dedupe", by: "text", keep: "first" },
      { step: "split" },
    ],
    form: { kind: "text", text: "text", label: "class" },
  });
  const began = performance.now();
  const built = valueOf(await buildDataset(declaration, { workDir: folder, threads, memoryMiB }));
  const between = performance.now();
  const profile = valueOf(
    await profileVersion(built.path, built.digest, { workDir: join(folder, "profile"), threads, memoryMiB }),
  );
  const ended = performance.now();
  const usage = process.resourceUsage();
  const text = profile.columns.find((column) => column.kind === "text");
  return {
    rows: built.manifest.sources.reduce((sum, { rows }) => sum + rows, 0),
    kept: profile.rows,
    buildSeconds: (between - began) / 1000,
    profileSeconds: (ended - between) / 1000,
    processorSeconds: (usage.userCPUTime + usage.systemCPUTime) / usPerSecond,
    peakMiB: usage.maxRSS / kibPerMib,
    meanCharacters: text?.characters.mean ?? Number.NaN,
    meanWords: text?.words.mean ?? Number.NaN,
    versionMiB: built.bytes / bytesPerMiB,
  };
}
