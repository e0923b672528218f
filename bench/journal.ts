/**
 * `npm run bench -- journal [--json]`: events per second that reach the disk through the journal, by how many go
 * into one message. One writer, one message at a time, as the leader does it; each append waits for the server's flush.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { connectAs } from "../mesh/connect.ts";
import type { Event } from "../coordinator/format/event.ts";
import { Journal, startPosition } from "../coordinator/journal/journal.ts";
import { ensureCredential } from "../mesh/admission.ts";
import { saveHome } from "../mesh/home.ts";
import { coordinatorKeys } from "../mesh/mesh-trust.ts";
import { ensureIdentity } from "../mesh/identity.ts";
import { startServer } from "../mesh/server-process.ts";
import { streamSpecsOf } from "../protocol/subjects.ts";
import { systemClock } from "../protocol/time/system-clock.ts";
import { benchFolder } from "./shared/bench-folder.ts";
import { median } from "./shared/median.ts";
import { valueOf } from "./shared/value-of.ts";

const packs = [1, 50, 200];
const rounds = 5;
const roundMs = 1_000;
const mesh = "bench";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const binary = process.env["TRIALMESH_NATS_SERVER"];
if (binary === undefined) {
  console.error("TRIALMESH_NATS_SERVER names no nats-server; `npm run bench -- journal` finds one by itself");
  process.exit(1);
}
mkdirSync(benchFolder, { recursive: true });
const folder = mkdtempSync(join(benchFolder, "run-"));
const home = valueOf(saveHome(join(folder, "home"), mesh, "nats://127.0.0.1:0"));
valueOf(ensureIdentity(home));
const server = valueOf(await startServer({ home, binary, port: 0 }));
try {
  const credential = valueOf(
    await ensureCredential(home, "coordinator", "bench", Math.floor(Date.now() / 1_000)),
  );
  const bus = valueOf(await connectAs({ ...home, url: server.url }, credential));
  for (const spec of streamSpecsOf(mesh, 1, "bench")) await bus.ensureStream(spec);
  const journal = new Journal(bus, mesh, systemClock, valueOf(coordinatorKeys(mesh, credential)));
  let position = startPosition;
  let fence = 0;

  const eventsPerSecond = async (pack: number): Promise<number> => {
    const from = performance.now();
    let events = 0;
    while (performance.now() - from < roundMs) {
      const batch = Array.from({ length: pack }, (): Event => ended(++fence));
      const entry = await journal.append(position, 1, Date.now(), batch, () => true);
      if (entry === null) throw new Error("somebody else writes to the journal");
      position = entry.position;
      events += pack;
    }
    return (events / (performance.now() - from)) * 1_000;
  };

  await eventsPerSecond(packs[0] ?? 1);
  const measured = new Map<number, number[]>(packs.map((pack) => [pack, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [pack, rates] of measured) rates.push(await eventsPerSecond(pack));
  }
  await bus.close();
  const result = [...measured].map(([pack, rates]) => ({ pack, eventsPerSecond: Math.round(median(rates)) }));
  if (values.json) console.log(JSON.stringify({ journal: result, rounds }));
  else
    for (const { pack, eventsPerSecond: rate } of result)
      console.log(`${pack} events a message: ${rate} events/s`);
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** An event of middling size. */
function ended(fence: number): Event {
  return {
    kind: "AttemptEnded",
    fence,
    ending: "finished",
    posted: fence % 1_000,
    tags: [fence / 8, fence / 4],
    typicalCost: fence % 1_000,
  };
}
