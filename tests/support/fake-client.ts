/**
 * A mesh client without a mesh, for the terminal interface: its answers come from a small world that `advance`
 * moves on, and its connection can be cut and restored. Not a coordinator: it decides nothing right or wrong.
 */
import type { BusStatus } from "../../protocol/bus/bus.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { commandSchemas, querySchemas, type CommandName, type QueryName } from "../../protocol/command.ts";
import { resolve, resolvePromote, resolveRollback } from "../../coordinator/registry/resolve-version.ts";
import { emptyState, type State } from "../../coordinator/state/state.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { AgentView, SweepSummary, TrialView } from "../../protocol/view.ts";
import type { LaunchDraft, Launcher } from "../../client/sweep/launcher.ts";
import { insightFixture } from "./insight-fixture.ts";
import {
  agentFixture,
  fixtureNow,
  meshFixture,
  modelFixture,
  sweepFixture,
  trialFixture,
} from "./view-fixture.ts";
import { accountFixture, estimateFixture, sweepWhyFixture, whyFixture } from "./why-fixture.ts";

export interface FakeMesh {
  readonly client: MeshClient;
  readonly launcher: Launcher;
  /** Every command and launch sent, in order. */
  readonly sent: readonly { readonly name: string; readonly body: unknown }[];
  /** Names of the queries asked so far. */
  readonly asked: readonly string[];
  /** Largest number of requests for the same thing that were under way at once. */
  readonly overlapMax: () => number;
  /** Lets the running sweeps finish one more trial each, and time go on by a second. */
  readonly advance: () => void;
  /** What an agent says of itself from now on, beside what it runs. */
  changeAgent(agent: string, rest: Partial<AgentView>): void;
  setStatus(status: BusStatus): void;
  /** While true no query is answered. */
  setSilent(silent: boolean): void;
}

interface FakeSweep {
  summary: SweepSummary;
  trials: TrialView[];
}

const trialEpochs = 9;

