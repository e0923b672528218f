/**
 * Which rung of the sandbox works on this machine, found out by starting something in it, and what is missing for a higher one. It
 * decides what the owner left to it; it confines nobody's program itself.
 */
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { ProgramNetwork, SandboxView } from "../../protocol/sandbox-rung.ts";
import { askProgram, type Answer } from "../../system/ask-program.ts";
import type { Environment } from "../../system/environment.ts";
import { bubblewrapOptions } from "./bubblewrap-option.ts";
import type { Sandbox } from "./sandbox.ts";
import type { VisibleMachine } from "./visible-machine.ts";

/** What an owner says: the highest that works there, no sandbox, or this rung and else no programs. */
export const sandboxWishes = ["auto", "none", "bubblewrap"] as const;
export type SandboxWish = (typeof sandboxWishes)[number];

export interface FoundSandbox {
  readonly view: SandboxView;
  /** Null where programs run unconfined. */
  readonly sandbox: Sandbox | null;
  /** Why no programs may run here, where the owner's word cannot be kept; else null. */
  readonly refused: string | null;
}

export interface SandboxProbe {
  readonly wish: SandboxWish;
  readonly network: ProgramNetwork;
  readonly environment: Environment;
  readonly machine: VisibleMachine;
}

export async function probeSandbox(probe: SandboxProbe): Promise<FoundSandbox> {
  const { machine, network, wish } = probe;
  if (wish === "none") {
    const view = { rung: "none", network: "all", missing: "its owner said --sandbox none" } as const;
    const refused = network === "none" ? needsSandbox("--program-network none", view.missing) : null;
    return { view, sandbox: null, refused };
  }
  const found = await bubblewrapHere(probe.environment, machine, network);
  if (found.missing === null) {
    const sandbox = { program: found.program, network, machine };
    return { view: { rung: "bubblewrap", network, missing: null }, sandbox, refused: null };
  }
  const wanted =
    wish === "bubblewrap" ? "--sandbox bubblewrap" : network === "none" ? "--program-network none" : null;
  return {
    view: { rung: "none", network: "all", missing: found.missing },
    sandbox: null,
    refused: wanted === null ? null : needsSandbox(wanted, found.missing),
  };
}

function needsSandbox(flag: string, missing: string): string {
  return `no programs run here: ${flag} needs a sandbox, and ${missing}`;
}

type Here = { readonly missing: null; readonly program: string } | { readonly missing: string };

/** SANDBOX-7, SANDBOX-10. Really starts something: that it is installed says little where the system forbids what it needs. */
export async function bubblewrapHere(
  environment: Environment,
  machine: VisibleMachine,
  network: ProgramNetwork,
): Promise<Here> {
  if (process.platform !== "linux") return { missing: `there is no bubblewrap for ${process.platform}` };
  const program = onPath(environment["PATH"] ?? "");
  if (program === null)
    return { missing: "bubblewrap is not installed (Debian, Ubuntu, Fedora: the package bubblewrap)" };
  if (network === "none" && typeof process.execve !== "function")
    return {
      missing: `a network of its own for a program needs Node 22.15 or newer, not ${process.version}`,
    };
  const place = { mounts: machine.mounts, environment: {}, folder: "/", ownNetwork: network === "none" };
  const answer = await askProgram(program, [...bubblewrapOptions(place), "--", "/bin/sh", "-c", ":"], {
    PATH: environment["PATH"],
  });
  return answer.ok ? { missing: null, program } : { missing: whyNot(answer) };
}

/** Not one of a relative folder: what lies in a program's own would be run in its place. */
function onPath(path: string): string | null {
  const files = path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, "bwrap"));
  return files.find(mayRun) ?? null;
}

function mayRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What the system says of user namespaces, with what allows them. */
const switches = [
  {
    file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    forbids: "1",
    advice:
      "AppArmor forbids it user namespaces, as Ubuntu does since 23.10: give /usr/bin/bwrap a profile with `userns,` (package apparmor-profiles: bwrap-userns-restrict), or `sysctl kernel.apparmor_restrict_unprivileged_userns=0`",
  },
  {
    file: "/proc/sys/kernel/unprivileged_userns_clone",
    forbids: "0",
    advice: "user namespaces are switched off: `sysctl kernel.unprivileged_userns_clone=1`",
  },
  {
    file: "/proc/sys/user/max_user_namespaces",
    forbids: "0",
    advice: "user namespaces are switched off: `sysctl user.max_user_namespaces=10000`",
  },
];

export function whyNot(answer: Extract<Answer, { ok: false }>, read = readSwitch): string {
  const found = switches.find(({ file, forbids }) => read(file) === forbids);
  const said = `bubblewrap does not work here (${answer.why})`;
  return found === undefined
    ? `${said}; in a container it needs leave to make namespaces and to mount /proc`
    : `${said}; ${found.advice}`;
}

function readSwitch(file: string): string | null {
  try {
    return readFileSync(file, "latin1").trim();
  } catch {
    return null;
  }
}
