/**
 * What this machine's owner allows, as flags and as the file that keeps them (`policy.json` of the
 * agent). Flags change what is on file; what no flag names stays.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { openPolicy, policySchema, type Policy } from "../../protocol/capability.ts";
import { nameSchema } from "../../protocol/name.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import { parseJsonFile, readPrivateFile, writePrivateFile } from "../../mesh/private-file.ts";

export interface PolicyFlags {
  readonly slots?: number;
  /** `22:00-07:00`, several with commas; `always` takes the rule back. */
  readonly hours?: string;
  readonly leaveFreeMem?: number;
  /** Names with commas; `anyone` takes the rule back. */
  readonly requesters?: string;
  /** Kinds of task with commas; `any` takes the rule back. */
  readonly tasks?: string;
  /** `key=value`, repeated. */
  readonly label?: readonly string[];
}

const fileSchema = z.strictObject({
  version: z.literal(1),
  policy: policySchema,
  labels: z.record(z.string(), z.string()),
});

export interface AgentPolicy {
  readonly policy: Policy;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is on file in the agent's folder with the flags put over it, and kept. */
export function agentPolicy(folder: string, flags: PolicyFlags): Outcome<AgentPolicy> {
  const path = join(folder, "policy.json");
  const present = existsSync(path) ? readPolicy(path) : accept(firstPolicy());
  if (!present.ok) return present;
  const changed = withFlags(present.value, flags);
  if (!changed.ok) return changed;
  const text = `${JSON.stringify({ version: 1, ...changed.value }, null, 2)}\n`;
  const written = writePrivateFile(path, text);
  return written.ok ? changed : written;
}

function firstPolicy(): AgentPolicy {
  return { policy: openPolicy(availableParallelism()), labels: {} };
}

function readPolicy(path: string): Outcome<AgentPolicy> {
  const text = readPrivateFile(path);
  if (!text.ok) return text;
  const json = parseJsonFile(path, text.value);
  return json.ok ? parseOutside(fileSchema, json.value, path) : json;
}

function withFlags({ policy, labels }: AgentPolicy, flags: PolicyFlags): Outcome<AgentPolicy> {
  const hours = flags.hours === undefined ? accept(policy.hours) : parseHours(flags.hours);
  if (!hours.ok) return hours;
  const requesters =
    flags.requesters === undefined ? accept(policy.requesters) : parseRequesters(flags.requesters);
  if (!requesters.ok) return requesters;
  const added: [string, string][] = [];
  for (const label of flags.label ?? []) {
    const at = label.indexOf("=");
    if (at < 1) return refuse("invalid", `--label ${label}: write key=value, such as --label room=cellar`);
    added.push([label.slice(0, at), label.slice(at + 1)]);
  }
  const candidate = {
    ...policy,
    slots: flags.slots ?? policy.slots,
    hours: hours.value,
    leaveFreeMemGiB: flags.leaveFreeMem ?? policy.leaveFreeMemGiB,
    requesters: requesters.value,
    tasks: flags.tasks === undefined ? policy.tasks : flags.tasks === "any" ? null : listOf(flags.tasks),
  };
  const checked = parseOutside(policySchema, candidate, "the agent's policy");
  return checked.ok
    ? accept({ policy: checked.value, labels: { ...labels, ...Object.fromEntries(added) } })
    : checked;
}

function parseHours(text: string): Outcome<Policy["hours"]> {
  if (text === "always") return accept(null);
  const spans = listOf(text).map((span) => span.split("-"));
  const hours = spans.map(([from = "", to = ""]) => ({ from, to }));
  const parsed = policySchema.shape.hours.safeParse(hours);
  if (parsed.success && spans.length > 0 && spans.every((span) => span.length === 2))
    return accept(parsed.data);
  return refuse("invalid", `--hours ${text}: write times as in 22:00-07:00, several with commas, or always`);
}

function parseRequesters(text: string): Outcome<Policy["requesters"]> {
  if (text === "anyone") return accept(null);
  const names = listOf(text);
  const bad = names.find((name) => !nameSchema.safeParse(name).success);
  return bad === undefined
    ? accept(names)
    : refuse("invalid", `--requesters: "${bad}" is no name; write names with commas, or anyone`);
}

function listOf(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
