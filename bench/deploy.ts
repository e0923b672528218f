/**
 * `npm run bench -- deploy [--json]`: a mesh with two agents on this machine and a deployment of two replicas, asked at its one address in every
 * protocol while its alias moves and its processes are killed. Counts what failed and what was another's answer; times are those of this machine, with whatever else it does.
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { beginLoad } from "./deploy/asked-load.ts";
import { deployment, DeployedMesh } from "./deploy/deployed-mesh.ts";
import { mixedKinds, mixedRequest } from "./deploy/mixed-request.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    requests: { type: "string", default: "1000000" },
    swaps: { type: "string", default: "50" },
    kills: { type: "string", default: "20" },
    callers: { type: "string", default: "16" },
  },
});
const requests = Number(values.requests);
const swaps = Number(values.swaps);
const kills = Number(values.kills);
const callers = Number(values.callers);
/** Every fifth takes a whole agent with it. */
const agentEvery = 5;
const textsPerRequest = 32;
const say = (line: string) => console.error(line);

const mesh = new DeployedMesh(say);
const began = performance.now();
try {
  await mesh.open();
  const models = await mesh.models();
  const words = ["guten Morgen", "good evening", "buenos dias", "bom dia", "bonne nuit", "god kveld"];
  const pool = Array.from({ length: 2_000 }, (_, at) => `${words[at % words.length] ?? ""} ${at}`);
  const known = new Map<number, ReadonlyMap<string, readonly number[]>>();
  for (const [version, model] of models) {
    const answers = pool.map((text) => [text, [...(model.answerTexts?.([text]) ?? [])]] as const);
    known.set(version, new Map(answers));
  }
  const asked = {
    name: deployment,
    labels: [...models.values()][0]?.signature.labels ?? [],
    answerOf: (text: string, version: number) => known.get(version)?.get(text) ?? [],
  };
  const text = (at: number) => pool[(at * 7_919) % pool.length] ?? "";
  const load = beginLoad(mesh.url, requests, callers, (at) => {
    const kind = mixedKinds[at % mixedKinds.length] ?? "plain";
    const count = kind === "plain" || kind === "json" ? 1 : kind === "texts" ? textsPerRequest : 1 + (at % 4);
    const texts = Array.from({ length: count }, (_, row) => text(at + row));
    return mixedRequest(kind, texts, `request-${at}`, asked);
  });
  const started = performance.now();
  /** Until the coordinator has heard it of every replica, and until no request is answered by the version before. */
  const confirmedMs: number[] = [];
  const swapMs: number[] = [];
  let killed = 0;
  const isOver = () => load.done() >= requests;
  const when = async (share: number): Promise<boolean> => {
    while (load.done() < share * requests) await new Promise((resolve) => setTimeout(resolve, 20));
    return !isOver();
  };
  const swapping = (async () => {
    for (let swap = 1; swap <= swaps && (await when(swap / (swaps + 1))); swap++) {
      const [to, from] = swap % 2 === 0 ? [1, 2] : [2, 1];
      const began = performance.now();
      const ms = await mesh.swapTo(to);
      confirmedMs.push(ms);
      await new Promise((resolve) => setTimeout(resolve, 500));
      swapMs.push(Math.max(0, load.lastOf(from) - began));
      say(
        `swap ${swap}: ${Math.round(ms)} ms; ${load.done()} answered, ${load.failed()} failed, ${load.mixedUp()} mixed up`,
      );
    }
  })();
  const killing = (async () => {
    for (let kill = 1; kill <= kills && (await when((kill - Math.random() * 0.8) / (kills + 1))); kill++) {
      await mesh.kill(kill % agentEvery === 0 ? "agent" : "replica", Math.random());
      killed++;
    }
  })();
  const last = load.ended.then(() => performance.now());
  const [ended] = await Promise.all([last, swapping, killing]);
  const seconds = (ended - started) / 1_000;
  const sorted = load.times.toSorted();
  const result = {
    ...{ requests, failed: load.failed(), mixedUp: load.mixedUp(), swaps: swapMs.length },
    slowestSwapMs: Math.round(Math.max(0, ...swapMs)),
    slowestConfirmedMs: Math.round(Math.max(0, ...confirmedMs)),
    kills: killed,
    requestsPerSecond: Math.round(requests / seconds),
    p50Ms: sorted[Math.floor(requests / 2)] ?? 0,
    p99Ms: sorted[Math.floor(requests * 0.99)] ?? 0,
    slowestMs: sorted[requests - 1] ?? 0,
    load: loadavg()[0],
  };
  for (const fault of load.faults) say(fault);
  console.log(
    values.json
      ? JSON.stringify(result)
      : Object.entries(result)
          .map(([name, value]) => `${name}: ${value}`)
          .join("\n"),
  );
  process.exitCode = result.failed + result.mixedUp > 0 ? 1 : 0;
} finally {
  await mesh.close();
  say(`took ${Math.round((performance.now() - began) / 1_000)} s`);
}
