/**
 * The sandbox of a requester's program: what a start becomes when it is confined. Which rung works on a machine is
 * `probe-sandbox.ts`; what is made of the folders in words is `bubblewrap-option.ts`.
 */
import { spawn, type ChildProcess } from "node:child_process";
import type { Server } from "node:http";
import { delimiter, join } from "node:path";
import type { ProgramNetwork } from "../../protocol/sandbox-rung.ts";
import type { Environment } from "../../system/environment.ts";
import { withoutInherited } from "../../system/inherited-descriptor.ts";
import { makeFolderSync } from "../../system/make-folder.ts";
import { bubblewrapOptions, type Mount } from "./bubblewrap-option.ts";
import { answerDoor, doorWords } from "./loopback-door.ts";
import { isWithin, type VisibleMachine } from "./visible-machine.ts";

/** What one program may see of the disk beside the machine's programs. */
export interface SandboxFolders {
  /** Seen and not written: its parameters, the folder around its own. */
  readonly readable: readonly string[];
  /** Its own. They are there. */
  readonly writable: readonly string[];
  /** Stands for /tmp and the home; made where it is missing. */
  readonly temporary: string;
}

export interface Sandbox {
  /** Path of bubblewrap. */
  readonly program: string;
  readonly network: ProgramNetwork;
  readonly machine: VisibleMachine;
}

/** One program's place in a sandbox. */
export interface Confinement {
  readonly sandbox: Sandbox;
  readonly folders: SandboxFolders;
  /** For a process of Node's: how it speaks with this one. Left out: not at all, once it has begun. */
  readonly channel?: "advanced";
  /** Where its network is its own: who answers on its loopback, and at which port. */
  readonly door: { readonly port: number; readonly server: Server } | null;
}

interface ConfinedStart {
  readonly words: readonly string[];
  /** SANDBOX-5. Handed over by a descriptor: words of a command line are everybody's to read, and the environment is among these. */
  readonly options: string;
  /** Bubblewrap's own, outside: nothing in it is the requester's, who could have code loaded by it. */
  readonly environment: Environment;
}

/** A command as it would be started without a sandbox. */
interface PlainStart {
  readonly words: readonly string[];
  readonly folder: string;
  readonly environment: Environment;
}

/** Where its own folder of temporary files is, to a program. */
const temporary = "/tmp";
const home = "/tmp/home";

/** Descriptors of the confined process beside the usual three: its options, and the channel of its door. */
const optionsDescriptor = 3;
const channelDescriptor = 4;

/** Starts it: its output to be read, its options on their way. Throws where the system starts no process. */
export function spawnConfined(confinement: Confinement, start: PlainStart): ChildProcess {
  const { channel, door } = confinement;
  const { environment, options, words } = confine(confinement, start);
  const [program = "", ...rest] = words;
  const stdio = ["ignore", "pipe", "pipe", "pipe"] as const;
  const child = spawn(program, rest, {
    cwd: "/",
    env: environment,
    detached: true,
    stdio: withoutInherited(door === null && channel === undefined ? stdio : [...stdio, "ipc" as const]),
    ...(channel === undefined ? {} : { serialization: channel }),
  });
  if (door !== null) answerDoor(child, door.server);
  const to = child.stdio[optionsDescriptor];
  if (to !== null && to !== undefined && "end" in to) {
    to.on("error", () => undefined); // it has ended before it read them
    to.end(options);
  }
  return child;
}

/** The words of bubblewrap around it; writes nothing but its folder of temporary files. */
function confine(
  { channel, door, folders, sandbox }: Confinement,
  { environment, folder, words }: PlainStart,
): ConfinedStart {
  const opens = door === null ? [] : doorWords(door.port);
  const { machine, network, program } = sandbox;
  makeFolderSync(folders.temporary, 0o700);
  makeFolderSync(join(folders.temporary, "home"), 0o700);
  const isInSecret = (path: string) => machine.secret.some((folder) => isWithin(path, folder));
  const readable = [...machine.readable, ...opens.slice(0, 2), ...folders.readable];
  const mounts: Mount[] = [
    ...machine.mounts,
    { kind: "writable", from: folders.temporary, to: temporary },
    ...readable.filter((path) => !isInSecret(path)).map(readOnly),
    ...coveredIn(machine, readable).map((path): Mount => ({ kind: "empty", to: path })),
    ...readable.filter(isInSecret).map(readOnly),
    ...folders.writable.map((path): Mount => ({ kind: "writable", from: path, to: path })),
  ];
  const options = bubblewrapOptions({
    mounts,
    environment: {
      ...environment,
      ...(door === null && channel === undefined ? {} : { NODE_CHANNEL_FD: String(channelDescriptor) }),
      ...(channel === undefined ? {} : { NODE_CHANNEL_SERIALIZATION_MODE: channel }),
    },
    folder,
    ownNetwork: network === "none",
  });
  return {
    words: [program, "--args", String(optionsDescriptor), "--", ...opens, ...words],
    options: options.map((word) => `${word}\0`).join(""),
    environment: { PATH: environment["PATH"], TRIALMESH_RUN: environment["TRIALMESH_RUN"] },
  };
}

/** What of the secret lies in what is shown. */
function coveredIn({ mounts, secret }: VisibleMachine, readable: readonly string[]): string[] {
  const shown = [...mounts.map(({ to }) => to), ...readable];
  return secret.filter((path) => shown.some((folder) => path !== folder && isWithin(path, folder)));
}

function readOnly(path: string): Mount {
  return { kind: "readable", from: path, to: path };
}

/** The environment of a program that is confined: no home of the agent's user, and the Python that was asked, not what points at it. */
export function confinedEnvironment(
  { machine }: Sandbox,
  environment: Readonly<Record<string, string>>,
  own: Environment,
): Record<string, string> {
  const { TEMP: _, TMP: __, ...kept } = environment;
  const homeBefore = own["HOME"] ?? "";
  const path = kept["PATH"] ?? "";
  const front = machine.pythonFolder;
  const isOwnPython = front !== null && path !== (own["PATH"] ?? "");
  return {
    ...kept,
    ...(front === null || isOwnPython ? {} : { PATH: `${front}${delimiter}${path}` }),
    ...(kept["HOME"] === homeBefore ? { HOME: home } : {}),
    ...(machine.userBase === null ? {} : { PYTHONUSERBASE: machine.userBase }),
    TMPDIR: temporary,
  };
}

/** Whether a program could be started there: what lies elsewhere is not in its sandbox. */
export function isVisible({ folders, sandbox }: Confinement, path: string): boolean {
  const { machine } = sandbox;
  const shown = [...folders.readable, ...folders.writable, ...machine.readable];
  return (
    shown.some((folder) => isWithin(path, folder)) || machine.mounts.some(({ to }) => isWithin(path, to))
  );
}
