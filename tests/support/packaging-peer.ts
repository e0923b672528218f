/**
 * Python's own `packaging`, which pip judges versions by, brought in by pip into a folder of the tests' own and kept there for the
 * next run. Where it cannot be had, why is said, and tests against it are skipped.
 */
import { execFileSync } from "node:child_process";
import * as z from "zod";
import { broughtPython, pythonIn } from "./brought-folder.ts";

const packagingVersion = "25.0";
const outputBytesMax = 64 * 1024 * 1024;

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
  const brought = broughtPython(`packaging-${packagingVersion}`, [`packaging==${packagingVersion}`]);
  if (!brought.ok) return { skip: brought.why };
  return {
    peer: (pairs) => {
      const out = execFileSync(pythonIn(brought.home), ["-c", script], {
        input: JSON.stringify(pairs),
        maxBuffer: outputBytesMax,
        encoding: "utf8",
      });
      return answersSchema.parse(JSON.parse(out));
    },
  };
}
