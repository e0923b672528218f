/**
 * SERVE-12. `/metrics` for Prometheus, under the names that dashboards of Triton, BentoML and MLServer know, with histograms of our own beside
 * them. Written from plain counters: nothing of it costs a request more than an addition.
 */
import { observedCount, type Histogram } from "../batch/histogram.ts";
import type { Lane } from "../batch/lane.ts";
import type { LaneCounters } from "../batch/lane-counter.ts";
import { versionLabels } from "./metric-label.ts";
import { watchLines } from "./watch-metric.ts";

interface Metric {
  readonly name: string;
  readonly about: string;
  readonly type: "counter" | "gauge";
  readonly value: (counters: LaneCounters, lane: Lane) => number;
  /** Further labels. */
  readonly labels?: string;
}

const us = (ms: number) => Math.round(ms * 1_000);

const metrics: readonly Metric[] = [
  counter("nv_inference_request_success", "Requests that were answered", ({ success }) => success),
  counter("nv_inference_request_failure", "Requests that were refused or failed", ({ failure }) => failure),
  counter("nv_inference_count", "Rows that were answered", ({ rows }) => rows),
  counter("nv_inference_exec_count", "Batches that were computed", ({ batches }) => batches),
  counter("nv_inference_request_duration_us", "Time from request to answer, summed", ({ seconds }) =>
    us(seconds.sum * 1_000),
  ),
  counter("nv_inference_queue_duration_us", "Time that requests waited for a batch, summed", ({ queueMs }) =>
    us(queueMs),
  ),
  counter("nv_inference_compute_infer_duration_us", "Time that batches took, summed", ({ computeMs }) =>
    us(computeMs),
  ),
  gauge(
    "nv_inference_pending_request_count",
    "Requests that are being answered",
    ({ inProgress }) => inProgress,
  ),
  counter("model_infer_request_success_total", "Requests that were answered", ({ success }) => success),
  counter(
    "model_infer_request_failure_total",
    "Requests that were refused or failed",
    ({ failure }) => failure,
  ),
  {
    ...counter("bentoml_service_request_total", "Requests", ({ success }) => success),
    labels: ',http_response_code="200"',
  },
  gauge(
    "bentoml_service_request_in_progress",
    "Requests that are being answered",
    ({ inProgress }) => inProgress,
  ),
  gauge("trialmesh_serving_queue_rows", "Rows that wait", (_, lane) => lane.queued),
];

const histograms: readonly (readonly [string, string, (counters: LaneCounters) => Histogram])[] = [
  ["model_infer_request_duration", "Seconds from request to answer", ({ seconds }) => seconds],
  ["bentoml_service_request_duration_seconds", "Seconds from request to answer", ({ seconds }) => seconds],
  ["trialmesh_serving_request_seconds", "Seconds from request to answer", ({ seconds }) => seconds],
  ["trialmesh_serving_batch_rows", "Rows of a batch", ({ batchRows }) => batchRows],
];

function counter(name: string, about: string, value: Metric["value"]): Metric {
  return { name, about, type: "counter", value };
}

function gauge(name: string, about: string, value: Metric["value"]): Metric {
  return { name, about, type: "gauge", value };
}

/** `lanes`: one for each version; one that left is not among them. */
export function metricText(lanes: readonly Lane[]): string {
  const lines: string[] = [];
  for (const { about, labels = "", name, type, value } of metrics) {
    lines.push(`# HELP ${name} ${about}.`, `# TYPE ${name} ${type}`);
    for (const lane of lanes)
      lines.push(`${name}{${versionLabels(lane)}${labels}} ${value(lane.counters, lane)}`);
  }
  for (const [name, about, of] of histograms) {
    lines.push(`# HELP ${name} ${about}.`, `# TYPE ${name} histogram`);
    for (const lane of lanes) lines.push(...histogramLines(name, versionLabels(lane), of(lane.counters)));
  }
  lines.push(
    "# HELP trialmesh_serving_model_info The version that answers, by its digest.",
    "# TYPE trialmesh_serving_model_info gauge",
  );
  for (const lane of lanes)
    lines.push(
      `trialmesh_serving_model_info{${versionLabels(lane)},digest="${lane.described.model.digest}"} 1`,
    );
  lines.push(...watchLines(lanes));
  return `${lines.join("\n")}\n`;
}

export function histogramLines(name: string, labels: string, histogram: Histogram): string[] {
  let below = 0;
  const buckets = histogram.bounds.map((bound, at) => {
    below += histogram.counts[at] ?? 0;
    return `${name}_bucket{${labels},le="${bound}"} ${below}`;
  });
  const count = observedCount(histogram);
  return [
    ...buckets,
    `${name}_bucket{${labels},le="+Inf"} ${count}`,
    `${name}_sum{${labels}} ${histogram.sum}`,
    `${name}_count{${labels}} ${count}`,
  ];
}