export function openFakeMesh(): FakeMesh {
  const sent: { name: string; body: unknown }[] = [];
  const asked: string[] = [];
  const listeners = new Set<(status: never) => void>();
  let status: BusStatus = "connected";
  let silent = false;
  let waiting: (() => void)[] = [];
  let now = fixtureNow;
  let sequence = 100;
  const sweeps: FakeSweep[] = [];
  const models = [modelFixture("language-id"), modelFixture("question-type")];
  const accounts = [
    accountFixture("ada", {
      refill: { amount: 50_000, everyMs: 86_400_000, upTo: 600_000, nextAt: fixtureNow + 3_600_000 },
      sweepCap: 200_000,
    }),
    accountFixture("bo", { weight: 3, startTag: 9.5, queued: 2, lines: [] }),
  ];
  const changes = new Map<string, Partial<AgentView>>();
  const underWay = new Map<string, number>();
  let overlap = 0;

  function startSweep(name: string, total: number): string {
    const sweep = `s${sweeps.length + 1}`;
    sweeps.push({
      summary: sweepFixture(sweep, {
        name,
        total,
        counts: {
          proposed: 0,
          queued: total,
          running: 0,
          paused: 0,
          completed: 0,
          stopped: 0,
          failed: 0,
          cancelled: 0,
          reused: 0,
        },
        best: null,
        spent: 0,
        savedByReuse: 0,
        savedByStopping: 0,
        submittedAt: now,
      }),
      trials: Array.from({ length: total }, (_, index) =>
        trialFixture(sweep, index + 1, {
          state: "queued",
          model: index % 3 === 0 ? "linear" : index % 3 === 1 ? "fasttext" : "textcnn",
          params: { learningRate: 0.05 * (index + 1), wordNgrams: 1 + (index % 3) },
          resource: 0,
          target: trialEpochs,
          value: null,
          metrics: {},
          attempts: [],
          spent: 0,
        }),
      ),
    });
    return sweep;
  }

  /** A metric that grows with the epoch and differs by trial, the same each time. */
  function valueOf(trial: TrialView, epoch: number): number {
    return 0.55 + 0.35 * (1 - Math.exp(-epoch / 3)) + 0.05 * Math.sin(trial.number * 2.3);
  }

  function advanceSweep(of: FakeSweep): void {
    const { summary } = of;
    if (summary.finishedAt !== null) return;
    of.trials = of.trials.map((trial): TrialView => {
      if (trial.state === "running") {
        const resource = Math.min(trial.target, trial.resource + 3);
        const value = valueOf(trial, resource);
        const state = resource >= trial.target ? "completed" : trial.number % 4 === 0 ? "stopped" : "running";
        return {
          ...trial,
          state,
          resource,
          value,
          metrics: { macroF1: value, loss: 1 - value },
          spent: resource * 500,
        };
      }
      return trial;
    });
    let free = 3 - of.trials.filter((each) => each.state === "running").length;
    of.trials = of.trials.map((trial): TrialView => {
      if (trial.state !== "queued" || free <= 0) return trial;
      free -= 1;
      const attempt = trialFixture(trial.sweep, trial.number).attempts.map((each) => ({
        ...each,
        agent: trial.number % 2 === 0 ? "desk" : "attic",
        state: "running" as const,
        ending: null,
        startedAt: now,
        endedAt: null,
        posted: 0,
      }));
      return { ...trial, state: "running", attempts: attempt };
    });
    const count = (state: TrialView["state"]) => of.trials.filter((each) => each.state === state).length;
    const best = of.trials
      .filter((each) => each.value !== null)
      .toSorted((a, b) => (b.value ?? 0) - (a.value ?? 0))[0];
    const ended = count("completed") + count("stopped") === of.trials.length;
    of.summary = {
      ...summary,
      state: ended ? "done" : "running",
      counts: {
        ...summary.counts,
        proposed: of.trials.length - count("queued"),
        queued: count("queued"),
        running: count("running"),
        completed: count("completed"),
        stopped: count("stopped"),
      },
      best:
        best === undefined
          ? null
          : { trial: best.trial, model: best.model, value: best.value ?? 0, resource: best.resource },
      spent: of.trials.reduce((sum, each) => sum + each.spent, 0),
      savedByStopping: count("stopped") * 2_500,
      finishedAt: ended ? now : null,
    };
  }

  function bestSoFar(of: FakeSweep) {
    const points: { trials: number; spent: number; at: number; value: number }[] = [];
    let best = -Infinity;
    let done = 0;
    for (const each of of.trials) {
      if (each.state !== "completed" && each.state !== "stopped") continue;
      done += 1;
      if (each.value === null || each.value <= best) continue;
      best = each.value;
      points.push({ trials: done, spent: done * 4_000, at: now, value: best });
    }
    return points;
  }

  const datasetVersion = () => ({
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
    at: now - 60_000,
  });

  const whyStart = () => ({
    start: { at: now + 240_000, because: "9 trials are served before it, on 2 slots that fit" },
  });

  /** The models alone, for the coordinator's own answer to which version is meant. */
  function registry(): State {
    const state = emptyState();
    for (const { aliases, ledger, model, versions } of models) {
      const pointed = Object.fromEntries(aliases.map(({ alias, version }) => [alias, version]));
      state.models.set(model, { model, versions, aliases: pointed, ledger });
    }
    return state;
  }

  function answer(name: QueryName, body: Record<string, unknown>): Outcome<unknown> {
    const sweepOf = (id: unknown) => sweeps.find((each) => each.summary.sweep === id);
    const trialOf = (id: unknown) => sweeps.flatMap((each) => each.trials).find((each) => each.trial === id);
    const running = sweeps.flatMap((each) => each.trials).filter((each) => each.state === "running");
    switch (name) {
      case "mesh": {
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
        const load = 0.5 + 0.45 * Math.sin(sequence / 5);
        return accept(
          meshFixture(
            [
              agentFixture("attic", { running: runningOn("attic"), cpuLoad: load, lastSeenAt: now }),
              agentFixture("desk", {
                running: runningOn("desk"),
                slots: 4,
                cpuLoad: 1 - load,
                lastSeenAt: now,
              }),
              agentFixture("laptop", {
                state: "closed",
                closed: "owner's hours are 22:00-07:00",
                lastSeenAt: now,
              }),
            ].map((each) => ({ ...each, ...changes.get(each.agent) })),
            { at: now, sequence },
          ),
        );
      }
      case "sweeps":
        return accept({ sweeps: sweeps.map((each) => each.summary) });
      case "sweep": {
        const found = sweepOf(body["sweep"]);
        if (found === undefined) return refuse("unknown", `there is no sweep ${String(body["sweep"])}`);
        return accept({
          summary: found.summary,
          search: { method: "random", trials: found.summary.total, seed: 1 },
          stopping: { policy: "asha", min: 1, max: trialEpochs, eta: 3 },
          dataset: null,
          models: ["linear", "fasttext", "textcnn"],
          trials: found.trials.toSorted((a, b) => (b.value ?? -1) - (a.value ?? -1)),
          bestSoFar: bestSoFar(found),
        });
      }
      case "trial":
        return trialOf(body["trial"]) === undefined
          ? refuse("unknown", "no such trial")
          : accept(trialOf(body["trial"]));
      case "curve": {
        const trial = trialOf(body["trial"]);
        if (trial === undefined) return refuse("unknown", "no such trial");
        return accept({
          points: Array.from({ length: trial.resource }, (_, index) => ({
            fence: 1,
            resource: index + 1,
            metrics: { macroF1: valueOf(trial, index + 1) },
          })),
        });
      }
      case "logs":
        return accept({
          lines: [{ fence: 1, stream: "out", line: "epoch 1: \u001b[31mloss\u001b[0m 0.71" }],
        });
      case "why":
        return accept(whyFixture(String(body["trial"]), whyStart()));
      case "sweep-why":
        return sweepOf(body["sweep"]) === undefined
          ? refuse("unknown", `there is no sweep ${String(body["sweep"])}`)
          : accept(sweepWhyFixture(String(body["sweep"]), whyStart()));
      case "insight": {
        const found = sweepOf(body["sweep"]);
        return found === undefined
          ? refuse("unknown", `there is no sweep ${String(body["sweep"])}`)
          : accept(insightFixture(found.summary.sweep, { name: found.summary.name }));
      }
      case "estimate":
        return accept(estimateFixture());
      case "datasets":
        return accept({ datasets: [{ dataset: "reviews", versions: 1, latest: datasetVersion() }] });
      case "dataset":
        return body["dataset"] === "reviews"
          ? accept({
              dataset: "reviews",
              versions: [datasetVersion()],
              uses: [{ version: 1, sweep: "s1", models: ["language-id@1"] }],
            })
          : refuse("unknown", `there is no dataset ${String(body["dataset"])}`);
      case "models":
        return accept({
          models: models.map((each) => ({
            model: each.model,
            versions: each.versions.length,
            latest: each.versions.at(-1),
            aliases: each.aliases,
          })),
        });
      case "model": {
        const found = models.find((each) => each.model === body["model"]);
        return found === undefined ? refuse("unknown", "no such model") : accept(structuredClone(found));
      }
      case "lineage": {
        const found = models.find((each) => each.model === body["model"]);
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
      }
      case "resolve":
        return resolve(registry(), querySchemas.resolve.parse(body));
      case "budget":
        return accept({ accounts });
      case "events":
        return accept({
          events: Array.from({ length: 30 }, (_, index) => ({
            sequence: sequence - index,
            at: now - index * 1_000,
            kind: "attempt-ended",
            text: `attempt ${sequence - index} of s1-${1 + (index % 9)} ended on desk: completed`,
          })),
        });
    }
  }

  function change(name: CommandName, body: Record<string, unknown>): Outcome<unknown> {
    const model = models.find((each) => each.model === body["model"]);
    const alias = String(body["alias"]);
    if ((name === "model-promote" || name === "model-rollback") && model !== undefined) {
      const found =
        name === "model-promote"
          ? resolvePromote(registry(), commandSchemas[name].parse(body))
          : resolveRollback(registry(), commandSchemas[name].parse(body));
      if (!found.ok) return found;
      const { from, version: to } = found.value;
      model.aliases = [...model.aliases.filter((each) => each.alias !== alias), { alias, version: to }];
      const kind = name === "model-promote" ? "promote" : "rollback";
      model.ledger.push({ alias, from, to, who: "ada", why: "", kind, at: now });
      return accept({ model: model.model, alias, version: to, from });
    }
    const sweep = sweeps.find((each) => each.summary.sweep === body["sweep"]);
    if (name === "sweep-stop" && sweep !== undefined) {
      sweep.summary = { ...sweep.summary, state: "stopped", finishedAt: now };
      return accept({ sweep: sweep.summary.sweep });
    }
    if (name === "sweep-tune" && sweep !== undefined) {
      return accept({ sweep: sweep.summary.sweep, weight: 1, priority: 0, ...body });
    }
    const account = accounts.find((each) => each.requester === body["requester"]);
    if (name === "budget-grant" && account !== undefined) {
      account.granted += Number(body["amount"]);
      account.available += Number(body["amount"]);
      return accept({ requester: account.requester, granted: account.granted });
    }
    if (name === "agent-cordon" || name === "agent-drain")
      return accept({ agent: String(body["agent"]), running: [] });
    return refuse("unknown", `${name} names something that does not exist`);
  }

  async function answering(): Promise<void> {
    while (silent || status !== "connected") await new Promise<void>((resolve) => waiting.push(resolve));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  function wake(): void {
    const all = waiting;
    waiting = [];
    for (const each of all) each();
  }

  const client: MeshClient = {
    mesh: "home",
    who: "ada",
    role: "owner",
    async query(name, body) {
      const key = `${name} ${JSON.stringify(body)}`;
      asked.push(name);
      underWay.set(key, (underWay.get(key) ?? 0) + 1);
      overlap = Math.max(overlap, underWay.get(key) ?? 0);
      await answering();
      underWay.set(key, (underWay.get(key) ?? 1) - 1);
      return answer(name, body) as never;
    },
    async command(name, body) {
      sent.push({ name, body });
      await answering();
      return change(name, body) as never;
    },
    status: () => status,
    onStatus(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {},
  };

  const launcher: Launcher = {
    async templates() {
      return [
        {
          file: "examples/language-id.yaml",
          name: "language-id",
          task: "text-classification",
          dataset: "cldr-phrases",
          models: ["linear", "fasttext", "textcnn"],
          trials: 24,
          metric: "macroF1",
          stopping: "asha 1..9 eta 3",
        },
        {
          file: "examples/trec.yaml",
          name: "trec",
          task: "text-classification",
          dataset: "trec",
          models: ["fasttext"],
          trials: 12,
          metric: "accuracy",
          stopping: "none, 10 epochs",
        },
      ];
    },
    async validate(draft: LaunchDraft) {
      const trials = Number(draft.trials);
      const good = /^[1-9]\d*$/.test(draft.trials);
      return {
        problems: good
          ? []
          : [
              {
                field: "trials",
                message: `trials is "${draft.trials}": a whole number of at least 1 is right`,
              },
            ],
        trials: good ? trials : null,
        agentsThatFit: good ? 2 : null,
      };
    },
    async estimate() {
      return accept(estimateFixture());
    },
    async submit(draft: LaunchDraft) {
      sent.push({ name: "launch", body: draft });
      return accept({ sweep: startSweep(draft.file.replace(/^.*\/|\.yaml$/g, ""), Number(draft.trials)) });
    },
  };

  return {
    client,
    launcher,
    sent,
    asked,
    overlapMax: () => overlap,
    advance() {
      now += 1_000;
      sequence += 1;
      sweeps.forEach(advanceSweep);
    },
    changeAgent(agent, rest) {
      changes.set(agent, { ...changes.get(agent), ...rest });
    },
    setStatus(next) {
      status = next;
      // Whoever listens asks `status()`; what a listener is handed is not part of this fake.
      for (const listener of listeners) listener(next as never);
      if (next === "connected") wake();
    },
    setSilent(next) {
      silent = next;
      if (!next) wake();
    },
  };
}
