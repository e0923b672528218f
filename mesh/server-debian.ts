/**
 * Brings in a nats-server from Debian's archive without privileges: apt, told to use folders of
 * our own, fetches the package and checks the archive's signature; dpkg unpacks it. Nothing on the
 * system is installed or changed. The newest suite is used since stable's package may be too old;
 * the program is one file of Go and runs on older Debians.
 */
import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { runCommand } from "./outside-command.ts";
import { makeFolderSync } from "../system/make-folder.ts";

const suite = "sid";
const officialMirror = "http://deb.debian.org/debian";
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const updateTimeoutMs = 90_000;
const downloadTimeoutMs = 60_000;
const unpackTimeoutMs = 20_000;
/** How long an unreachable mirror may hold us up, in seconds as apt takes it. */
const connectTimeoutS = 4;

export async function unpackDebian(target: string): Promise<Outcome<null>> {
  if (!existsSync("/etc/apt") || !existsSync(keyring)) {
    return refuse("unavailable", `not a Debian (no ${existsSync("/etc/apt") ? keyring : "/etc/apt"})`);
  }
  const place = dirname(target);
  const mirror = mirrorIn(configuredSources()) ?? officialMirror;
  const config = layOut(place, mirror);
  const fetched = await aptGet(config, place, ["update"], updateTimeoutMs);
  if (!fetched.ok) return fetched;
  const downloaded = await aptGet(config, place, ["download", "nats-server"], downloadTimeoutMs);
  if (!downloaded.ok) return downloaded;
  const [archive] = readdirSync(place).filter((file) => file.endsWith(".deb"));
  if (archive === undefined) return refuse("unavailable", `${mirror} gave no package`);
  const unpacked = await runCommand("dpkg", ["-x", archive, "unpacked"], {
    cwd: place,
    timeoutMs: unpackTimeoutMs,
  });
  if (!unpacked.ok) return unpacked;
  const program = ["sbin", "bin"]
    .map((bin) => join(place, "unpacked/usr", bin, "nats-server"))
    .find((path) => existsSync(path));
  if (program === undefined) return refuse("unavailable", "its package holds no nats-server");
  renameSync(program, target);
  return accept(null);
}

/** The texts of this machine's own apt sources, for their mirror. */
function configuredSources(): readonly string[] {
  const parts = "/etc/apt/sources.list.d";
  const names = existsSync(parts) ? readdirSync(parts).filter((name) => /\.(list|sources)$/.test(name)) : [];
  const files = ["/etc/apt/sources.list", ...names.map((name) => join(parts, name))];
  return files.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8"));
}

/**
 * The first mirror of Debian itself in apt's sources, in either of their two formats; null when
 * there is none. Security and other vendors' archives end otherwise than in `/debian`.
 */
export function mirrorIn(sources: readonly string[]): string | null {
  for (const text of sources) {
    for (const line of text.split("\n")) {
      const rest = /^(?:URIs:|deb\s+(?:\[[^\]]*\]\s+)?)\s*(.*)$/.exec(line.trim())?.[1];
      const found = rest?.split(/\s+/).find((word) => /^https?:\/\/\S+\/debian\/?$/.test(word));
      if (found !== undefined) return found.replace(/\/$/, "");
    }
  }
  return null;
}

/** Lays out apt's folders under `place` and returns the configuration that points at them. */
function layOut(place: string, mirror: string): string {
  for (const folder of ["lists/partial", "cache/archives/partial", "state"]) {
    makeFolderSync(join(place, folder));
  }
  writeFileSync(join(place, "sources.list"), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  writeFileSync(join(place, "status"), "");
  const config = join(place, "apt.conf");
  // Read after the machine's own configuration, so that its proxy holds and its hooks do not run.
  writeFileSync(
    config,
    `Dir::Etc::SourceList "${join(place, "sources.list")}";
Dir::Etc::SourceParts "/dev/null";
Dir::State "${join(place, "state")}";
Dir::State::Lists "${join(place, "lists")}";
Dir::State::Status "${join(place, "status")}";
Dir::Cache "${join(place, "cache")}";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "${connectTimeoutS}";
Acquire::https::Timeout "${connectTimeoutS}";
APT::Update::Error-Mode "any";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`,
  );
  return config;
}

function aptGet(
  config: string,
  cwd: string,
  words: readonly string[],
  timeoutMs: number,
): Promise<Outcome<string>> {
  return runCommand("apt-get", ["-q", "-c", config, ...words], {
    cwd,
    timeoutMs,
    env: { ...process.env, LC_ALL: "C" },
  });
}
