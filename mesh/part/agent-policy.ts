/**
 * What this machine's owner allows, as flags and as the file that keeps them (`policy.json` of the
 * agent). Flags change what is on file; what no flag names stays.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { longText, recordOf, shortText } from "../../protocol/bound.ts";
import { hoursProblem } from "../../agent/owner/hours.ts";
import { openPolicy, policySchema, type Policy } from "../../protocol/capability.ts";
import { nameForm } from "../../protocol/name.ts";
import type { ProgramsAllowed } from "../../protocol/program.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import { parseJsonFile, readPrivateFile, writePrivateFile } from "../../system/private-file.ts";
import { portMax } from "../port.ts";
import {
  firstSandbox,
  sandboxFields,
  sandboxPolicy,
  type SandboxFlags,
  type SandboxPolicy,
} from "./sandbox-policy.ts";
import { idlePolicy, idleProblem, type IdleFlags } from "./idle-policy.ts";

/** Of what was given, in a refusal: a sentence is to be read. */
const givenCharactersMax = 100;

export type PeerPort = number | "any" | "none";

export interface PolicyFlags extends IdleFlags, SandboxFlags {
  readonly slots?: number;
  /** `22:00-07:00`, several with commas; `always` takes the rule back. */
  readonly hours?: string;
  readonly leaveFreeMem?: number;
  readonly leaveFreeCores?: number;
  /** GiB; `auto` takes it back. It stays on this machine. */
  readonly leaveFreeDisk?: number | "auto";
  /** Prints the seconds since the last input; `none` takes it back. It stays on this machine. */
  readonly idleCommand?: string;
  readonly onBattery?: "yes" | "no";
  /** Degrees; `any` takes the rule back. */
  readonly maxCelsius?: number | "any";
  /** Names with commas; `anyone` takes the rule back. */
  readonly requesters?: string;
  /** Kinds of task with commas; `any` takes the rule back. */
  readonly tasks?: string;
  /** Whose programs may run here. */
  readonly programs?: ProgramsAllowed;
  /** `key=value`, repeated. */
  readonly label?: readonly string[];
  /** What other machines get of its artifacts, MiB a second in all; 0: nothing; `any` takes it back. It stays on this machine. */
  readonly upload?: number | "any";
  /** Where it takes connections of other machines: `any` free port, or `none`, so that it only opens them. It stays on this machine. */
  readonly peerPort?: PeerPort;
  /** Whether it passes on between machines that cannot reach each other. It stays on this machine. */
  readonly relay?: "yes" | "no";
}

const fileSchema = z.strictObject({
  version: z.literal(1),
  policy: policySchema,
  labels: recordOf(longText, longText),
  idleCommand: longText.min(1).nullable().default(null),
  leaveFreeDiskGiB: z.number().nonnegative().nullable().default(null),
  uploadRate: z.number().nonnegative().nullable().default(null),
  mayRelay: z.boolean().default(true),
  ...sandboxFields,
  peerPort: z.union([z.int().min(1).max(portMax), z.enum(["any", "none"])]).default("any"),
});

export interface AgentPolicy extends SandboxPolicy {
  readonly policy: Policy;
  readonly labels: Readonly<Record<string, string>>;
  readonly idleCommand: string | null;
  /** Null where the owner says nothing. */
  readonly leaveFreeDiskGiB: number | null;
  /** MiB a second; null: as fast as it goes; 0: nothing. */
  readonly uploadRate: number | null;
  readonly mayRelay: boolean;
  readonly peerPort: PeerPort;
}

/**
 * What is on file in the agent's folder with the flags put over it, and kept. `programs`: where nothing was said before.
 * `hasKeys`: the mesh's keys lie on this machine, where a program could read them; then `any` is kept as `own`, and `note` says so.
 */
export function agentPolicy(
  folder: string,
  flags: PolicyFlags,
  programs: ProgramsAllowed = "none",
  hasKeys = false,
): Outcome<AgentPolicy & { readonly note: string | null }> {
  const path = join(folder, "policy.json");
  const present = existsSync(path) ? readPolicy(path) : accept(firstPolicy(flags, programs));
  if (!present.ok) return present;
  const changed = withFlags(present.value, flags);
  if (!changed.ok) return changed;
  const { policy } = changed.value;
  const kept = hasKeys && policy.programs === "any" ? { ...policy, programs: "own" as const } : policy;
  const owner = { ...changed.value, policy: kept };
  const written = writePrivateFile(path, `${JSON.stringify({ version: 1, ...owner }, null, 2)}\n`);
  return written.ok ? accept({ ...owner, note: kept === policy ? null : keysInReach }) : written;
}

/** A program runs as the user who started the agent, and may read what that user may. */
export const keysInReach =
  "--programs own is what holds: --programs any would let anybody's program read the mesh's keys, which lie on this machine; run others' programs on an agent of another user or machine, with a home of its own: `trialmesh invite agent NAME` there";

function firstPolicy({ leaveFreeCores = 0 }: PolicyFlags, programs: ProgramsAllowed): AgentPolicy {
  const slots = Math.max(1, availableParallelism() - leaveFreeCores);
  return {
    policy: { ...openPolicy(slots), programs },
    labels: {},
    idleCommand: null,
    leaveFreeDiskGiB: null,
    uploadRate: null,
    mayRelay: true,
    peerPort: "any",
    ...firstSandbox,
  };
}

