/** What each query is told of a fake world. */
import { resolve } from "../../coordinator/registry/resolve-version.ts";
import { querySchemas, type QueryName } from "../../protocol/command.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { TrialView } from "../../protocol/view.ts";
import { bestSoFar, trialEpochs, valueOf, type FakeWorld } from "./fake-world.ts";
import { insightFixture } from "./insight-fixture.ts";
import { deploymentFixture } from "./deployment-fixture.ts";
import { agentFixture, meshFixture, sweepFixture, trialFixture } from "./view-fixture.ts";
import { estimateFixture, sweepWhyFixture, whyFixture } from "./why-fixture.ts";

type Body = Readonly<Record<string, unknown>>;

export function fakeAnswer(world: FakeWorld, name: QueryName, body: Body): Outcome<unknown> {
  return answers[name](world, body);
}

const answers: { readonly [Name in QueryName]: (world: FakeWorld, body: Body) => Outcome<unknown> } = {
  mesh: meshOf,
  agent: (_, body) => refuse("unknown", `there is no agent ${String(body["agent"])}`),
  garbage: () => refuse("unavailable", "this mesh has no store"),
  holders: (_, body) => {
    const digests = Array.isArray(body["digests"]) ? body["digests"] : [];
    return accept({
      artifacts: digests.map((digest) => ({
        digest: String(digest),
        agents: ["attic", "desk"],
        bringing: [],
        inStore: true,
      })),
    });
  },
  "set-aside": () => accept({ messages: [] }),
  sweeps: (world) => accept({ sweeps: world.sweeps.map((each) => each.summary) }),
  sweep: (world, body) => {
    const found = world.sweepOf(body["sweep"]);
    if (found === undefined) return refuse("unknown", `there is no sweep ${String(body["sweep"])}`);
    return accept({
      summary: found.summary,
      search: { method: "random", trials: found.summary.total, seed: 1 },
      stopping: { policy: "asha", min: 1, max: trialEpochs, eta: 3 },
      dataset: null,
      models: ["linear", "fasttext", "textcnn"],
      spaces: {},
      alsoObjectives: [],
      trials: found.trials.toSorted((a, b) => (b.value ?? -1) - (a.value ?? -1)),
      bestSoFar: bestSoFar(found, world.now),
    });
  },
  trial: (world, body) =>
    trialOf(world, body) === undefined ? refuse("unknown", "no such trial") : accept(trialOf(world, body)),
  curve: (world, body) => {
    const trial = trialOf(world, body);
    if (trial === undefined) return refuse("unknown", "no such trial");
    return accept({
      points: Array.from({ length: trial.resource }, (_, index) => ({
        fence: 1,
        resource: index + 1,
        metrics: { macroF1: valueOf(trial, index + 1) },
      })),
    });
  },
  history: (world, body) => {
    const asked = Array.isArray(body["trials"]) ? body["trials"] : [];
    const points = asked.flatMap((id: unknown) => {
      const trial = trialOf(world, { trial: id });
      return Array.from({ length: trial?.resource ?? 0 }, (_, index) => ({
        trial: String(id),
        fence: 1,
        resource: index + 1,
        metrics: { macroF1: trial === undefined ? 0 : valueOf(trial, index + 1) },
        at: world.now,
      }));
    });
    return accept({ points, next: null });
  },
  logs: () =>
    accept({
      lines: [{ fence: 1, stream: "out", line: "epoch 1: \u001b[31mloss\u001b[0m 0.71" }],
    }),
  why: (world, body) => accept(whyFixture(String(body["trial"]), whyStart(world))),
  "sweep-why": (world, body) =>
    world.sweepOf(body["sweep"]) === undefined
      ? refuse("unknown", `there is no sweep ${String(body["sweep"])}`)
      : accept(sweepWhyFixture(String(body["sweep"]), whyStart(world))),
  insight: (world, body) => {
    const found = world.sweepOf(body["sweep"]);
    return found === undefined
      ? refuse("unknown", `there is no sweep ${String(body["sweep"])}`)
      : accept(insightFixture(found.summary.sweep, { name: found.summary.name }));
  },
  estimate: () => accept(estimateFixture()),
  datasets: (world) =>
    accept({ datasets: [{ dataset: "reviews", versions: 1, latest: datasetVersion(world) }] }),
  dataset: (world, body) =>
    body["dataset"] === "reviews"
      ? accept({
          dataset: "reviews",
          versions: [datasetVersion(world)],
          uses: [{ version: 1, sweep: "s1", models: ["language-id@1"] }],
        })
      : refuse("unknown", `there is no dataset ${String(body["dataset"])}`),
  models: (world) =>
    accept({
      models: world.models.map((each) => ({
        model: each.model,
        versions: each.versions.length,
        latest: each.versions.at(-1),
        aliases: each.aliases,
        ...(each.tags === undefined ? null : { tags: each.tags }),
      })),
    }),
  model: (world, body) => {
    const found = world.models.find((each) => each.model === body["model"]);
    return found === undefined ? refuse("unknown", "no such model") : accept(structuredClone(found));
  },
  lineage: (world, body) => {
    const found = world.models.find((each) => each.model === body["model"]);
    const version = found?.versions.find((each) => each.version === body["version"]);
    if (found === undefined || version === undefined) return refuse("unknown", "no such version");
    return accept({
      model: found.model,
      version,
      aliases: ["champion"],
      trial: trialFixture("s1", 3),
      sweep: sweepFixture("s1"),
      origin: null,
    });
  },
  removal: () => accept({ entry: "language-id", versions: [1], bytes: 1, dependents: [] }),
  resolve: (world, body) => resolve(world.registry(), querySchemas.resolve.parse(body)),
  deployments: () => accept({ deployments: [deploymentFixture()] }),
  deployment: (_, body) =>
    body["deployment"] === "answers"
      ? accept(deploymentFixture())
      : refuse("unknown", `there is no deployment ${String(body["deployment"])}`),
  budget: (world) => accept({ accounts: world.accounts }),
  /** As the mesh answers: oldest first, and of those that share a batch, and its number, too. */
  events: (world) =>
    accept({
      events: Array.from({ length: 30 }, (_, index) => 29 - index).map((age) => ({
        sequence: world.sequence - Math.floor(age / 3),
        at: world.now - Math.floor(age / 3) * 1_000,
        kind: "attempt-ended",
        text: `attempt ${30 - age} of s1-${1 + (age % 9)} ended on desk: completed`,
      })),
    }),
};

