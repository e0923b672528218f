/**
 * Brings in a nats-server from its GitHub release. What is downloaded is checked against the
 * SHA256SUMS that the release itself publishes, fetched over https from the same place: it guards
 * against a damaged or swapped file on the way, not against a release that was itself replaced.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { runCommand } from "./outside-command.ts";

const releases = "https://github.com/nats-io/nats-server/releases/download";
/** How long an unreachable host may hold us up. */
const answerTimeoutMs = 4_000;
const downloadTimeoutMs = 60_000;
const unpackTimeoutMs = 20_000;

/** The release's own word for this platform, or null where none is built. */
export function releasePlatform(platform: string, architecture: string): string | null {
  const system = platform === "linux" || platform === "darwin" ? platform : null;
  const machine = architecture === "x64" ? "amd64" : architecture === "arm64" ? "arm64" : null;
  return system === null || machine === null ? null : `${system}-${machine}`;
}

/** The digest of `file` in the text of a SHA256SUMS (lines of `<64 hex>  <file>`), or null. */
export function digestIn(sums: string, file: string): string | null {
  for (const line of sums.split("\n")) {
    const [digest = "", name = ""] = line.trim().split(/\s+\*?/);
    if (name === file && /^[0-9a-f]{64}$/.test(digest)) return digest;
  }
  return null;
}

export async function downloadRelease(target: string, release: string): Promise<Outcome<null>> {
  const platform = releasePlatform(process.platform, process.arch);
  if (platform === null)
    return refuse("unavailable", `no release for ${process.platform} on ${process.arch}`);
  const folder = `nats-server-v${release}-${platform}`;
  const archive = `${folder}.tar.gz`;
  const sums = await download(`${releases}/v${release}/SHA256SUMS`);
  if (!sums.ok) return sums;
  const digest = digestIn(sums.value.toString("utf8"), archive);
  if (digest === null) return refuse("unavailable", `its SHA256SUMS do not list ${archive}`);
  const bytes = await download(`${releases}/v${release}/${archive}`);
  if (!bytes.ok) return bytes;
  const found = createHash("sha256").update(bytes.value).digest("hex");
  if (found !== digest)
    return refuse("unavailable", `${archive} has SHA-256 ${found}, not ${digest} as published`);
  const place = dirname(target);
  writeFileSync(join(place, archive), bytes.value);
  const unpacked = await runCommand(
    "tar",
    ["-xzf", archive, "--strip-components=1", `${folder}/nats-server`],
    {
      cwd: place,
      timeoutMs: unpackTimeoutMs,
    },
  );
  return unpacked.ok ? accept(null) : unpacked;
}

/** The whole body. The first answer must come soon; a slow body may take longer. */
async function download(url: string): Promise<Outcome<Buffer>> {
  const host = new URL(url).host;
  const limit = new AbortController();
  let timer = setTimeout(() => limit.abort(), answerTimeoutMs);
  try {
    const response = await fetch(url, { signal: limit.signal });
    if (!response.ok) return refuse("unavailable", `${host} answered ${response.status}`);
    clearTimeout(timer);
    timer = setTimeout(() => limit.abort(), downloadTimeoutMs);
    return accept(Buffer.from(await response.arrayBuffer()));
  } catch {
    return refuse("unavailable", `${host} cannot be reached`);
  } finally {
    clearTimeout(timer);
  }
}
