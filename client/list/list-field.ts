/** What conditions may name in each list: its own columns, and the parameters and metrics that its rows have. */
import type { DatasetsView, DatasetVersionView } from "../../protocol/dataset-view.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";
import type {
  AgentView,
  ModelsView,
  ModelView,
  SweepSummary,
  SweepView,
  TrialView,
  VersionView,
} from "../../protocol/view.ts";
import { figure, moment, text, whole, type ListColumn } from "./list-column.ts";
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
    text("sandbox", ({ sandbox }) => sandbox?.rung ?? null),
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

/** Columns of whatever people can write about and remove. */
function written<Row>(
  of: (row: Row) => {
    readonly tags?: readonly string[];
    readonly notes?: string;
    readonly removed?: { readonly by: string };
  },
) {
  return [
    text<Row>("tag", (row) => {
      const { tags = [] } = of(row);
      return tags.length === 0 ? null : tags;
    }),
    text<Row>("notes", (row) => of(row).notes ?? null),
    text<Row>("removed", (row) => of(row).removed?.by ?? null),
  ];
}

function versionColumns<Row>(of: (row: Row) => VersionView): readonly ListColumn<Row>[] {
  return [
    whole("version", (row) => of(row).version),
    text("trained_by", (row) => of(row).model),
    text("task", (row) => of(row).task),
    text("sweep", (row) => of(row).sweep),
    text("trial", (row) => of(row).trial),
    whole("epoch", (row) => of(row).epoch ?? null),
    text("objective", (row) => of(row).objective?.metric ?? null),
    figure("value", (row) => of(row).value ?? null),
    text("dataset", (row) => of(row).dataset?.name ?? null),
    text("agent", (row) => of(row).agent),
    text("backend", (row) => of(row).backend),
    text("requester", (row) => of(row).requester),
    whole("bytes", (row) => of(row).bytes),
    figure("row_us", (row) => of(row).measured?.rowUs ?? null),
    figure("batch_row_us", (row) => of(row).measured?.batchRowUs ?? null),
    whole("memory_bytes", (row) => of(row).measured?.memoryBytes ?? null),
    figure("tokens", (row) => of(row).spent / milliTokensPerToken),
    moment("at", (row) => of(row).at),
  ];
}

/** All but the number of versions, aliases, tags and the note is of the newest. */
export const modelFields: ListFields<ModelRow> = {
  row: "model",
  columns: [
    text("model", ({ model }) => model),
    whole("versions", ({ versions }) => versions),
    text("alias", ({ aliases }) => aliases.map(({ alias }) => alias)),
    ...versionColumns<ModelRow>(({ latest }) => latest),
    ...written<ModelRow>(({ latest: { removed }, ...row }) => ({
      ...row,
      ...(removed === undefined ? null : { removed }),
    })),
  ],
  named: [parameters(({ latest }) => latest.params), metrics(({ latest }) => latest.metrics)],
};

/** `aliases`: of the model whose versions they are. */
export function versionFields(aliases: ModelView["aliases"]): ListFields<VersionView> {
  return {
    row: "version",
    columns: [
      text("alias", ({ version }) =>
        aliases.filter((each) => each.version === version).map(({ alias }) => alias),
      ),
      ...versionColumns<VersionView>((version) => version),
      ...written<VersionView>((version) => version),
    ],
    named: [parameters(({ params }) => params), metrics((version) => version.metrics)],
  };
}

function datasetColumns<Row>(of: (row: Row) => DatasetVersionView): readonly ListColumn<Row>[] {
  return [
    text("kind", (row) => of(row).kind),
    whole("train", (row) => of(row).rows.train),
    whole("validation", (row) => of(row).rows.validation),
    whole("test", (row) => of(row).rows.test),
    whole("rejected", (row) => of(row).badRows),
    whole("bytes", (row) => of(row).bytes),
    text("digest", (row) => of(row).digest),
    whole("failed", (row) => of(row).check.failed),
    whole("warned", (row) => of(row).check.warned),
    text("by", (row) => of(row).by),
    moment("at", (row) => of(row).at),
  ];
}

/** All but the number of versions, tags and the note is of the newest. */
export const datasetFields: ListFields<DatasetRow> = {
  row: "dataset",
  columns: [
    text("dataset", ({ dataset }) => dataset),
    whole("versions", ({ versions }) => versions),
    ...datasetColumns<DatasetRow>(({ latest }) => latest),
    ...written<DatasetRow>(({ latest: { removed }, ...row }) => ({
      ...row,
      ...(removed === undefined ? null : { removed }),
    })),
  ],
  named: [],
};

export const datasetVersionFields: ListFields<DatasetVersionView> = {
  row: "version",
  columns: [
    whole("version", ({ version }) => version),
    ...datasetColumns<DatasetVersionView>((version) => version),
    ...written<DatasetVersionView>((version) => version),
  ],
  named: [],
};
