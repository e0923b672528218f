/**
 * Programs named npm, python3 and c++ that do in a moment what an install asks of the real ones, or fail as
 * those do. Each notes its calls, so that a test can see what was done again and what was not.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const npm = `echo npm >> "$CALLS"
[ -n "$NPM_SLEEP" ] && sleep "$NPM_SLEEP"
[ -n "$NPM_SAYS" ] && { echo "$NPM_SAYS" >&2; exit 1; }
home="$3/node_modules/@tensorflow/tfjs-node"
mkdir -p "$home/binding" "$home/scripts" "$3/node_modules/node-api-headers/include"
echo '{"version":"4.22.0","binary":{"napi_versions":[3,8]}}' > "$home/package.json"
cat > "$home/scripts/install.js" <<'END'
const fs = require("node:fs");
fs.appendFileSync(process.env.CALLS, "standard\\n");
if (process.env.STANDARD_SAYS) throw new Error(process.env.STANDARD_SAYS);
for (const folder of ["deps/lib", "lib/napi-v8"]) fs.mkdirSync(folder, { recursive: true });
fs.writeFileSync("lib/napi-v8/tfjs_binding.node", "binding");
END
`;
const python = `case "$*" in
  *version_info*) exit 0 ;;
  *"pip --version"*) [ -z "$NO_PIP" ] ;;
  *download*)
    echo pip >> "$CALLS"
    [ -n "$PIP_SAYS" ] && { echo "$PIP_SAYS" >&2; exit 1; }
    while [ "$1" != --dest ]; do shift; done
    echo wheel > "$2/tensorflow_cpu-2.21.0-cp311-cp311-linux.whl" ;;
  *zipfile*)
    echo unpack >> "$CALLS"
    [ -n "$UNPACK_SAYS" ] && { echo "$UNPACK_SAYS" >&2; exit 1; }
    mkdir -p "$4/lib" "$4/include"
    echo library > "$4/lib/libtensorflow_cc.so.2"
    echo "Version: 2.21.0" > "$4/METADATA" ;;
esac
`;
const compiler = `[ "$1" = --version ] && exit 0
echo compile >> "$CALLS"
[ -n "$COMPILER_SAYS" ] && { echo "$COMPILER_SAYS" >&2; exit 1; }
for last; do :; done
echo binding > "$last"
`;

export interface FakeToolchain {
  /** The folder of managed runtimes. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What was called since the last time this was asked. */
  calls(): readonly string[];
  remove(): void;
}

/** Only these programs and a shell's own are on its path. */
export function fakeToolchain(programs: readonly string[] = ["npm", "python3", "c++"]): FakeToolchain {
  const home = mkdtempSync(join(tmpdir(), "trialmesh-toolchain-"));
  const bin = join(home, "bin");
  mkdirSync(bin);
  const texts = { npm, python3: python, "c++": compiler };
  for (const [name, text] of Object.entries(texts)) {
    if (!programs.includes(name)) continue;
    // The shell's helpers stay out of the path, where another Python or compiler may be.
    writeFileSync(join(bin, name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${text}`);
    chmodSync(join(bin, name), 0o755);
  }
  const calls = join(home, "calls");
  return {
    folder: join(home, "runtime"),
    // Nothing listens on port 1: the standard download is out of reach at once.
    environment: { PATH: bin, CALLS: calls, TFJS_NODE_BASE_URI: "http://127.0.0.1:1/" },
    calls: () => {
      const made = existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [];
      rmSync(calls, { force: true });
      return made;
    },
    remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}
