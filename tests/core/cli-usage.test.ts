/** The command line as a surface: what it offers, what it says to a slip, and what its exit status means. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { refusalSchema } from "../../protocol/refusal.ts";
import { program } from "../../cli/command-tree.ts";
import { openTerminal, type Terminal } from "../../cli/shell/terminal.ts";
import { runCli } from "../support/run-cli.ts";

interface Heard {
  out: string;
  note: string;
  readonly terminal: Terminal;
}

function listen(): Heard {
  const heard: Heard = {
    out: "",
    note: "",
    terminal: openTerminal({
      environment: {},
      interactive: false,
      columns: 100,
      writeOut: (text) => void (heard.out += text),
      writeErr: (text) => void (heard.note += text),
      finish: () => {},
    }),
  };
  return heard;
}

async function parse(...words: string[]): Promise<Heard & { readonly code: number }> {
  const heard = listen();
  let code = -1;
  try {
    await program(heard.terminal).parseAsync(["node", "trialmesh", ...words]);
  } catch (error) {
    code = z.object({ exitCode: z.number() }).parse(error).exitCode;
  }
  return { ...heard, code };
}

const commands = [
  "up",
  "down",
  "demo",
  "agent",
  "coordinator",
  "tui",
  "sweep",
  "trial",
  "agents",
  "model",
  "predict",
  "budget",
  "account",
  "invite",
  "join",
  "revoke",
  "connection",
  "doctor",
];
const inGroups = {
  sweep: [
    "run",
    "local",
    "lint",
    "schema",
    "estimate",
    "ls",
    "show",
    "report",
    "why",
    "tune",
    "seal",
    "stop",
  ],
  trial: ["show", "why", "logs", "propose"],
  model: ["ls", "show", "promote", "rollback", "lineage", "diff", "tag", "note", "rm", "restore"],
  dataset: ["ls", "show", "tag", "note", "rm", "restore"],
  budget: ["show", "history", "grant", "set"],
  account: ["open"],
  agents: ["cordon", "drain"],
  agent: ["probe"],
};

describe("CLI-1: help lists every command, and every command has help", () => {
  test("the root", async () => {
    const { out, code } = await parse("--help");
    assert.equal(code, 0);
    for (const name of commands) assert.match(out, new RegExp(`^  ${name}\\b`, "m"));
    for (const status of ["0", "1", "2", "3"]) assert.match(out, new RegExp(`^  ${status} +\\S`, "m"));
    assert.match(out, /TRIALMESH_HOME/);
  });
  for (const [group, names] of Object.entries(inGroups)) {
    test(group, async () => {
      const { out } = await parse(group, "--help");
      for (const name of names) {
        assert.match(out, new RegExp(`^  ${name}\\b`, "m"));
        const own = await parse(group, name, "--help");
        assert.equal(own.code, 0);
        assert.match(own.out, new RegExp(`^Usage: trialmesh ${group} ${name}`));
      }
    });
  }
});

test("CLI-2: whatever prints an answer can print it as JSON", () => {
  // Long-lived processes, groups, and `schema`, which is one JSON document anyway.
  const silent = new Set([
    "agent",
    "coordinator",
    "tui",
    "sweep",
    "trial",
    "dataset",
    "runtime",
    "model",
    "budget",
    "account",
    "artifact",
    "secret",
    "schema",
  ]);
  const root = program(listen().terminal);
  const all = root.commands.flatMap((command) => [command, ...command.commands]);
  const without = all
    .filter((command) => !command.options.some((option) => option.long === "--json"))
    .map((command) => command.name());
  assert.deepEqual(
    without.filter((name) => !silent.has(name)),
    [],
  );
});

describe("CLI-3: a slip gets one sentence with the nearest right name, and no stack", () => {
  const table: readonly [words: string, said: string][] = [
    ["swep ls", 'trialmesh: unknown command "swep", did you mean "sweep"? (see `trialmesh --help`)\n'],
    [
      "sweep rnu x.yaml",
      'trialmesh: unknown command "rnu", did you mean "run"? (see `trialmesh sweep --help`)\n',
    ],
    ["sweep list", 'trialmesh: unknown command "list", did you mean "ls"? (see `trialmesh sweep --help`)\n'],
    [
      "budget list",
      'trialmesh: unknown command "list", did you mean "show"? (see `trialmesh budget --help`)\n',
    ],
    [
      "sweep delete s1",
      'trialmesh: unknown command "delete", did you mean "rm"? (see `trialmesh sweep --help`)\n',
    ],
    [
      "trial ls",
      'trialmesh: unknown command "ls", did you mean "trialmesh sweep show SWEEP"? (see `trialmesh trial --help`)\n',
    ],
    ["start", 'trialmesh: unknown command "start", did you mean "up"? (see `trialmesh --help`)\n'],
    [
      "show sweep s1",
      'trialmesh: unknown command "show", did you mean "trialmesh sweep show s1"? (see `trialmesh --help`)\n',
    ],
    [
      "sweep s1 show",
      'trialmesh: unknown command "s1", did you mean "trialmesh sweep show s1"? (see `trialmesh sweep --help`)\n',
    ],
    ["frobnicate sweep", 'trialmesh: unknown command "frobnicate" (see `trialmesh --help`)\n'],
    [
      "agents --jsn",
      'trialmesh: unknown option "--jsn", did you mean "--json"? (see `trialmesh agents --help`)\n',
    ],
    ["sweep run", 'trialmesh: missing required argument "file" (see `trialmesh sweep run --help`)\n'],
    ["sweep show 7", 'trialmesh: <sweep> is an id such as "s7", not 7 (see `trialmesh sweep show --help`)\n'],
    [
      "trial why s7",
      'trialmesh: <trial> is an id such as "s7-12", not "s7" (see `trialmesh trial why --help`)\n',
    ],
    [
      "budget grant alice many",
      'trialmesh: <tokens> is a number, 0.001 to 1000000000, not "many" (see `trialmesh budget grant --help`)\n',
    ],
    [
      "budget grant alice -- -5",
      "trialmesh: <tokens> is 0.001 to 1000000000, not -5 (see `trialmesh budget grant --help`)\n",
    ],
    ["invite agent pool --uses 0", "trialmesh: --uses is 1 to 100, not 0 (see `trialmesh invite --help`)\n"],
    [
      "invite agent pool --uses 1.5",
      "trialmesh: --uses is a whole number, 1 to 100, not 1.5 (see `trialmesh invite --help`)\n",
    ],
    [
      "up --port 70000",
      "trialmesh: --port is 1 to 65535 (or 0 for a free one), not 70000 (see `trialmesh up --help`)\n",
    ],
    [
      "sweep local descent.yaml --seed -1",
      "trialmesh: --seed is 0 or more, not -1 (see `trialmesh sweep local --help`)\n",
    ],
    [
      "budget set ada --weight -2",
      "trialmesh: --weight is above 0 and at most 1000, not -2 (see `trialmesh budget set --help`)\n",
    ],
    [
      "budget set ada --per-sweep lots",
      'trialmesh: --per-sweep is a number, 0.001 to 1000000000, not "lots" (see `trialmesh budget set --help`)\n',
    ],
    [
      "budget set ada --refill 5 --every daily --up-to 9",
      'trialmesh: --every is a number and m, h or d, such as 90m, 12h or 1d, not "daily" (see `trialmesh budget set --help`)\n',
    ],
    [
      "budget set ada --refill 5",
      "trialmesh: --refill needs --every and --up-to, such as --every 1d --up-to 500 (see `trialmesh budget set --help`)\n",
    ],
    [
      "budget set ada --refill 50 --every 1d --up-to 9",
      "trialmesh: --up-to is below --refill; it must be at least 50.0 (see `trialmesh budget set --help`)\n",
    ],
    [
      "budget set ada --up-to 9",
      "trialmesh: --up-to belongs to --refill TOKENS; give that too (see `trialmesh budget set --help`)\n",
    ],
    [
      "budget set ada",
      "trialmesh: there is nothing to set; give --weight, --refill, --no-refill, --per-sweep or --no-per-sweep (see `trialmesh budget set --help`)\n",
    ],
    [
      "sweep tune s1",
      "trialmesh: there is nothing to change; give --priority or --weight (see `trialmesh sweep tune --help`)\n",
    ],
    [
      "trial propose s1",
      'trialmesh: missing required argument "parameters" (see `trialmesh trial propose --help`)\n',
    ],
    [
      "trial propose s1 lr",
      'trialmesh: "lr" is no parameter; write name=value, such as lr=0.3 (see `trialmesh trial propose --help`)\n',
    ],
    [
      "trial propose s1 lr=1 lr=2",
      "trialmesh: parameter lr is given twice (see `trialmesh trial propose --help`)\n",
    ],
    ["sweep seal 7", 'trialmesh: <sweep> is an id such as "s7", not 7 (see `trialmesh sweep seal --help`)\n'],
    [
      "sweep tune s1 --priority 500",
      "trialmesh: --priority is -100 to 100, not 500 (see `trialmesh sweep tune --help`)\n",
    ],
    [
      "model lineage language-id",
      'trialmesh: <model> cannot be "language-id": a model is written "name@version", "name@alias" or "name@best", such as language-id@champion (see `trialmesh model lineage --help`)\n',
    ],
    [
      "up --listen 0.0.0.0:4222 --port 4300",
      "trialmesh: --listen names port 4222 and --port 4300; the server has one: give --listen 0.0.0.0:4300, or leave --port out (see `trialmesh up --help`)\n",
    ],
    [
      "up --detach --port 0 --listen 127.0.0.1:4222",
      "trialmesh: --listen names port 4222 and --port 0; the server has one: give --listen 127.0.0.1:0, or leave --port out (see `trialmesh up --help`)\n",
    ],
    [
      "up --listen 4222",
      "trialmesh: --listen is an address of this machine and a port up to 65535, such as 0.0.0.0:4222, not 4222 (see `trialmesh up --help`)\n",
    ],
  ];
  for (const [words, said] of table) {
    test(words, async () => {
      const { note, out, code } = await parse(...words.split(" "));
      assert.equal(note, said);
      assert.equal(out, "");
      assert.notEqual(code, 0);
    });
  }
});

describe("CLI-4: exit status and streams of the real program", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "trialmesh-test-"));
  });
  after(() => rmSync(folder, { recursive: true, maxRetries: 5 }));

  test("usage is 2, help is 0", async () => {
    const [slip, help] = await Promise.all([runCli(["swep"]), runCli(["--help"])]);
    assert.equal(slip.code, 2);
    assert.equal(slip.out, "");
    assert.equal(help.code, 0);
    assert.equal(help.err, "");
  });

  test("a refusal is 1: one sentence on standard error, as JSON on standard output when asked", async () => {
    const home = join(folder, "none");
    const { code, out, err } = await runCli(["agents", "--json"], { TRIALMESH_HOME: home });
    assert.equal(code, 1);
    assert.match(err, /^trialmesh: no mesh in .*none; start one with `trialmesh up`[^\n]*\n$/);
    assert.equal(z.object({ refusal: refusalSchema }).parse(JSON.parse(out)).refusal.code, "unknown");
  });

  test("a home of another version is refused and left as it is", async () => {
    const home = join(folder, "other");
    mkdirSync(home, { mode: 0o700 });
    writeFileSync(join(home, "mesh.json"), '{"version": 99, "mesh": "mesh"}');
    const { code, err } = await runCli(["up", "--port", "0"], { TRIALMESH_HOME: home });
    assert.equal(code, 1);
    assert.match(err, /^trialmesh: .* is a home of version 99 and this trialmesh keeps version 2; [^\n]*\n$/);
  });
});
