/**
 * The programs whose YAML ours has to agree with: PyYAML, which W&B reads with, and sigs.k8s.io/yaml, which Kubernetes reads
 * with. Brought in by pip and by Go's own client.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bringBy, broughtFolder, broughtPython, pythonIn, type Brought } from "./brought-folder.ts";

const pyyamlVersion = "6.0.3";
const kubernetesVersion = "v1.6.0";
const readMs = 300_000;
const outputBytesMax = 64 * 1024 * 1024;

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
  const brought = broughtPython(`pyyaml-${pyyamlVersion}`, [`PyYAML==${pyyamlVersion}`]);
  return peer(brought, (home) => [pythonIn(home), "-c", python]);
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
  const brought = broughtFolder(`kubernetes-${kubernetesVersion}`, "sigs.k8s.io/yaml", (draft) => {
    writeFileSync(join(draft, "main.go"), go);
    bringBy("go", ["mod", "init", "peer"], draft);
    bringBy("go", ["get", `sigs.k8s.io/yaml@${kubernetesVersion}`], draft);
    bringBy("go", ["build", "-o", "peer", "."], draft);
  });
  return peer(brought, (home) => [join(home, "peer")]);
}

function peer(brought: Brought, wordsOf: (home: string) => readonly string[]): PeerResult {
  if (!brought.ok) return brought;
  const [program = "", ...words] = wordsOf(brought.home);
  return {
    ok: true,
    read: (texts) => {
      const input = texts.map((text) => `${JSON.stringify(text)}\n`).join("");
      const options = { input, encoding: "utf8", timeout: readMs, maxBuffer: outputBytesMax } as const;
      const lines = execFileSync(program, words, options).split("\n");
      return texts.map((_, index) => (lines[index] === "error" ? null : (lines[index] ?? null)));
    },
  };
}
