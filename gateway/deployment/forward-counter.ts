/** GATEWAY-6: what a gateway counts of its own, for Prometheus. Not what its replicas count: `summed-metric.ts`. */
import { newHistogram, observe, type Histogram } from "../../serving/batch/histogram.ts";
import { secondBounds } from "../../serving/batch/lane-counter.ts";
import { histogramLines } from "../../serving/server/metric-text.ts";

interface DeploymentCount {
  /** By status. */
  readonly requests: Map<number, number>;
  retries: number;
  readonly seconds: Histogram;
}

export class ForwardCounter {
  readonly #of = new Map<string, DeploymentCount>();

  answered(deployment: string, status: number, seconds: number): void {
    const count = this.#countOf(deployment);
    count.requests.set(status, (count.requests.get(status) ?? 0) + 1);
    observe(count.seconds, seconds);
  }

  retried(deployment: string): void {
    this.#countOf(deployment).retries++;
  }

  /** Those of deployments that are no more go. */
  keep(deployments: ReadonlySet<string>): void {
    for (const deployment of this.#of.keys()) if (!deployments.has(deployment)) this.#of.delete(deployment);
  }

  text(): string {
    const all = [...this.#of];
    const lines = [
      "# HELP trialmesh_gateway_requests_total Requests that were answered, by status.",
      "# TYPE trialmesh_gateway_requests_total counter",
      ...all.flatMap(([deployment, { requests }]) =>
        [...requests].map(
          ([status, count]) =>
            `trialmesh_gateway_requests_total{deployment="${deployment}",code="${status}"} ${count}`,
        ),
      ),
      "# HELP trialmesh_gateway_retries_total Times that a request went to another replica.",
      "# TYPE trialmesh_gateway_retries_total counter",
      ...all.map(
        ([deployment, { retries }]) =>
          `trialmesh_gateway_retries_total{deployment="${deployment}"} ${retries}`,
      ),
      "# HELP trialmesh_gateway_request_seconds Seconds from request to answer.",
      "# TYPE trialmesh_gateway_request_seconds histogram",
      ...all.flatMap(([deployment, { seconds }]) =>
        histogramLines("trialmesh_gateway_request_seconds", `deployment="${deployment}"`, seconds),
      ),
    ];
    return `${lines.join("\n")}\n`;
  }

  #countOf(deployment: string): DeploymentCount {
    const known = this.#of.get(deployment);
    if (known !== undefined) return known;
    const count = { requests: new Map<number, number>(), retries: 0, seconds: newHistogram(secondBounds) };
    this.#of.set(deployment, count);
    return count;
  }
}
