/**
 * How long a trial trains and who judges it on the way. Resources are epochs or whatever the task counts.
 * What each policy does with it is in `search/stopping`.
 */
import * as z from "zod";

const resource = z.int().min(1);

const common = {
  /** Full length: no trial trains beyond it. */
  max: resource,
  /**
   * The sweep ends as soon as a judged value of its first objective is this good. Left out: it runs to its end.
   */
  target: z.number().optional(),
};

const halving = {
  /** Resource at the first rung. */
  min: resource.default(1),
  /** One in `eta` trials is promoted from a rung to the next. */
  eta: z.int().min(2, "eta must be 2 or more: one in eta trials goes on").default(3),
};

/** Each is a segment of its own, and stands in every trial that reached it. */
const rungsMax = 1_000;

const interval = {
  /** Trials are judged at every so many epochs; each is a segment of its own. Left out: a tenth of `max`, rounded up. */
  interval: resource.optional(),
  /** Nobody is judged before this. Left out: the interval. */
  grace: resource.optional(),
};

/** Other trials that must have reached an epoch before one is stopped there. */
const minTrials = z.int().min(1).default(5);

export const stoppingSchema = z
  .discriminatedUnion("policy", [
    z.strictObject({ policy: z.literal("none"), ...common }),
    z.strictObject({ policy: z.literal("asha"), ...common, ...halving }),
    z.strictObject({ policy: z.literal("hyperband"), ...common, ...halving }),
    /** Hyperband's brackets under a sampler that learns from the values at each rung. */
    z.strictObject({ policy: z.literal("bohb"), ...common, ...halving }),
    z.strictObject({ policy: z.literal("median"), ...common, ...interval, minTrials }),
    z.strictObject({
      policy: z.literal("percentile"),
      ...common,
      ...interval,
      minTrials,
      /** The share of trials that goes on, in percent: 25 keeps the best quarter. */
      percentile: z
        .number()
        .gt(0, "percentile must lie between 0 and 100, both excluded")
        .lt(100, "percentile must lie between 0 and 100, both excluded"),
    }),
    z.strictObject({
      policy: z.literal("patience"),
      ...common,
      ...interval,
      /** A trial ends after so many judged epochs in a row without a better value. */
      patience: z.int().min(1).default(3),
      /** A value counts as better only if it is better by more than this, in the objective's own unit. */
      minDelta: z.number().nonnegative().default(0),
    }),
  ])
  .superRefine((stopping, context) => {
    const { max } = stopping;
    const atMostMax = (field: string, value: number | undefined) => {
      if (value === undefined || value <= max) return;
      context.addIssue({ code: "custom", path: [field], message: `${field} ${value} is above max ${max}` });
    };
    if ("min" in stopping) atMostMax("min", stopping.min);
    if ("interval" in stopping) atMostMax("interval", stopping.interval);
    if ("grace" in stopping) atMostMax("grace", stopping.grace);
    if (!("interval" in stopping || "grace" in stopping)) return;
    const judged = Math.ceil(max / intervalOf(stopping));
    if (judged <= rungsMax) return;
    const message = `judges a trial ${judged} times up to max ${max}, and ${rungsMax} times is the most; make interval ${Math.ceil(max / rungsMax)} or more`;
    context.addIssue({ code: "custom", path: ["interval"], message });
  });
export type Stopping = z.infer<typeof stoppingSchema>;

/** Judged epochs in a trial's life where the interval is left out: each costs a round trip and a warm start. */
const judgedByDefault = 10;

export function intervalOf(stopping: {
  readonly max: number;
  readonly interval?: number | undefined;
}): number {
  return stopping.interval ?? Math.ceil(stopping.max / judgedByDefault);
}

/** In one line, for people: `asha: 1 to 9 epochs, one in 3 goes on`. */
export function stoppingText(stopping: Stopping): string {
  const { max, target } = stopping;
  const until = target === undefined ? "" : `; the sweep ends at ${target}`;
  switch (stopping.policy) {
    case "none":
      return `none: ${max} ${max === 1 ? "epoch" : "epochs"} each${until}`;
    case "asha":
      return `asha: ${stopping.min} to ${max} epochs, one in ${stopping.eta} goes on${until}`;
    case "hyperband":
    case "bohb":
      return `${stopping.policy}: brackets of ${stopping.min} to ${max} epochs, one in ${stopping.eta} goes on${until}`;
    case "median":
      return `median: at most ${max} epochs, judged ${every(stopping)}${until}`;
    case "percentile":
      return `percentile: at most ${max} epochs, the best ${stopping.percentile} % go on, judged ${every(stopping)}${until}`;
    case "patience":
      return `patience: at most ${max} epochs, ${stopping.patience} times without a better value, judged ${every(stopping)}${until}`;
  }
}

function every(stopping: { readonly max: number; readonly interval?: number | undefined }): string {
  const epochs = intervalOf(stopping);
  return epochs === 1 ? "every epoch" : `every ${epochs} epochs`;
}
