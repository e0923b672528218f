/**
 * Does this trial fit that agent? One pure function for placement, for refusals at launch and for
 * "why is it not running", so that the three can never disagree. An empty answer means "fits".
 */
import type { BackendName, Capability, Policy } from "./capability.ts";
import { allowsProgram, isProgramTask, programsText } from "./program.ts";
import { isConfined } from "./sandbox-rung.ts";
import { hasInstead, readPythonRequirement, type PythonRequirement } from "./python-requirement.ts";
import type { Requirement } from "./requirement.ts";

export interface Mismatch {
  /** Name of the failed predicate: a field of the requirement, or `policy.<field>`. */
  readonly predicate: string;
  readonly wanted: string;
  readonly has: string;
}

export interface PlacementRequest {
  readonly agent: string;
  readonly requester: string;
  /** `<task>/<model>`. */
  readonly kind: string;
  readonly requirement: Requirement;
}

export function match(
  request: PlacementRequest,
  capability: Capability,
  policy: Policy,
): readonly Mismatch[] {
  return [...matchMachine(request, capability, policy), ...matchItself(request, capability, policy)];
}

/** What machines of one kind answer alike: everything but their names, memory and disk. */
export function matchMachine(
  request: PlacementRequest,
  capability: Capability,
  policy: Policy,
): readonly Mismatch[] {
  const { requirement: need } = request;
  const { host } = capability;
  const found: Mismatch[] = [];
  const miss: Miss = (predicate, wanted, has) =>
    found.push({ predicate, wanted: String(wanted), has: String(has) });

  if (backendsFor(request, capability).length === 0) missingBackend(request, capability, miss);
  const cores = Math.max(0, host.cores - policy.leaveFreeCores);
  if (need.cores !== undefined && cores < need.cores) {
    miss("cores", need.cores, policy.leaveFreeCores > 0 ? `${cores} beside the owner's` : cores);
  }
  if (need.os !== undefined && !need.os.includes(host.os)) miss("os", need.os.join(" or "), host.os);
  if (need.arch !== undefined && !need.arch.includes(host.arch))
    miss("arch", need.arch.join(" or "), host.arch);
  for (const feature of need.cpu ?? []) {
    if (!hasFeature(host, feature)) miss("cpu", feature, host.cpuFeatures.join(" ") || "unknown");
  }
  if (need.gpu !== undefined) missingGpu(need.gpu, capability, miss);
  if (need.python !== undefined && !isAtLeast(capability.python, need.python))
    miss("python", `Python ${need.python}`, capability.python ?? "none");
  for (const wanted of need.packages ?? []) missingPackage(wanted, capability, miss);
  if (need.sandbox !== undefined && !isConfined(capability.sandbox, need.sandbox))
    miss("sandbox", need.sandbox, capability.sandbox?.rung ?? "none");
  for (const [label, value] of Object.entries(need.labels ?? {})) {
    const has = capability.labels[label];
    if (has !== value) miss(`labels.${label}`, value, has ?? "not set");
  }
  if (policy.requesters !== null && !policy.requesters.includes(request.requester)) {
    miss("policy.requesters", request.requester, policy.requesters.join(", ") || "nobody");
  }
  const task = request.kind.slice(0, request.kind.indexOf("/"));
  if (policy.tasks !== null && !policy.tasks.includes(task)) {
    miss("policy.tasks", task, policy.tasks.join(", ") || "nothing");
  }
  if (isProgramTask(task) && !allowsProgram(policy.programs, request.requester)) {
    miss(programsPredicate, `programs of ${request.requester}`, programsText(policy.programs));
  }
  if (policy.slots < 1) miss("policy.slots", 1, policy.slots);
  return found;
}

/** What each machine answers for itself. */
export function matchItself(
  request: PlacementRequest,
  { host }: Capability,
  policy: Policy,
): readonly Mismatch[] {
  const { requirement: need } = request;
  if (!asksEachMachine(need)) return [];
  const found: Mismatch[] = [];
  const miss: Miss = (predicate, wanted, has) =>
    found.push({ predicate, wanted: String(wanted), has: String(has) });
  const memGiB = Math.max(0, host.memGiB - policy.leaveFreeMemGiB);
  if (need.memGiB !== undefined && memGiB < need.memGiB) miss("memGiB", need.memGiB, round(memGiB));
  if (need.diskGiB !== undefined && (host.diskGiB ?? 0) < need.diskGiB) {
    miss("diskGiB", need.diskGiB, host.diskGiB === null ? "unknown" : round(host.diskGiB));
  }
  if (need.agents?.only !== undefined && !need.agents.only.includes(request.agent)) {
    miss("agents.only", need.agents.only.join(" or "), request.agent);
  }
  if (need.agents?.not?.includes(request.agent) === true)
    miss("agents.not", `not ${request.agent}`, request.agent);
  return found;
}

/** False where `matchItself` has nothing to ask. */
export function asksEachMachine({ agents, diskGiB, memGiB }: Requirement): boolean {
  return agents !== undefined || diskGiB !== undefined || memGiB !== undefined;
}

