/**
 * The programs whose YAML ours has to agree with: PyYAML, which W&B reads with, and sigs.k8s.io/yaml, which Kubernetes reads
 * with. Brought in by pip and by Go's own client into a folder of the tests' own, and kept there for the next run. Where one
 * cannot be had, why is said, and tests of it are skipped.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const pyyamlVersion = "6.0.3";
const kubernetesVersion = "v1.6.0";
const bringMs = 300_000;
const outputBytesMax = 64 * 1024 * 1024;

const cache = join(tmpdir(), "trialmesh-yaml-peers");

/** Reads each text as a file: its value as JSON, or null where the file is refused. */
export type YamlPeer = (texts: readonly string[]) => readonly (string | null)[];

export type PeerResult =
  | { readonly ok: true; readonly read: YamlPeer }
  | { readonly ok: false; readonly why: string };

const python = `import json, sys, yaml
sys.stdout.reconfigure(encoding="utf-8", errors="surrogatepass")
for line in sys.stdin:
    try:
        value = yaml.safe_load(json.loads(line))
        print(json.dumps(value, default=str, separators=(",", ":"), ensure_ascii=False))
    except Exception:
        print("error")
`;

export function pyyamlPeer(): PeerResult {
  return peer("PyYAML", () => {
    const home = brought(`pyyaml-${pyyamlVersion}`, (folder) => {
      run("python3", ["-m", "venv", folder]);
      run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", `PyYAML==${pyyamlVersion}`]);
    });
    return [join(home, "bin", "python"), "-c", python];
  });
}

const go = `package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var text string
		if err := json.Unmarshal(in.Bytes(), &text); err != nil {
			panic(err)
		}
		read, err := yaml.YAMLToJSON([]byte(text))
		if err != nil {
			fmt.Println("error")
		} else {
			fmt.Println(string(read))
		}
	}
}
`;

export function kubernetesPeer(): PeerResult {
  return peer("sigs.k8s.io/yaml", () => {
    const home = brought(`kubernetes-${kubernetesVersion}`, (folder) => {
      writeFileSync(join(folder, "main.go"), go);
      run("go", ["mod", "init", "peer"], folder);
      run("go", ["get", `sigs.k8s.io/yaml@${kubernetesVersion}`], folder);
      run("go", ["build", "-o", "peer", "."], folder);
    });
    return [join(home, "peer")];
  });
}

function peer(name: string, bring: () => readonly string[]): PeerResult {
  try {
    const [program = "", ...words] = bring();
    return {
      ok: true,
      read: (texts) => {
        const input = texts.map((text) => `${JSON.stringify(text)}\n`).join("");
        const lines = run(program, words, undefined, input).split("\n");
        return texts.map((_, index) => (lines[index] === "error" ? null : (lines[index] ?? null)));
      },
    };
  } catch (error) {
    const [first = ""] = String(error instanceof Error ? error.message : error).split("\n");
    return { ok: false, why: `${name} cannot be had here: ${first}` };
  }
}

/** A folder that `make` has filled, in this run or an earlier one. */
function brought(name: string, make: (folder: string) => void): string {
  const home = join(cache, name);
  if (existsSync(home)) return home;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "making-"));
  try {
    make(folder);
    // A run beside this one may have been first, and its folder does as well.
    if (!existsSync(home)) renameSync(folder, home);
    return home;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, words: readonly string[], cwd?: string, input = ""): string {
  return execFileSync(program, words, {
    cwd,
    input,
    encoding: "utf8",
    timeout: bringMs,
    maxBuffer: outputBytesMax,
    stdio: ["pipe", "pipe", "pipe"],
  });
}
