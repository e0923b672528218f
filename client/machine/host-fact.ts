/** ADD-5: what a machine says of itself before anything is brought to it, and whether this build can run there. Runs nothing. */
import { bytesPerGiB, bytesPerMiB } from "../../protocol/byte-unit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { isWindowsSystem, windowsSentence } from "./platform/win32.ts";

/** Node's own binaries for Linux are linked against it; the oldest they run with. */
const glibcLeast = [2, 28];
/** Beside what the build takes: a first checkpoint, a log. */
const roomBytes = 512 * bytesPerMiB;
const clockOffMsMax = 60_000;
const msPerS = 1_000;
const bytesPerKiB = 1_024;

export interface HostFacts {
  readonly os: string;
  readonly arch: string;
  readonly host: string;
  readonly home: string;
  /** Unix time in ms. */
  readonly clockMs: number;
  /** Address of this machine as that one sees it; null where ssh does not say. */
  readonly seenFrom: string | null;
  readonly libc: string;
  /** Null where `df` does not say. */
  readonly freeBytes: number | null;
  readonly writable: boolean;
  /** Programs that unpacking needs. */
  readonly missing: readonly string[];
  readonly hasNpm: boolean;
  /** Such as v20.1.0; null: none on the path. */
  readonly node: string | null;
  /** Path of a trialmesh on the path there. */
  readonly trialmesh: string | null;
  /** Digest of the build in use there, and of all that are whole. */
  readonly current: string | null;
  readonly builds: readonly string[];
  /** The mesh that its home belongs to; null: none. */
  readonly mesh: string | null;
  readonly agents: readonly string[];
  readonly mayHaveServices: boolean;
}

/** The lines of the probe, `name=value`; others, such as a greeting of the login, are not read. */
export function readFacts(text: string, destination: string): Outcome<HostFacts> {
  const lines = text.split("\n").map((line) => {
    const at = line.indexOf("=");
    return { name: line.slice(0, Math.max(at, 0)), value: line.slice(at + 1).trim() };
  });
  const all = (name: string): readonly string[] =>
    lines.filter((line) => line.name === name && line.value !== "").map(({ value }) => value);
  const last = (name: string): string | null => all(name).at(-1) ?? null;
  const os = last("os");
  const [arch, home, clock] = [last("arch"), last("home"), Number(last("clock"))];
  if (last("probe") === null || os === null || arch === null || home === null || !Number.isFinite(clock))
    return refuse(
      "unavailable",
      `${destination} lets ssh in but runs no Bourne shell that says what the machine is; \`ssh ${destination} uname -a\` should print its system`,
    );
  const free = Number(last("free") ?? Number.NaN);
  return accept({
    os,
    arch,
    home,
    host: last("host") ?? "",
    clockMs: clock * msPerS,
    seenFrom: last("ssh")?.split(" ")[0] ?? null,
    libc: last("libc") ?? "",
    freeBytes: Number.isFinite(free) ? free * bytesPerKiB : null,
    writable: last("writable") === "yes",
    missing: all("missing"),
    hasNpm: last("npm") === "yes",
    node: last("node"),
    trialmesh: last("trialmesh"),
    current: last("current")?.split("/").at(-1) ?? null,
    builds: all("build"),
    mesh: last("mesh"),
    agents: all("agent").map((file) => file.replace(/\.creds$/u, "")),
    mayHaveServices: last("services") === "yes",
  });
}

export interface LocalPlatform {
  /** As Node has them. */
  readonly platform: string;
  readonly arch: string;
}

/** `same`: what runs here runs there. `npm`: only with packages of its own platform. */
export type Fit = "same" | "npm";

/** Whether the build can run there, before anything is brought. `unpackedBytes`: what it takes. */
export function fitOf(
  facts: HostFacts,
  here: LocalPlatform,
  unpackedBytes: number,
  destination: string,
): Outcome<Fit> {
  if (isWindowsSystem(facts.os)) return refuse("unavailable", windowsSentence(destination));
  const platform = platformOf(facts);
  if (platform === null)
    return refuse(
      "unavailable",
      `${destination} is a ${facts.os} on ${facts.arch}, for which there is no Node that trialmesh runs by`,
    );
  const [missing] = facts.missing;
  if (missing !== undefined)
    return refuse(
      "unavailable",
      `${destination} has no \`${missing}\`; install it there, then run this again`,
    );
  if (!facts.writable)
    return refuse(
      "forbidden",
      `nothing may be written in ${facts.home} on ${destination}; give that user its own folder, or come as another user`,
    );
  const needed = unpackedBytes + roomBytes;
  if (facts.freeBytes !== null && facts.freeBytes < needed)
    return refuse(
      "unavailable",
      `${destination} has ${gib(facts.freeBytes)} GiB free in ${facts.home} and trialmesh needs ${gib(needed)} GiB; free some space there, then run this again`,
    );
  const same = platform.platform === here.platform && platform.arch === here.arch;
  if (same && platform.platform === "linux") {
    const old = libcProblem(facts.libc, destination);
    if (old !== null) return refuse("unavailable", old);
  }
  if (same) return accept("same");
  return facts.hasNpm
    ? accept("npm")
    : refuse(
        "unavailable",
        `${destination} is ${platform.platform} on ${platform.arch} and this machine ${here.platform} on ${here.arch}, so its packages must come from npm's registry, and it has no npm; install Node there, then run this again`,
      );
}

/** How far its clock is from ours, as a sentence; null where that is within what certificates forgive. */
export function clockNote(facts: HostFacts, nowMs: number, destination: string): string | null {
  const offMs = facts.clockMs - nowMs;
  if (Math.abs(offMs) <= clockOffMsMax) return null;
  const seconds = Math.round(Math.abs(offMs) / msPerS);
  return `the clock of ${destination} is ${seconds} s ${offMs > 0 ? "ahead of" : "behind"} this machine's; certificates may not be believed there until it is right`;
}

const platforms: Readonly<Record<string, string>> = { Linux: "linux", Darwin: "darwin" };
const architectures: Readonly<Record<string, string>> = {
  x86_64: "x64",
  amd64: "x64",
  aarch64: "arm64",
  arm64: "arm64",
};

/** As Node calls them; null for one that it does not run on. */
export function platformOf({ arch, os }: Pick<HostFacts, "os" | "arch">): LocalPlatform | null {
  const [platform, known] = [platforms[os], architectures[arch]];
  return platform === undefined || known === undefined ? null : { platform, arch: known };
}

function libcProblem(libc: string, destination: string): string | null {
  const least = glibcLeast.join(".");
  if (/musl/iu.test(libc))
    return `${destination} has the C library musl, and Node's own binaries need glibc ${least} or newer; use a system such as Debian, Ubuntu or Fedora there`;
  const [major = 0, minor = 0] = (/(\d+)\.(\d+)/u.exec(libc) ?? []).slice(1).map(Number);
  const [leastMajor = 0, leastMinor = 0] = glibcLeast;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return null;
  const found = major === 0 ? "no C library that says which it is" : `glibc ${major}.${minor}`;
  return `${destination} has ${found}, and Node needs glibc ${least} or newer; bring its system up to date`;
}

function gib(bytes: number): string {
  return (bytes / bytesPerGiB).toFixed(1);
}
