/**
 * Does this trial fit that agent? One pure function for placement, for refusals at launch and for
 * "why is it not running", so that the three can never disagree. An empty answer means "fits".
 */
import type { BackendName, Capability, Policy, Rate } from "./capability.ts";
import type { Requirement } from "./requirement.ts";

export interface Mismatch {
  /** Name of the failed predicate: a field of the requirement, or `policy.<field>`. */
  readonly predicate: string;
  readonly wanted: string;
  readonly has: string;
}

export interface Wish {
  readonly agent: string;
  readonly requester: string;
  /** `<task>/<model>`. */
  readonly kind: string;
  readonly requirement: Requirement;
}

export function match(wish: Wish, capability: Capability, policy: Policy): readonly Mismatch[] {
  const { requirement: need } = wish;
  const { host } = capability;
  const found: Mismatch[] = [];
  const miss = (predicate: string, wanted: string | number, has: string | number) =>
    found.push({ predicate, wanted: String(wanted), has: String(has) });

  if (bestRate(wish, capability) === null) {
    const offered = capability.rates.filter((rate) => rate.kind === wish.kind).map((rate) => rate.backend);
    if (offered.length === 0) miss("kind", wish.kind, kindsOf(capability) || "nothing that trains");
    else miss("backend", (need.backend ?? []).join(" or "), offered.join(", "));
  }
  if (need.cores !== undefined && host.cores < need.cores) miss("cores", need.cores, host.cores);
  const memGiB = Math.max(0, host.memGiB - policy.leaveFreeMemGiB);
  if (need.memGiB !== undefined && memGiB < need.memGiB) miss("memGiB", need.memGiB, round(memGiB));
  if (need.diskGiB !== undefined && (host.diskGiB ?? 0) < need.diskGiB) {
    miss("diskGiB", need.diskGiB, host.diskGiB === null ? "unknown" : round(host.diskGiB));
  }
  if (need.os !== undefined && !need.os.includes(host.os)) miss("os", need.os.join(" or "), host.os);
  if (need.arch !== undefined && !need.arch.includes(host.arch))
    miss("arch", need.arch.join(" or "), host.arch);
  for (const feature of need.cpu ?? []) {
    if (!host.cpuFeatures.includes(feature)) miss("cpu", feature, host.cpuFeatures.join(" ") || "unknown");
  }
  if (need.gpu !== undefined) missingGpu(need.gpu, capability, miss);
  for (const [label, value] of Object.entries(need.labels ?? {})) {
    const has = capability.labels[label];
    if (has !== value) miss(`labels.${label}`, value, has ?? "not set");
  }
  if (need.agents?.only !== undefined && !need.agents.only.includes(wish.agent)) {
    miss("agents.only", need.agents.only.join(" or "), wish.agent);
  }
  if (need.agents?.not?.includes(wish.agent) === true) miss("agents.not", `not ${wish.agent}`, wish.agent);
  if (policy.requesters !== null && !policy.requesters.includes(wish.requester)) {
    miss("policy.requesters", wish.requester, policy.requesters.join(", ") || "nobody");
  }
  const task = wish.kind.slice(0, wish.kind.indexOf("/"));
  if (policy.tasks !== null && !policy.tasks.includes(task)) {
    miss("policy.tasks", task, policy.tasks.join(", ") || "nothing");
  }
  if (policy.slots < 1) miss("policy.slots", 1, policy.slots);
  return found;
}

/** The fastest measured way this agent has to run the wish, or null when it has none. */
export function bestRate(wish: Pick<Wish, "kind" | "requirement">, capability: Capability): Rate | null {
  const allowed = wish.requirement.backend;
  let best: Rate | null = null;
  for (const rate of capability.rates) {
    if (rate.kind !== wish.kind) continue;
    if (allowed !== undefined && !allowed.includes(rate.backend)) continue;
    if (!worksHere(rate.backend, capability)) continue;
    if (best === null || rate.tokensPerSecond > best.tokensPerSecond) best = rate;
  }
  return best;
}

/** One sentence per mismatch, as people read it. */
export function explainMismatch(mismatch: Mismatch): string {
  return `${mismatch.predicate}: needs ${mismatch.wanted}, has ${mismatch.has}`;
}

function worksHere(name: BackendName, capability: Capability): boolean {
  return capability.backends.some((backend) => backend.name === name && backend.works);
}

function kindsOf(capability: Capability): string {
  return [...new Set(capability.rates.map((rate) => rate.kind))].join(", ");
}

function missingGpu(
  wanted: NonNullable<Requirement["gpu"]>,
  capability: Capability,
  miss: (predicate: string, wanted: string | number, has: string | number) => void,
): void {
  const { gpus } = capability.host;
  const ofVendor = gpus.filter(
    (gpu) => wanted.vendor === undefined || gpu.vendor.toLowerCase().includes(wanted.vendor.toLowerCase()),
  );
  const describe = gpus.length === 0 ? "no GPU" : gpus.map((gpu) => `${gpu.vendor} ${gpu.model}`).join(", ");
  if (ofVendor.length < wanted.count) {
    miss("gpu", `${wanted.count} ${wanted.vendor ?? ""} GPU`.replace("  ", " "), describe);
    return;
  }
  const least = wanted.vramGiB;
  if (least !== undefined && ofVendor.filter((gpu) => (gpu.vramGiB ?? 0) >= least).length < wanted.count) {
    miss("gpu.vramGiB", least, ofVendor.map((gpu) => gpu.vramGiB ?? "unknown").join(", "));
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
