/**
 * A real OpenSSH server on loopback with a user of its own, whose folder is empty and whose path has the tools of a bare system
 * and no Node. Needs root, `sshd` and `useradd`; where one of them is missing, why is said, and tests are skipped.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { delimiter, join } from "node:path";
import { freePort, speaks } from "./loopback-port.ts";
import { until } from "./until.ts";

const bareTools =
  "sh uname date getconf ldd head df tail sed tar gzip readlink mkdir rm mv ln cat ps tr id nohup setsid sleep grep dirname chmod";
const sshdPath = "/usr/sbin/sshd";

export const skipWithoutSshd: string | false = whyNot();

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return "not root: no user can be made to come in as";
  for (const program of [sshdPath, "/usr/sbin/useradd"])
    if (!existsSync(program)) return `${program} is not installed (Debian: openssh-server, passwd)`;
  return programOn("ssh") === null ? "ssh is not installed" : false;
}

function programOn(name: string): string | null {
  for (const folder of ["/usr/bin", "/bin", ...(process.env["PATH"] ?? "").split(delimiter)]) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // not in this folder
    }
  }
  return null;
}

export class SshServer {
  /** Nobody else may enter the folder that tests are given. */
  readonly folder: string = mkdtempSync("/tmp/trialmesh-ssh-");
  readonly user: string = `tm${process.pid}`;
  readonly home: string = join(this.folder, "user");
  /** First on the path there: what a test puts in stands in for the system's own. */
  readonly tools: string = join(this.folder, "tools");
  readonly #port: number;
  #child: ChildProcess | undefined;

  private constructor(port: number) {
    this.#port = port;
  }

  static async start(): Promise<SshServer> {
    const server = new SshServer(await freePort());
    server.#prepare();
    await server.#run();
    return server;
  }

  get destination(): string {
    return `${this.user}@127.0.0.1`;
  }

  /** For whoever calls `ssh`: it knows this server's key and comes with the user's. */
  get path(): string {
    return `${join(this.folder, "bin")}${delimiter}${process.env["PATH"] ?? ""}`;
  }

  /** As a machine that was set up anew. */
  async changeHostKey(): Promise<void> {
    await this.#end();
    rmSync(join(this.folder, "host"));
    rmSync(join(this.folder, "host.pub"));
    this.#newKey("host");
    await this.#run();
  }

  /** Takes the place of a tool there. */
  replaceTool(name: string, script: string): void {
    rmSync(join(this.tools, name), { force: true });
    writeFileSync(join(this.tools, name), script, { mode: 0o755 });
  }

  restoreTool(name: string): void {
    rmSync(join(this.tools, name), { force: true });
    const real = programOn(name);
    if (real !== null) symlinkSync(real, join(this.tools, name));
  }

  /** Gives what the test put there to that user. */
  own(path: string): void {
    execFileSync("chown", ["-R", this.user, path]);
  }

  /** Ends what runs as that user, takes the folder's content away. */
  empty(): void {
    this.endOthers();
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
    mkdirSync(this.home, { mode: 0o700 });
    const [uid, gid] = this.#ids();
    chownSync(this.home, uid, gid);
  }

  /** Processes of that user, by their command lines. */
  processes(): readonly { readonly pid: number; readonly words: string }[] {
    const [uid] = this.#ids();
    return readdirSync("/proc")
      .map(Number)
      .filter((pid) => Number.isInteger(pid))
      .flatMap((pid) => {
        try {
          const status = readFileSync(`/proc/${pid}/status`, "utf8");
          if (!new RegExp(`^Uid:\\s+${uid}\\s`, "mu").test(status)) return [];
          return [{ pid, words: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ") }];
        } catch {
          return []; // It has ended a moment ago.
        }
      });
  }

  endOthers(): void {
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended a moment ago.
      }
    }
  }

  async close(): Promise<void> {
    await this.#end();
    this.endOthers();
    await until("the user's processes to end", () => (this.processes().length === 0 ? true : null));
    execFileSync("userdel", [this.user], { stdio: "ignore" });
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #ids(): readonly [number, number] {
    const entry = readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .find((line) => line.startsWith(`${this.user}:`));
    const [, , uid = "", gid = ""] = (entry ?? "").split(":");
    if (uid === "" || uid === "0") throw new Error(`there is no user ${this.user}`);
    return [Number(uid), Number(gid)];
  }

  #newKey(name: string): void {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(this.folder, name)]);
  }

  #prepare(): void {
    chmodSync(this.folder, 0o755);
    for (const name of ["host", "key"]) this.#newKey(name);
    execFileSync("useradd", ["-M", "-d", this.home, "-s", "/bin/sh", "-p", "*", this.user], {
      stdio: "ignore",
    });
    this.empty();
    mkdirSync(this.tools);
    for (const name of bareTools.split(" ")) this.restoreTool(name);
    mkdirSync("/run/sshd", { recursive: true });
    const at = (name: string): string => join(this.folder, name);
    writeFileSync(
      at("sshd_config"),
      `Port ${this.#port}
ListenAddress 127.0.0.1
HostKey ${at("host")}
PidFile none
AuthorizedKeysFile ${at("key.pub")}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv PATH=${this.tools}
`,
    );
    const host = readFileSync(at("host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
    writeFileSync(at("known_hosts"), `[127.0.0.1]:${this.#port} ${host}\n`);
    writeFileSync(
      at("ssh_config"),
      `Host *
  Port ${this.#port}
  IdentityFile ${at("key")}
  IdentitiesOnly yes
  BatchMode yes
  StrictHostKeyChecking yes
  UserKnownHostsFile ${at("known_hosts")}
  GlobalKnownHostsFile /dev/null
`,
    );
    mkdirSync(at("bin"));
    const ssh = programOn("ssh");
    writeFileSync(at("bin/ssh"), `#!/bin/sh\nexec ${ssh} -F ${at("ssh_config")} "$@"\n`, { mode: 0o755 });
  }

  async #run(): Promise<void> {
    const log = join(this.folder, "sshd.log");
    this.#child = spawn(sshdPath, ["-D", "-f", join(this.folder, "sshd_config"), "-E", log], {
      stdio: "ignore",
    });
    await until("sshd to listen", async () => ((await speaks(this.#port)) ? true : null));
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  }
}
