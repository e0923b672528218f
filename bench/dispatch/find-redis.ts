/**
 * A redis-server: the one on PATH, else Debian's, fetched by apt (which checks its signature) and unpacked beside
 * the project. Nothing is installed on the system.
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { runCommand } from "../../mesh/outside-command.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { benchFolder } from "../shared/bench-folder.ts";

export interface Redis {
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The program's file is in redis-tools, its name in redis-server; the others are libraries a bare Debian lacks. */
const debianPackages = ["redis-server", "redis-tools", "libjemalloc2", "liblzf1", "libatomic1"];
const downloadTimeoutMs = 60_000;

export async function findRedis(say: (line: string) => void): Promise<Outcome<Redis>> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const program = join(folder, "redis-server");
    if (existsSync(program)) return accept({ program, environment: process.env });
  }
  const place = join(benchFolder, "redis");
  const unpacked = join(place, "unpacked");
  const program = join(unpacked, "usr/bin/redis-server");
  if (!existsSync(program)) {
    say("fetching Debian's redis-server into .cache/bench (once)");
    mkdirSync(unpacked, { recursive: true });
    const fetched = await fetchPackages(place);
    if (!fetched.ok || !existsSync(program)) {
      const why = fetched.ok ? "its package holds no redis-server" : fetched.refusal.message;
      return refuse("unavailable", `there is no redis-server on PATH, and Debian's cannot be had: ${why}`);
    }
  }
  return accept({ program, environment: { ...process.env, LD_LIBRARY_PATH: libraryPath(unpacked) } });
}

/** By the machine's own apt, whose lists must be there; whoever runs this needs no rights for it. */
async function fetchPackages(place: string): Promise<Outcome<null>> {
  const words = ["-q", "download", ...debianPackages];
  const downloaded = await runCommand("apt-get", words, { cwd: place, timeoutMs: downloadTimeoutMs });
  if (!downloaded.ok) return downloaded;
  for (const file of readdirSync(place).filter((name) => name.endsWith(".deb"))) {
    const unpack = await runCommand("dpkg", ["-x", file, "unpacked"], {
      cwd: place,
      timeoutMs: downloadTimeoutMs,
    });
    if (!unpack.ok) return unpack;
  }
  return accept(null);
}

/** Debian keeps libraries in a folder named for the architecture. */
function libraryPath(unpacked: string): string {
  const libraries = join(unpacked, "usr/lib");
  return [libraries, ...readdirSync(libraries).map((name) => join(libraries, name))].join(delimiter);
}
