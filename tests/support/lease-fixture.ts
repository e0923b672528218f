// A lease as an agent gets it; a test changes what it is about.
import type { Lease } from "../../protocol/order.ts";

export function leaseFixture(change: Partial<Lease> = {}): Lease {
  return {
    fence: 1,
    incarnation: "box-1",
    trial: "s1-1",
    sweep: "s1",
    requester: "ada",
    task: "work",
    model: "alpha",
    backend: "cpu",
    params: {},
    seed: 1,
    dataset: null,
    parts: [],
    program: null,
    metric: "accuracy",
    from: null,
    target: 3,
    at: 1_000_000,
    horizonMs: 10_000,
    ...change,
  };
}
