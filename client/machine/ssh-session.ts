/**
 * One machine over the user's own `ssh` program, with whatever their `~/.ssh/config` says of it: shell scripts run there, with bytes
 * for their standard input. One connection for all of them, where this system's ssh can keep one. Knows nothing of trialmesh.
 */
import { spawn } from "node:child_process";
import { createReadStream, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { guardedEnvironment } from "../../system/own-guard.ts";
import { systemCode } from "../../system/system-error.ts";
import { makeTemporaryFolder } from "../../system/temporary-folder.ts";
import type { Environment } from "../../system/environment.ts";
import { lastLine, sshRefusal } from "./ssh-fault.ts";

const connectTimeoutS = 15;
const aliveEveryS = 10;
/** Between two commands of one addition. */
const keepOpenS = 60;
const outputCharactersMax = 262_144;
/** The connection that stays may keep the pipes of the command that opened it. */
const lingerMs = 500;

export interface SshPlace {
  /** `user@host`, or a name of the user's ssh configuration. */
  readonly destination: string;
  readonly port: number | null;
  /** Path of a private key; null: those that ssh takes by itself. */
  readonly identity: string | null;
}

export interface SshSession {
  readonly destination: string;
  /**
   * Runs a script of the Bourne shell; what it printed. `input`: its standard input, a text or a file. A script that fails is a
   * refusal with the last line of what it said.
   */
  readonly run: (script: string, input?: ScriptInput) => Promise<Outcome<string>>;
  readonly close: () => Promise<void>;
}

export type ScriptInput = { readonly text: string } | { readonly file: string };

export function openSsh(environment: Environment, place: SshPlace): SshSession {
  const { destination } = place;
  const folder = makeTemporaryFolder("tm-ssh-");
  const words = sshWords(place, folder);
  const ssh = (more: readonly string[], input: ScriptInput) => startSsh(environment, more, input);
  return {
    destination,
    run: async (script, input = { text: "" }) => {
      const ended = await ssh([...words, destination, `sh -c ${quoted(script)}`], input);
      if (!ended.ok) return ended;
      const { code, stderr, stdout } = ended.value;
      if (code === 0) return accept(stdout);
      const fault = sshRefusal({ destination, code, stderr });
      return fault ?? refuse("unavailable", `${destination}: ${lastLine(stderr) || `ended with ${code}`}`);
    },
    close: async () => {
      await ssh([...words, "-O", "exit", destination], { text: "" });
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function sshWords({ identity, port }: SshPlace, folder: string): readonly string[] {
  const shared =
    process.platform === "win32"
      ? []
      : [
          "-o",
          "ControlMaster=auto",
          "-o",
          `ControlPath=${join(folder, "c")}`,
          "-o",
          `ControlPersist=${keepOpenS}`,
        ];
  return [
    "-T",
    "-o",
    `ConnectTimeout=${connectTimeoutS}`,
    "-o",
    `ServerAliveInterval=${aliveEveryS}`,
    ...shared,
    ...(port === null ? [] : ["-p", String(port)]),
    ...(identity === null ? [] : ["-i", identity]),
  ];
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function startSsh(
  environment: Environment,
  words: readonly string[],
  input: ScriptInput,
): Promise<Outcome<Ended>> {
  const child = spawn("ssh", words, {
    env: guardedEnvironment(environment),
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const take = (text: string, more: string): string => (text + more).slice(0, outputCharactersMax);
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout = take(stdout, text)));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = take(stderr, text)));
  const ended = Promise.withResolvers<Outcome<number | null>>();
  child.once("error", (error) =>
    ended.resolve(
      refuse(
        "unavailable",
        systemCode(error) === "ENOENT"
          ? "there is no `ssh` program on the path; install OpenSSH's client"
          : `ssh could not be started: ${error.message}`,
      ),
    ),
  );
  child.once("close", (code) => ended.resolve(accept(code)));
  child.once("exit", (code) => void sleep(lingerMs).then(() => ended.resolve(accept(code))));
  const source = "file" in input ? createReadStream(input.file) : Readable.from([Buffer.from(input.text)]);
  // A script that ends early reads no further; its own word is what counts.
  await Promise.race([pipeline(source, child.stdin).catch(() => undefined), ended.promise]);
  const code = await ended.promise;
  return code.ok ? accept({ code: code.value, stdout, stderr }) : code;
}

/** One word for a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