function readPolicy(path: string): Outcome<AgentPolicy> {
  const text = readPrivateFile(path);
  if (!text.ok) return text;
  const json = parseJsonFile(path, text.value);
  if (!json.ok) return json;
  const parsed = parseOutside(fileSchema, json.value, path);
  if (!parsed.ok) return parsed;
  // A file may have been written by hand.
  const { hours, idle } = parsed.value.policy;
  const problem = (hours === null ? null : hoursProblem(hours)) ?? (idle === null ? null : idleProblem(idle));
  return problem === null ? parsed : refuse("invalid", `${path}: ${problem}`);
}

function withFlags(before: AgentPolicy, flags: PolicyFlags): Outcome<AgentPolicy> {
  const { policy, labels, idleCommand } = before;
  const hours =
    flags.hours === undefined ? accept(policy.hours) : named("hours", flags.hours, hoursOf(flags.hours));
  if (!hours.ok) return hours;
  const requesters =
    flags.requesters === undefined
      ? accept(policy.requesters)
      : named("requesters", flags.requesters, requestersOf(flags.requesters));
  if (!requesters.ok) return requesters;
  const sandbox = sandboxPolicy(before, flags);
  if (!sandbox.ok) return sandbox;
  const idle = idlePolicy(policy.idle, flags);
  if (!idle.ok) return idle;
  const added: [string, string][] = [];
  for (const label of flags.label ?? []) {
    const read = named("label", label, labelOf(label));
    if (!read.ok) return read;
    added.push([...read.value]);
  }
  const candidate = {
    ...policy,
    slots: flags.slots ?? policy.slots,
    hours: hours.value,
    leaveFreeMemGiB: flags.leaveFreeMem ?? policy.leaveFreeMemGiB,
    leaveFreeCores: flags.leaveFreeCores ?? policy.leaveFreeCores,
    idle: idle.value,
    onBattery: flags.onBattery === undefined ? policy.onBattery : flags.onBattery === "yes",
    maxCelsius: flags.maxCelsius === "any" ? null : (flags.maxCelsius ?? policy.maxCelsius),
    requesters: requesters.value,
    programs: flags.programs ?? policy.programs,
    tasks: flags.tasks === undefined ? policy.tasks : flags.tasks === "any" ? null : listOf(flags.tasks),
  };
  const checked = parseOutside(policySchema, candidate, "the agent's policy");
  if (!checked.ok) return checked;
  const overdrawn = coresProblem(checked.value, availableParallelism());
  if (overdrawn !== null) return refuse("invalid", overdrawn);
  const command = flags.idleCommand?.trim() ?? idleCommand;
  if (command === "")
    return refuse("invalid", "--idle-command is empty; give a command that prints seconds, or none");
  return accept({
    policy: checked.value,
    labels: { ...labels, ...Object.fromEntries(added) },
    idleCommand: command === "none" ? null : command,
    leaveFreeDiskGiB:
      flags.leaveFreeDisk === "auto" ? null : (flags.leaveFreeDisk ?? before.leaveFreeDiskGiB),
    uploadRate: flags.upload === "any" ? null : (flags.upload ?? before.uploadRate),
    mayRelay: flags.relay === undefined ? before.mayRelay : flags.relay === "yes",
    peerPort: flags.peerPort ?? before.peerPort,
    ...sandbox.value,
  });
}

/** Slots beyond the cores are the owner's choice, unless cores are to stay free. */
function coresProblem({ leaveFreeCores, slots }: Policy, cores: number): string | null {
  if (leaveFreeCores === 0 || slots + leaveFreeCores <= cores) return null;
  const most = cores - leaveFreeCores;
  const right = most < 1 ? `--leave-free-cores ${cores - 1} or less` : `--slots ${most} or less`;
  return `${slots} slots and ${leaveFreeCores} cores left free are more than the ${cores} cores of this machine; give ${right}`;
}

/** Of an option: what is wrong with it, said with its name and what was given. */
function named<T>(option: string, text: string, read: Outcome<T>): Outcome<T> {
  if (read.ok) return read;
  return refuse(
    read.refusal.code,
    `--${option} ${text.slice(0, givenCharactersMax)}: ${read.refusal.message}`,
  );
}

export function hoursOf(text: string): Outcome<Policy["hours"]> {
  if (text === "always") return accept(null);
  const spans = listOf(text).map((span) => span.split("-"));
  const hours = spans.map(([from = "", to = ""]) => ({ from, to }));
  const parsed = policySchema.shape.hours.safeParse(hours);
  if (!parsed.success || parsed.data === null || spans.some((span) => span.length !== 2))
    return refuse("invalid", "write times as in 22:00-07:00, several with commas, or always");
  const problem = hoursProblem(parsed.data);
  return problem === null ? accept(parsed.data) : refuse("invalid", problem);
}

export function requestersOf(text: string): Outcome<Policy["requesters"]> {
  if (text === "anyone") return accept(null);
  const names = listOf(text);
  const parsed = policySchema.shape.requesters.safeParse(names);
  if (names.length === 0 || !parsed.success)
    return refuse("invalid", `write names with commas, or anyone; a name is ${nameForm}`);
  return accept(names);
}

const labelSchema = z.tuple([shortText.min(1), shortText]);

/** `key=value`. */
export function labelOf(text: string): Outcome<readonly [key: string, value: string]> {
  const at = text.indexOf("=");
  const parsed = labelSchema.safeParse([text.slice(0, Math.max(0, at)), text.slice(at + 1)]);
  return parsed.success && !text.includes("\0")
    ? accept(parsed.data)
    : refuse("invalid", "write key=value, such as --label room=cellar");
}

function listOf(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
