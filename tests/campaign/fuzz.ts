/**
 * `npm run campaign -- fuzz [--count N] [--seed S] [--target loop|client|http|live|all] [--json]`: wrong messages and requests, made of right
 * ones, to everything that takes any. Nothing may fail, and nothing be taken that should not be. Ends with status 1 where it is.
 */
import { parseArgs } from "node:util";
import { fuzzClient } from "./fuzz/fuzz-client.ts";
import { fuzzHttp } from "./fuzz/fuzz-http.ts";
import { fuzzLive } from "./fuzz/fuzz-live.ts";
import { fuzzLoop, type FuzzOptions, type FuzzReport } from "./fuzz/fuzz-loop.ts";

/** Each with its share of the whole count, in percent. */
const targets: Readonly<
  Record<string, { share: number; run: (options: FuzzOptions) => Promise<FuzzReport> }>
> = {
  loop: { share: 40, run: fuzzLoop },
  client: { share: 15, run: fuzzClient },
  http: { share: 25, run: fuzzHttp },
  live: { share: 20, run: fuzzLive },
};

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    target: { type: "string", default: "all" },
    json: { type: "boolean", default: false },
  },
});
const chosen = Object.entries(targets).filter(([name]) => values.target === "all" || values.target === name);
const reports: Record<string, FuzzReport & { seconds: number }> = {};
for (const [name, { run, share }] of chosen) {
  const whole = Number(values.count);
  const count = chosen.length === 1 ? whole : Math.ceil((whole * share) / 100);
  const from = performance.now();
  const say = (line: string) => {
    if (!values.json) process.stdout.write(`${name}: ${line}\n`);
  };
  const report = await run({ count, seed: Number(values.seed), say });
  reports[name] = { ...report, seconds: Math.round((performance.now() - from) / 1_000) };
}
process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
const isWhole = Object.values(reports).every(({ violations }) => violations.length === 0);
process.exit(chosen.length > 0 && isWhole ? 0 : 1);