function meshOf(world: FakeWorld): Outcome<unknown> {
  const running = world.trials().filter((each) => each.state === "running");
  const runningOn = (agent: string) =>
    running
      .filter((each) => each.attempts.at(-1)?.agent === agent)
      .map((each) => ({
        fence: 100 + each.number,
        trial: each.trial,
        sweep: each.sweep,
        requester: each.requester,
        model: each.model,
        backend: "sparse",
        resource: each.resource,
        target: each.target,
        usedMs: 4_000,
        suspended: false,
      }));
  const load = 0.5 + 0.45 * Math.sin(world.sequence / 5);
  return accept(
    meshFixture(
      [
        agentFixture("attic", { running: runningOn("attic"), cpuLoad: load, lastSeenAt: world.now }),
        agentFixture("desk", {
          running: runningOn("desk"),
          slots: 4,
          cpuLoad: 1 - load,
          lastSeenAt: world.now,
        }),
        agentFixture("laptop", {
          state: "closed",
          closed: "owner's hours are 22:00-07:00",
          lastSeenAt: world.now,
        }),
      ].map((each) => ({ ...each, ...world.changes.get(each.agent) })),
      { at: world.now, sequence: world.sequence },
    ),
  );
}

function trialOf(world: FakeWorld, body: Body): TrialView | undefined {
  return world.trials().find((each) => each.trial === body["trial"]);
}

const datasetVersion = (world: FakeWorld) => ({
  dataset: "reviews",
  kind: "text",
  digest: "d".repeat(64),
  bytes: 81_920,
  rows: { train: 800, validation: 100, test: 100 },
  labels: ["bad", "good"],
  badRows: 2,
  recipe: "e".repeat(64),
  trial: null,
  check: {
    failed: 1,
    warned: 0,
    sentences: ["no-conflicts: train.txt:7 and train.txt:90 have one text and two labels"],
  },
  version: 1,
  by: "owner",
  at: world.now - 60_000,
});

const whyStart = (world: FakeWorld) => ({
  start: { at: world.now + 240_000, because: "9 trials are served before it, on 2 slots that fit" },
});
