/** What of a program's last word is taken for the machine's fault, and what for its own. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { lackIn } from "../../agent/program/machine-lack.ts";
import type { Params } from "../../protocol/value.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-lack-"));
for (const path of [
  "train.py",
  "helpers/__init__.py",
  "src/model.py",
  "lib/native.so",
  "tool.js",
  "data/yaml.csv",
]) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), "");
}

function lack(
  said: string,
  { code = 1, params = {} }: { code?: number; params?: Params } = {},
): string | null {
  return lackIn({ code, said }, { folder, ownFolders: ["/var/scratch"], params });
}

describe("LACK-5: what a machine lacks is known by what interpreters, shells and loaders say", () => {
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

  const lacking: readonly (readonly [string, string, number?])[] = [
    ["ModuleNotFoundError: No module named 'yaml'", 'the Python module "yaml"'],
    ["ModuleNotFoundError: No module named 'google.protobuf'", 'the Python module "google.protobuf"'],
    ["ModuleNotFoundError: No module named 'a.b'; 'a' is not a package", 'the Python module "a.b"'],
    ["ImportError: No module named torch", 'the Python module "torch"'],
    ["/usr/bin/python3: No module named pytest", 'the Python module "pytest"'],
    [
      "/usr/bin/python3.12: Error while finding module specification for 'foo.bar' (ModuleNotFoundError: No module named 'foo')",
      'the Python module "foo"',
    ],
    [
      "ImportError: cannot import name 'Self' from 'typing' (/usr/lib/python3.10/typing.py)",
      '"Self" of the Python module "typing"',
    ],
    ["ImportError: cannot import name 'x' from 'numpy'", '"x" of the Python module "numpy"'],
    [
      "ImportError: Missing optional dependency 'openpyxl'.  Use pip or conda to install openpyxl.",
      'the Python package "openpyxl"',
    ],
    [
      "importlib.metadata.PackageNotFoundError: No package metadata was found for torch",
      'the Python package "torch"',
    ],
    [
      "ImportError: libGL.so.1: cannot open shared object file: No such file or directory",
      'the library "libGL.so.1"',
    ],
    [
      "./train: error while loading shared libraries: libcudart.so.12: cannot open shared object file: No such file or directory",
      'the library "libcudart.so.12"',
      127,
    ],
    [
      "./train: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by ./train)",
      "the library version GLIBC_2.38",
    ],
    ["sh: 1: julia: not found", 'the program "julia"', 127],
    ["run.sh: line 3: ffmpeg: command not found", 'the program "ffmpeg"', 127],
    ["zsh: command not found: ffmpeg", 'the program "ffmpeg"', 127],
    ["/usr/bin/env: ‘python3.13’: No such file or directory", 'the program "python3.13"', 127],
    ["env: 'ruby': No such file or directory", 'the program "ruby"', 127],
    ["Error: Cannot find module 'left-pad'", 'the Node.js package "left-pad"'],
    [
      "Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@scope/thing' imported from /a/b.mjs",
      'the Node.js package "@scope/thing"',
    ],
    ["Error in library(xgboost) : there is no package called ‘xgboost’", 'the R package "xgboost"'],
    [
      "Can't locate JSON/XS.pm in @INC (you may need to install the JSON::XS module)",
      'the Perl module "JSON::XS"',
    ],
    ["in `require': cannot load such file -- nokogiri (LoadError)", 'the Ruby library "nokogiri"'],
    ["ERROR: LoadError: ArgumentError: Package Flux not found in current path.", 'the Julia package "Flux"'],
    [
      "FileNotFoundError: [Errno 2] No such file or directory: '/srv/data/train.csv'",
      'the file "/srv/data/train.csv"',
    ],
    ["Error: ENOENT: no such file or directory, open '/srv/x.json'", 'the file "/srv/x.json"'],
    ["cat: /srv/x.txt: No such file or directory", 'the file "/srv/x.txt"'],
    ["ls: cannot access '/srv/x y': No such file or directory", 'the file "/srv/x y"'],
    ["bash: /opt/tool/run: No such file or directory", 'the file "/opt/tool/run"', 127],
  ];
  for (const [said, what, code = 1] of lacking)
    test(said, () => {
      assert.equal(lack(said, { code }), what);
      assert.equal(lack(`  ${said}\r`, { code }), what);
    });

  const own: readonly (readonly [string, { code?: number; params?: Params }?])[] = [
    ["ModuleNotFoundError: No module named 'helpers.deep'"],
    ["ModuleNotFoundError: No module named 'model'"],
    ["ImportError: cannot import name 'x' from partially initialized module 'torch' (most likely a circle)"],
    [`ImportError: cannot import name 'x' from 'helpers' (${folder}/helpers/__init__.py)`],
    ["ImportError: attempted relative import with no known parent package"],
    [`OSError: ${folder}/lib/none.so: cannot open shared object file: No such file or directory`],
    ["OSError: ./lib/none.so: cannot open shared object file: No such file or directory"],
    ["Error: Cannot find module './tool-two'"],
    ["Error: Cannot find module 'tool'"],
    ["FileNotFoundError: [Errno 2] No such file or directory: 'train.csv'"],
    [`FileNotFoundError: [Errno 2] No such file or directory: '${folder}/train.csv'`],
    ["FileNotFoundError: [Errno 2] No such file or directory: '/var/scratch/part-1'"],
    ["FileNotFoundError: [Errno 2] No such file or directory: '/srv/fold3.csv'", { params: { k: 3 } }],
    ["FileNotFoundError: [Errno 2] No such file or directory: '/srv/fold-03.csv'", { params: { k: 3 } }],
    ["FileNotFoundError: [Errno 2] No such file or directory: '/srv/mnist.csv'", { params: { d: "mnist" } }],
    ["KeyError: 'yaml'"],
    ["RuntimeError: checkpoint: not found"],
    ["RuntimeError: no module for this: not found", { code: 1 }],
    ["./helper.sh: not found", { code: 127 }],
    ["ValueError: No module named 'yaml' in the table"],
    [""],
  ];
  for (const [said, more = {}] of own) test(`its own: ${said}`, () => assert.equal(lack(said, more), null));

  test("a number in a file's name counts only where it is the parameter's", () => {
    const said = "FileNotFoundError: [Errno 2] No such file or directory: '/srv/mnist28.csv'";
    assert.equal(lack(said, { params: { k: 2 } }), 'the file "/srv/mnist28.csv"');
    assert.equal(lack(said, { params: { k: 28 } }), null);
  });

  test("any module that is no file of the program is named; whatever else is said throws nothing and stays short", () => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,30}$/);
    fc.assert(
      fc.property(name, (module) => {
        const isOwn = ["train", "helpers", "model", "native", "tool"].includes(module);
        const found = lack(`ModuleNotFoundError: No module named '${module}'`);
        assert.equal(found, isOwn ? null : `the Python module "${module}"`);
      }),
    );
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 3_000 }),
        fc.integer({ min: 1, max: 255 }),
        (said, code) => {
          assert.ok((lack(said, { code }) ?? "").length <= 150);
        },
      ),
    );
  });
});
