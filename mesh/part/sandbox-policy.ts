/**
 * What an owner says of the sandbox of programs: flags, their place in `policy.json`, and the sandbox that is made of them at an
 * agent's start. It stays on this machine: the mesh learns what holds, not what was said.
 */
import { isAbsolute } from "node:path";
import * as z from "zod";
import { listOf, longText } from "../../protocol/bound.ts";
import { programNetworks, type ProgramNetwork } from "../../protocol/sandbox-rung.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Policy } from "../../protocol/capability.ts";
import {
  probeSandbox,
  sandboxWishes,
  type FoundSandbox,
  type SandboxWish,
} from "../../agent/sandbox/probe-sandbox.ts";
import { visibleMachine } from "../../agent/sandbox/visible-machine.ts";
import type { Surroundings } from "../../system/environment.ts";
import type { PythonAnswer } from "../../agent/program/ask-python.ts";

export interface SandboxFlags {
  readonly sandbox?: SandboxWish;
  readonly programNetwork?: ProgramNetwork;
  /** Whole paths with commas; `none` takes them back. */
  readonly programReads?: string;
}

export const sandboxFields = {
  sandbox: z.enum(sandboxWishes).default("auto"),
  programNetwork: z.enum(programNetworks).default("all"),
  programReads: listOf(longText).default([]),
};

export interface SandboxPolicy {
  readonly sandbox: SandboxWish;
  readonly programNetwork: ProgramNetwork;
  readonly programReads: readonly string[];
}

export const firstSandbox: SandboxPolicy = { sandbox: "auto", programNetwork: "all", programReads: [] };

export function sandboxPolicy(before: SandboxPolicy, flags: SandboxFlags): Outcome<SandboxPolicy> {
  const reads =
    flags.programReads === undefined ? accept(before.programReads) : programReadsOf(flags.programReads);
  if (!reads.ok) return reads;
  return accept({
    sandbox: flags.sandbox ?? before.sandbox,
    programNetwork: flags.programNetwork ?? before.programNetwork,
    programReads: reads.value,
  });
}

/** Also of a person's flag, before anything starts. */
export function programReadsOf(text: string): Outcome<readonly string[]> {
  if (text.trim() === "none") return accept([]);
  const paths = text.split(",").map((part) => part.trim());
  const wrong = paths.find((path) => !isAbsolute(path) || path === "/");
  if (wrong === undefined && !text.includes("\0")) return accept(paths);
  const why = wrong === "/" ? "/ is the whole disk" : "write whole paths with commas, such as /data/images";
  return refuse("invalid", `--program-reads: ${why}; none takes them back`);
}

export interface SandboxPlace extends Surroundings, SandboxPolicy {
  readonly python: PythonAnswer;
  readonly policy: Policy;
  /** The mesh's home, and the agent's own folder. */
  readonly secret: readonly string[];
}

/** Null where nobody's programs run. Says at the start what holds, for the owner who reads only the log. */
export async function agentSandbox(place: SandboxPlace): Promise<FoundSandbox | null> {
  const { environment, policy, programNetwork, programReads, python, sandbox, say, secret } = place;
  if (policy.programs === "none") return null;
  const paths = python.watched.map(({ path }) => path);
  const machine = visibleMachine({ environment, python: paths, reads: programReads, secret });
  const found = await probeSandbox({ wish: sandbox, network: programNetwork, environment, machine });
  say(startLine(found));
  return found;
}

function startLine({ refused, view }: FoundSandbox): string {
  if (refused !== null) return `programs: ${refused}`;
  const { missing, network, rung } = view;
  if (rung === "none")
    return `programs run as this user, without a sandbox: ${missing ?? ""}; they can read what this user can`;
  return `programs run in ${rung}: no home, no files of the mesh, ${network === "none" ? "no network" : "this machine's network"}`;
}
