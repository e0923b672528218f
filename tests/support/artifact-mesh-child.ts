// A process that sends a file into the mesh's store and has it fetched into a machine's store, and says how much memory that took.
import { join } from "node:path";
import { openDiskCache } from "../../artifact/cache/disk-cache.ts";
import { fetchFile, sendFile } from "../../artifact/cache/mesh-file.ts";
import { ArtifactStore } from "../../artifact/store/artifact-store.ts";
import { connectBus } from "../../protocol/bus/nats-bus.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";

const [url = "", folder = "", file = "", digest = ""] = process.argv.slice(2);
const bus = await connectBus({ servers: url, name: "child", inboxPrefix: "_INBOX_child" });
const said: string[] = [];
const times: number[] = [];
/** MiB after each step. */
const peaks: number[] = [Math.round(process.resourceUsage().maxRSS / 1024)];
const timed = async <T>(work: Promise<T>): Promise<T> => {
  const begun = performance.now();
  const done = await work;
  times.push(performance.now() - begun);
  peaks.push(Math.round(process.resourceUsage().maxRSS / 1024));
  return done;
};
const sent = await timed(sendFile(bus, "m", file, digest));
const store = new ArtifactStore({ folder: join(folder, "store"), clock: systemClock, quotaBytes: null });
const cache = await openDiskCache({
  dir: folder,
  store,
  bus,
  mesh: "m",
  clock: systemClock,
  say: (line) => said.push(line),
});
const fetched = await timed(cache.fetch(digest, 1));
const again = await timed(cache.fetch(digest, 2));
const whole = await timed(fetchFile(bus, "m", digest, join(folder, "fetched")));
const ok = sent.ok && fetched.ok && again.ok && whole.ok;
console.log(JSON.stringify({ ok, sent, fetched, whole, said, times, peaks, rssMiB: peaks.at(-1) }));
await store.close();
await bus.close();
