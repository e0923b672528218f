/** What conditions may name in each list: its own columns, and the parameters and metrics that its rows have. */
import type { DatasetsView } from "../../protocol/dataset-view.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";
import type { AgentView, ModelsView, SweepSummary, SweepView, TrialView } from "../../protocol/view.ts";
import { figure, moment, text, whole } from "./list-column.ts";
import type { ListFields, NamedFields } from "./row-field.ts";
import { trialColumns } from "./trial-column.ts";

type ModelRow = ModelsView["models"][number];
type DatasetRow = DatasetsView["datasets"][number];

function parameters<Row>(
  valuesOf: NamedFields<Row>["valuesOf"],
  declared: Iterable<string> = [],
): NamedFields<Row> {
  return { prefix: "params", what: "a parameter", type: "text", valuesOf, declared };
}

function metrics<Row>(
  valuesOf: NamedFields<Row>["valuesOf"],
  declared: Iterable<string> = [],
): NamedFields<Row> {
  return { prefix: "metrics", what: "a metric", type: "number", valuesOf, declared };
}

/** `sweep`: whose trials they are; where there is none yet, its spaces and objectives say what they will have. */
export function trialFields(
  sweep: Pick<SweepView, "alsoObjectives" | "spaces" | "summary">,
): ListFields<TrialView> {
  const searched = Object.values(sweep.spaces).flatMap((space) => Object.keys(space));
  const judged = [sweep.summary.metric, ...sweep.alsoObjectives.map(({ metric }) => metric)];
  return {
    row: "trial",
    columns: trialColumns,
    named: [parameters(({ params }) => params, searched), metrics((trial) => trial.metrics, judged)],
  };
}

/** A sweep has one metric, its objective's, and the value of its best trial. */
export const sweepFields: ListFields<SweepSummary> = {
  row: "sweep",
  columns: [
    text("sweep", ({ sweep }) => sweep),
    text("name", ({ name }) => name),
    text("requester", ({ requester }) => requester),
    text("task", ({ task }) => task),
    text("state", ({ state }) => state),
    text("waiting", ({ waiting }) => waiting),
    text("objective", ({ metric }) => metric),
    text("goal", ({ goal }) => goal),
    figure("best", ({ best }) => best?.value ?? null),
    text("best_model", ({ best }) => best?.model ?? null),
    text("best_trial", ({ best }) => best?.trial ?? null),
    whole("trials", ({ total }) => total),
    whole("done", ({ counts }) => counts.completed + counts.stopped + counts.failed + counts.cancelled),
    whole("queued", ({ counts }) => counts.queued),
    whole("running", ({ counts }) => counts.running),
    whole("paused", ({ counts }) => counts.paused),
    whole("completed", ({ counts }) => counts.completed),
    whole("stopped", ({ counts }) => counts.stopped),
    whole("failed", ({ counts }) => counts.failed),
    whole("cancelled", ({ counts }) => counts.cancelled),
    whole("reused", ({ counts }) => counts.reused),
    figure("tokens", ({ spent }) => spent / milliTokensPerToken),
    figure("cap", ({ cap }) => (cap === null ? null : cap / milliTokensPerToken)),
    figure("weight", ({ weight }) => weight),
    whole("priority", ({ priority }) => priority),
    text("experiment", ({ experiment }) => experiment),
    text("tag", ({ tags }) => (tags === undefined || tags.length === 0 ? null : tags)),
    text("notes", ({ notes }) => notes ?? null),
    moment("started_at", ({ submittedAt }) => submittedAt),
    moment("ended_at", ({ finishedAt }) => finishedAt),
  ],
  named: [
    metrics(({ best, metric }): Record<string, number> => (best === null ? {} : { [metric]: best.value })),
  ],
};

