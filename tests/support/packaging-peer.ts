/**
 * Python's own `packaging`, which pip judges versions by, brought in by pip into a folder of the tests' own and kept there for the
 * next run. Where it cannot be had, why is said, and tests against it are skipped.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";

const packagingVersion = "25.0";
const bringMs = 120_000;
const outputBytesMax = 64 * 1024 * 1024;
const cache = join(tmpdir(), "trialmesh-python-peers");

/** Whether the version meets the conditions; null where `packaging` refuses one of them. */
export type PackagingPeer = (pairs: readonly (readonly [string, string])[]) => readonly (boolean | null)[];

const answersSchema = z.array(z.boolean().nullable());

const script = `import json, sys
from packaging.requirements import Requirement
from packaging.version import Version
answers = []
for wanted, version in json.load(sys.stdin):
    try:
        answers.append(Requirement(wanted).specifier.contains(Version(version), prereleases=True))
    except Exception:
        answers.append(None)
json.dump(answers, sys.stdout)
`;

export function packagingPeer(): { readonly peer: PackagingPeer } | { readonly skip: string } {
  try {
    const home = brought(`packaging-${packagingVersion}`);
    return {
      peer: (pairs) => {
        const out = execFileSync("python3", ["-c", script], {
          input: JSON.stringify(pairs),
          env: { ...process.env, PYTHONPATH: home },
          maxBuffer: outputBytesMax,
          encoding: "utf8",
        });
        return answersSchema.parse(JSON.parse(out));
      },
    };
  } catch (error) {
    return {
      skip: `the Python package packaging cannot be had: ${error instanceof Error ? error.message : ""}`,
    };
  }
}

function brought(name: string): string {
  const home = join(cache, name);
  if (existsSync(home)) return home;
  mkdirSync(cache, { recursive: true });
  const draft = mkdtempSync(join(cache, "draft-"));
  try {
    const words = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-deps",
      "--target",
      draft,
      `packaging==${packagingVersion}`,
    ];
    execFileSync("python3", words, { timeout: bringMs, stdio: "pipe" });
    renameSync(draft, home);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
  return home;
}