/** Placement asks the same few again and again. */
const requirementsRemembered = new Map<string, PythonRequirement>();
const requirementsRememberedMax = 1_000;

function missingPackage(text: string, capability: Capability, miss: Miss): void {
  let wanted = requirementsRemembered.get(text);
  if (wanted === undefined) {
    const read = readPythonRequirement(text);
    // A sweep of another version of trialmesh may ask for what this one cannot read.
    if (!read.ok) return miss(packagesPredicate, text, "unknown");
    wanted = read.value;
    if (requirementsRemembered.size >= requirementsRememberedMax) requirementsRemembered.clear();
    requirementsRemembered.set(text, wanted);
  }
  const has = hasInstead(wanted, capability);
  if (has !== null) miss(packagesPredicate, wanted.text, has);
}

/** What people call a feature, and what systems call it. */
const featureNames: Readonly<Record<string, readonly string[]>> = {
  avx512: ["avx512f"],
  amx: ["amx_tile"],
  neon: ["asimd"],
};

/** Every 64-bit ARM processor has NEON, also where its system lists no features. */
function hasFeature({ arch, cpuFeatures }: Capability["host"], feature: string): boolean {
  if (feature === "neon" && arch === "arm64") return true;
  return [feature, ...(featureNames[feature] ?? [])].some((name) => cpuFeatures.includes(name));
}

type Miss = (predicate: string, wanted: string | number, has: string | number) => void;

/** Backends that work there, are allowed, have the number formats, and were measured on this kind of task. */
export function backendsFor(
  { kind, requirement }: Pick<PlacementRequest, "kind" | "requirement">,
  capability: Capability,
): readonly BackendName[] {
  const usable = capability.rates.filter(
    ({ backend, kind: measured }) =>
      measured === kind &&
      (requirement.backend === undefined || requirement.backend.includes(backend)) &&
      worksHere(backend, capability) &&
      lacksDtype(backend, requirement, capability) === null,
  );
  return [...new Set(usable.map(({ backend }) => backend))];
}

const programsPredicate = "policy.programs";
/** NEED-4: what is installed in the Python there; one mismatch for each requirement. */
export const packagesPredicate = "python";
/** What no description of a machine says, and an attempt there has shown. */
export const lacksPredicate = "lacks";

/** One sentence per mismatch, as people read it. */
export function explainMismatch(mismatch: Mismatch): string {
  if (mismatch.predicate === programsPredicate) return `leave to run programs: ${mismatch.has}`;
  if (mismatch.predicate === lacksPredicate) return `it lacks ${mismatch.wanted}`;
  return `${mismatch.predicate}: needs ${mismatch.wanted}, has ${mismatch.has}`;
}

function missingBackend({ kind, requirement }: PlacementRequest, capability: Capability, miss: Miss): void {
  const measured = capability.rates.filter((rate) => rate.kind === kind).map((rate) => rate.backend);
  if (measured.length === 0) return miss("kind", kind, kindsOf(capability) || "nothing that trains");
  const allowed = measured.filter(
    (backend) => (requirement.backend?.includes(backend) ?? true) && worksHere(backend, capability),
  );
  const [nearest] = allowed;
  const lacking = nearest === undefined ? null : lacksDtype(nearest, requirement, capability);
  if (nearest !== undefined && lacking !== null) {
    miss("dtype", lacking, `${dtypesOf(nearest, capability).join(", ")} on ${nearest}`);
  } else miss("backend", (requirement.backend ?? []).join(" or "), measured.join(", "));
}

/** A number format that is needed and does not work on this backend, or null. */
function lacksDtype(backend: BackendName, { dtype }: Requirement, capability: Capability): string | null {
  if (dtype === undefined) return null;
  const has = dtypesOf(backend, capability);
  return dtype.find((wanted) => !has.includes(wanted)) ?? null;
}

function dtypesOf(name: BackendName, capability: Capability) {
  return capability.backends.find((backend) => backend.name === name)?.dtypes ?? [];
}

function worksHere(name: BackendName, capability: Capability): boolean {
  return capability.backends.some((backend) => backend.name === name && backend.works);
}

function kindsOf(capability: Capability): string {
  return [...new Set(capability.rates.map((rate) => rate.kind))].join(", ");
}

function missingGpu(wanted: NonNullable<Requirement["gpu"]>, capability: Capability, miss: Miss): void {
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
  const compute = wanted.computeCapability;
  if (
    compute !== undefined &&
    ofVendor.filter((gpu) => (gpu.computeCapability ?? 0) >= compute).length < wanted.count
  ) {
    const has = ofVendor.map((gpu) => gpu.computeCapability ?? "unknown").join(", ");
    miss("gpu.computeCapability", compute, has);
  }
}

/** Dotted versions, number by number. */
function isAtLeast(has: string | null, wanted: string): boolean {
  if (has === null) return false;
  const [given, least] = [has, wanted].map((version) => version.split(".").map(Number));
  for (const [index, part] of (least ?? []).entries()) {
    const own = given?.[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
