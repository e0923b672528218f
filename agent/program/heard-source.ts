/**
 * Of a metric that a program tells of in several ways, which way counts: it would be counted twice otherwise. What is logged
 * to wandb goes before what is printed (WLOG-5), for who logs prints beside it; else the way it came first. It keeps no values.
 */

/** Where a report came from. */
export type ReportSource = "output" | "http" | "call" | "wandb";

export class HeardSources {
  readonly #ways = new Map<string, ReportSource>();

  /** `instead`: it counts in place of all that came of this metric another way. */
  admit(metric: string, source: ReportSource): "counts" | "instead" | "repeats" {
    const known = this.#ways.get(metric) ?? source;
    if (known !== source && !(known === "output" && source === "wandb")) return "repeats";
    this.#ways.set(metric, source);
    return known === source ? "counts" : "instead";
  }
}
