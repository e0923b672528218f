/**
 * Our server as `trialmesh serve` runs it, with a key, metrics, batching and a profile, without a mesh: serving-child.js MODEL_FILE TOKEN [alone]. `alone`: without
 * batches, each request by itself.
 */
import { serveModels } from "../../client/serve/serve-models.ts";
import { accept } from "../../protocol/refusal.ts";
import { laneLimits } from "../../serving/batch/lane-limit.ts";
import { CallerKeys } from "../../serving/server/caller-key.ts";
import { valueOf } from "../shared/value-of.ts";
import { openTrec } from "./trained-model.ts";

const [file = "", token = "", batches = ""] = process.argv.slice(2);
const alone = { ...laneLimits, atOnceMs: Infinity, batchMs: 0, batchRowsMin: 1, batchRowsMax: 1 };
const serving = valueOf(
  await serveModels({
    references: ["trec@champion"],
    address: { host: "127.0.0.1", port: 0 },
    keys: valueOf(CallerKeys.read(`bench ${token}`)),
    tls: null,
    open: async () => accept(await openTrec(file)),
    resolve: () => Promise.resolve(accept({ model: "trec", version: 1 })),
    say: (line) => console.error(line),
    profiles: {
      ...{ folder: null, expectations: [] },
      trainedOn: () => ({ manifest: null, reference: () => Promise.resolve(null) }),
    },
    ...(batches === "alone" ? { limits: alone } : {}),
  }),
);
console.log(`listening at ${serving.url}`);
process.on("SIGTERM", () => void serving.drain(1_000).then(() => process.exit(0)));
