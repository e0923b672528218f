/**
 * Brings in a nats-server by compiling it, where Go is installed. The Go checksum database
 * vouches for the source.
 */
import { dirname } from "node:path";
import { accept, type Outcome } from "../protocol/refusal.ts";
import { runCommand } from "./outside-command.ts";

const askTimeoutMs = 5_000;
const buildTimeoutMs = 180_000;

export async function buildWithGo(target: string, release: string): Promise<Outcome<null>> {
  const present = await runCommand("go", ["version"], { timeoutMs: askTimeoutMs });
  if (!present.ok) return present;
  // `go install` names the program after the module, which is what `target` is called.
  const built = await runCommand("go", ["install", `github.com/nats-io/nats-server/v2@v${release}`], {
    timeoutMs: buildTimeoutMs,
    env: { ...process.env, GOBIN: dirname(target) },
  });
  return built.ok ? accept(null) : built;
}
