/**
 * `npm run bench -- estimate-record [--sweeps N] [--seconds S] [--out FILE]`: runs small real sweeps one after the other on a mesh
 * of its own and writes what each was told to cost and did cost, with every attempt's times. It judges nothing.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { mainFile } from "../cli/shell/main-file.ts";
import { connectMesh, type Connected } from "../client/connect/connect-mesh.ts";
import { prepareSweep } from "../client/sweep/prepare-sweep.ts";
import { milliTokensPerToken } from "../protocol/token.ts";
import { projectFolder } from "../training/version/code-version.ts";
import { readAttempts } from "./estimate/read-attempts.ts";
import { writeRealSweeps } from "./estimate/real-sweep.ts";
import { recordingSchema, type RecordedSweep } from "./estimate/recording.ts";
import { benchFolder } from "./shared/bench-folder.ts";
import { ChildProgram } from "./shared/child-program.ts";
import { valueOf } from "./shared/value-of.ts";

const slots = 2;
const grantTokens = 1_000_000;
const pollMs = 100;

const { values } = parseArgs({
  options: {
    sweeps: { type: "string", default: "30" },
    /** No sweep is begun later than so long after the first. */
    seconds: { type: "string", default: "3600" },
    out: { type: "string", default: join(projectFolder, "bench", "recording", "estimate.json") },
  },
});

mkdirSync(benchFolder, { recursive: true });
const folder = mkdtempSync(join(benchFolder, "run-"));
const environment = { ...process.env, TRIALMESH_HOME: join(folder, "home") };
const words = ["up", "--port", "0", "--name", "bench", "--slots", String(slots)];
const up = new ChildProgram(process.execPath, [mainFile, ...words, "--programs", "own"], environment);
try {
  await up.line(/ is up at /);
  const connected = valueOf(await connectMesh(environment));
  try {
    await record(connected);
  } finally {
    await connected.client.close();
  }
} finally {
  await up.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function record(connected: Connected): Promise<void> {
  const { client } = connected;
  const amount = grantTokens * milliTokensPerToken;
  valueOf(await client.command("budget-grant", { requester: client.who, amount, note: "bench" }));
  const done: (Omit<RecordedSweep, "attempts"> & { readonly sweep: string })[] = [];
  const from = performance.now();
  for (const file of writeRealSweeps(join(folder, "sweeps")).slice(0, Number(values.sweeps))) {
    if (performance.now() - from > 1_000 * Number(values.seconds)) break;
    const one = await runOne(connected, file);
    const told = one.told === null ? "nothing" : `${one.told.expected} (${one.told.low} to ${one.told.high})`;
    console.error(`${one.spec.name}: ${one.cost} of ${told} milli-tokens, load ${one.load}`);
    done.push(one);
  }
  const attempts = await readAttempts(environment.TRIALMESH_HOME);
  const agent = valueOf(await client.query("mesh", {})).agents[0];
  const recording = recordingSchema.parse({
    cpuModel: agent?.host.cpuModel,
    cores: cpus().length,
    slots,
    rates: agent?.rates,
    sweeps: done.map(({ sweep, ...one }) => ({ ...one, attempts: attempts.get(sweep) ?? [] })),
  });
  mkdirSync(dirname(values.out), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify(recording)}\n`);
  console.log(`${done.length} sweeps recorded in ${values.out}`);
}

async function runOne(connected: Connected, file: string) {
  const { client } = connected;
  const progress = () => undefined;
  const spec = valueOf(await prepareSweep({ file, overrides: {}, environment, connected, progress }));
  const estimate = valueOf(await client.query("estimate", { requester: client.who, spec }));
  const isKnown = estimate.models.some(({ range }) => range !== null);
  const { expected, high, low } = estimate;
  const load = Number((loadavg()[0] ?? 0).toFixed(2));
  const { sweep } = valueOf(await client.command("sweep-run", { spec }));
  for (;;) {
    const summary = valueOf(await client.query("sweeps", {})).sweeps.find((one) => one.sweep === sweep);
    if (summary?.state === "done" || summary?.state === "stopped")
      return { sweep, spec, load, told: isKnown ? { low, expected, high } : null, cost: summary.spent };
    await sleep(pollMs);
  }
}