export const agentFields: ListFields<AgentView> = {
  row: "agent",
  columns: [
    text("agent", ({ agent }) => agent),
    text("state", ({ state }) => state),
    whole("slots", ({ slots }) => slots),
    whole("running", ({ running }) => running.length),
    text("sweep", ({ running }) => running.map(({ sweep }) => sweep)),
    whole("cores", ({ host }) => host.cores),
    text("cpu", ({ host }) => host.cpuModel),
    /** A share, 0 to 1. */
    figure("load", ({ cpuLoad }) => cpuLoad),
    figure("memory_gib", ({ host }) => host.memGiB),
    figure("free_gib", ({ memFreeGiB }) => memFreeGiB),
    figure("disk_gib", ({ host }) => host.diskGiB),
    whole("gpus", ({ host }) => host.gpus.length),
    text("gpu", ({ host }) => host.gpus.map(({ model }) => model)),
    text("os", ({ host }) => host.os),
    text("arch", ({ host }) => host.arch),
    text("backend", ({ backends }) => backends.filter(({ works }) => works).map(({ name }) => name)),
    text("python", ({ python }) => python),
    text("programs", ({ policy }) => policy.programs),
    /** Of what it trains fastest. */
    figure("tokens_per_second", ({ rates }) =>
      rates.length === 0 ? null : Math.max(...rates.map(({ tokensPerSecond }) => tokensPerSecond)),
    ),
    moment("seen_at", ({ lastSeenAt }) => lastSeenAt),
  ],
  named: [
    {
      prefix: "rates",
      what: "a kind of work",
      type: "number",
      valuesOf: ({ rates }) =>
        Object.fromEntries(
          rates
            .toSorted((a, b) => a.tokensPerSecond - b.tokensPerSecond)
            .map(({ kind, tokensPerSecond }) => [kind, tokensPerSecond]),
        ),
    },
  ],
};

/** All but the number of versions is of the newest. */
export const modelFields: ListFields<ModelRow> = {
  row: "model",
  columns: [
    text("model", ({ model }) => model),
    whole("versions", ({ versions }) => versions),
    text("alias", ({ aliases }) => aliases.map(({ alias }) => alias)),
    whole("version", ({ latest }) => latest.version),
    text("trained_by", ({ latest }) => latest.model),
    text("task", ({ latest }) => latest.task),
    text("sweep", ({ latest }) => latest.sweep),
    text("trial", ({ latest }) => latest.trial),
    whole("epoch", ({ latest }) => latest.epoch ?? null),
    text("objective", ({ latest }) => latest.objective?.metric ?? null),
    figure("value", ({ latest }) => latest.value ?? null),
    text("dataset", ({ latest }) => latest.dataset?.name ?? null),
    text("agent", ({ latest }) => latest.agent),
    text("backend", ({ latest }) => latest.backend),
    text("requester", ({ latest }) => latest.requester),
    whole("bytes", ({ latest }) => latest.bytes),
    figure("tokens", ({ latest }) => latest.spent / milliTokensPerToken),
    moment("at", ({ latest }) => latest.at),
  ],
  named: [parameters(({ latest }) => latest.params), metrics(({ latest }) => latest.metrics)],
};

/** All but the number of versions is of the newest. */
export const datasetFields: ListFields<DatasetRow> = {
  row: "dataset",
  columns: [
    text("dataset", ({ dataset }) => dataset),
    whole("versions", ({ versions }) => versions),
    text("kind", ({ latest }) => latest.kind),
    whole("train", ({ latest }) => latest.rows.train),
    whole("validation", ({ latest }) => latest.rows.validation),
    whole("test", ({ latest }) => latest.rows.test),
    whole("bytes", ({ latest }) => latest.bytes),
    text("digest", ({ latest }) => latest.digest),
    whole("failed", ({ latest }) => latest.check.failed),
    whole("warned", ({ latest }) => latest.check.warned),
    text("by", ({ latest }) => latest.by),
    moment("at", ({ latest }) => latest.at),
  ],
  named: [],
};
