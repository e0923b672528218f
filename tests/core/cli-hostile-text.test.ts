/**
 * Every command that shows what a mesh says, given views with something hostile in every text of every entity: no byte that
 * a terminal obeys leaves, but newlines; as JSON the same values leave, escaped.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import type { Command } from "commander";
import * as fc from "fast-check";
import type * as z from "zod";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import { BusError } from "../../protocol/bus/bus.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { commandValues } from "../../protocol/command.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { queryValues } from "../../protocol/view.ts";
import { jsonText, printableLine, printableLines } from "../../text/printable.ts";
import { program } from "../../cli/command-tree.ts";
import { followToEnd } from "../../cli/command/follow-to-end.ts";
import { openTerminal } from "../../cli/shell/terminal.ts";
import { runPlain } from "../../tui/plain.ts";
import { driveScreen } from "../support/tui-screen.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { hostileTexts, hostileValue, obeyed } from "../support/hostile-value.ts";
import { runHere } from "../support/run-cli.ts";
import { processorMs } from "../support/processor-time.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-hostile-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** A plain generator is enough: what is drawn is only which text stands where. */
function drawing(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A client that answers every question and every command with such values; or refuses in such words. */
function hostileClient(seed: number, refuses: boolean, answered: unknown[] = []): MeshClient {
  const draw = drawing(seed);
  const answer = (schema: z.ZodType) => {
    const value = hostileValue(schema, draw);
    answered.push(value);
    return refuses ? refuse("invalid", hostileTexts[seed % hostileTexts.length] ?? "") : accept(value);
  };
  return {
    ...openFakeMesh().client,
    query: (name: keyof typeof queryValues) => Promise.resolve(answer(queryValues[name])),
    command: (name: keyof typeof commandValues) => Promise.resolve(answer(commandValues[name])),
    close: () => Promise.resolve(),
  } as unknown as MeshClient; // its answers are of any shape the schemas allow, which types cannot say
}

/** A mesh's store that holds nothing. */
const silentBus = {
  getMessage: () => Promise.resolve(null),
  request: () => Promise.reject(new BusError("no-responders", "Nobody answers.")),
};

function connectedBy(client: MeshClient): Connected {
  return {
    client,
    home: { mesh: "m", url: "nats://x", path: folder },
    bus: silentBus,
  } as unknown as Connected;
}

/** What a command reaches in place of a mesh. */
function hostileMesh(seed: number, refuses: boolean, answered: unknown[]) {
  return () => Promise.resolve(accept(connectedBy(hostileClient(seed, refuses, answered))));
}

const asking: readonly (readonly string[])[] = [
  ["agents"],
  ["agents", "desk"],
  ["agents", "cordon", "desk"],
  ["agents", "drain", "desk"],
  ["machines"],
  ["sweep", "ls"],
  ["sweep", "show", "s1"],
  ["sweep", "show", "s1", "--best"],
  ["sweep", "insight", "s1"],
  ["sweep", "why", "s1"],
  ["sweep", "stop", "s1"],
  ["sweep", "seal", "s1"],
  ["sweep", "pause", "s1"],
  ["sweep", "resume", "s1"],
  ["sweep", "rm", "s1", "--force"],
  ["sweep", "restore", "s1"],
  ["sweep", "tag", "s1", "+good", "-bad"],
  ["sweep", "note", "s1", "hm"],
  ["trial", "tag", "s1-1", "+good"],
  ["trial", "note", "s1-1", ""],
  ["sweep", "extend", "s1", "--trials", "3"],
  ["sweep", "tune", "s1", "--priority", "1"],
  ["trial", "show", "s1-1"],
  ["trial", "why", "s1-1"],
  ["trial", "logs", "s1-1"],
  ["trial", "stop", "s1-1", "s1-2"],
  ["sweep", "export", "s1", "--out", "-", "--format", "json"],
  ["trial", "export", "s1-1", "--out", "-", "--format", "json"],
  ["artifact", "ls"],
  ["artifact", "show", "a".repeat(64)],
  ["dataset", "ls"],
  ["dataset", "show", "reviews"],
  ["model", "ls"],
  ["model", "show", "m"],
  ["model", "show", "m@1"],
  ["model", "lineage", "m@1"],
  ["lineage", "m@1~2"],
  ["model", "diff", "m@1", "m@2"],
  ["dataset", "tag", "m", "+good", "-bad"],
  ["dataset", "note", "m@1", "hm"],
  ["dataset", "rm", "m@1", "--dry"],
  ["dataset", "rm", "m", "--force"],
  ["dataset", "restore", "m"],
  ["model", "tag", "m", "+good", "-bad"],
  ["model", "note", "m@1", "hm"],
  ["model", "rm", "m@1", "--dry"],
  ["model", "rm", "m", "--force"],
  ["model", "restore", "m"],
  ["predict", "m", "--text", "so"],
  ["budget", "show"],
  ["budget", "history", "ada"],
  ["budget", "grant", "ada", "5"],
  ["budget", "set", "ada", "--weight", "2"],
  ["account", "open", "ada"],
  ["deploy", "show", "m"],
  ["deploy", "stop", "m"],
  ["deploy", "logs", "m"],
  ["deployments"],
  ["gc", "--dry"],
  ["gc", "--why", "abcdef"],
  ["gc", "policy"],
  ["gc", "policy", "--checkpoints", "2"],
];

/** Commands that show nothing of what a mesh says, and those that are given a hostile mesh further below. */
const others = [
  ...[
    "up",
    "down",
    "demo",
    "coordinator",
    "add",
    "upgrade",
    "invite",
    "join",
    "revoke",
    "connection",
    "doctor",
    "agent",
    "agent probe",
  ],
  ...["secret set", "secret ls", "secret rm"],
  ...["runtime ls", "runtime install", "runtime remove", "runtime probe"],
  ...["sweep lint", "sweep schema", "sweep local", "sweep estimate", "sweep report", "trial propose"],
  ...["dataset add", "dataset preview", "dataset profile", "dataset diff", "dataset check"],
  ...["artifact get", "artifact put", "artifact pin", "artifact unpin", "artifact verify"],
  ...["model promote", "model rollback", "model report", "model export"],
  ...["serve", "gateway", "deploy"],
  ...["sweep run", "sweep watch", "tui"],
];

const seeds = Array.from({ length: 12 }, (_, seed) => seed + 1);

describe("TERM-1: nothing that a terminal obeys leaves a command, whatever the mesh says", () => {
  for (const words of asking)
    test(words.join(" "), async () => {
      for (const seed of seeds)
        for (const refuses of [false, true]) {
          const { err, out } = await runHere(words, {}, hostileMesh(seed, refuses, []));
          assert.ok(`${out}${err}`.trim() !== "", "it says something");
          for (const said of [out, err]) assert.doesNotMatch(said, obeyed, `seed ${seed}`);
        }
    });

  test("every other command is one that shows nothing of a mesh", () => {
    const leaves = (command: Command, path: readonly string[]): string[] => [
      ...(command.commands.length === 0 || ["agents", "agent", "gc", "deploy"].includes(command.name())
        ? [path.join(" ")]
        : []),
      ...command.commands.flatMap((child) => leaves(child, [...path, child.name()])),
    ];
    const terminal = openTerminal({
      environment: {},
      interactive: false,
      columns: 100,
      writeOut: () => {},
      writeErr: () => {},
      finish: () => {},
    });
    const asked = asking.map((words) =>
      leaves(program(terminal), [])
        .filter((leaf) => `${words.join(" ")} `.startsWith(`${leaf} `))
        .at(-1),
    );
    assert.deepEqual(new Set(leaves(program(terminal), [])), new Set([...asked, ...others]));
  });

  test("the end of `sweep run`, and `tui` in plain lines", async () => {
    for (const seed of seeds) {
      let said = "";
      const write = (text: string) => void (said += text);
      const client = hostileClient(seed, false);
      const ending: MeshClient = {
        ...client,
        query: (async (name: keyof typeof queryValues, body: object) => {
          const answer = await client.query(name, body);
          const over = { state: "done", finishedAt: 5 };
          if (answer.ok && "summary" in answer.value) Object.assign(answer.value.summary, over);
          if (answer.ok && "sweeps" in answer.value)
            Object.assign(answer.value.sweeps[0] ?? {}, { ...over, sweep: "s1" });
          return answer;
        }) as MeshClient["query"],
      };
      const terminal = openTerminal({
        environment: {},
        interactive: false,
        columns: 100,
        writeOut: write,
        writeErr: write,
        finish: () => {},
      });
      await followToEnd(terminal, connectedBy(ending), "s1", {});
      const stop = new AbortController();
      await runPlain({ client: ending, stdout: { write }, signal: stop.signal, until: "s1" });
      assert.ok(said.length > 20);
      assert.doesNotMatch(said, obeyed, `seed ${seed}`);
    }
  });

  test("the full-screen interface, on every screen", async () => {
    for (const seed of seeds.slice(0, 3)) {
      const screen = await driveScreen({
        mesh: { ...openFakeMesh(), client: hostileClient(seed, seed % 3 === 0) },
      });
      for (const key of [
        "1",
        "2",
        "return",
        "l",
        "escape",
        "3",
        "return",
        "4",
        "return",
        "5",
        "return",
        "6",
        "7",
        "8",
        "9",
        "?",
      ]) {
        await screen.press(key);
        assert.doesNotMatch(screen.text(), obeyed, `seed ${seed}, after ${key}`);
      }
      screen.store.stop();
    }
  });

  test("what is refused about a file, and what its trials print, in `sweep local`", async () => {
    const bad = join(folder, "bad.yaml");
    writeFileSync(
      bad,
      `name: x\n${hostileTexts.map((_, n) => JSON.stringify(`${hostileTexts[n]}`)).join(": 1\n")}: 1\n`,
    );
    const run = join(folder, "run.sh");
    writeFileSync(run, `printf '%b' '\\033]0;x\\007\\0233Jname\\n' >&2\nexit 3\n`);
    const good = join(folder, "sweep.yaml");
    writeFileSync(
      good,
      "name: x\ncommand: [sh, run.sh]\nobjective: { metric: score, keep: max }\nsearch: { trials: 1 }\nparameters: { a: [1] }\n",
    );
    for (const file of [bad, good])
      for (const json of [[], ["--json"]]) {
        const { err, out } = await runHere(["sweep", "local", file, ...json], process.env);
        assert.ok(`${out}${err}` !== "");
        for (const said of [out, err]) assert.doesNotMatch(said, obeyed);
      }
  });
});

describe("TERM-2: as JSON the same values leave, escaped", () => {
  for (const words of asking)
    test(words.join(" "), async () => {
      for (const seed of seeds) {
        const answered: unknown[] = [];
        const { err, out } = await runHere([...words, "--json"], {}, hostileMesh(seed, false, answered));
        for (const said of [out, err]) assert.doesNotMatch(said, obeyed, `seed ${seed}`);
        const document: unknown = JSON.parse(out);
        assert.deepEqual(JSON.parse(jsonText(document)), document);
      }
    });

  test("of any value, nothing is lost", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...hostileTexts), (value, text) => {
        const written = jsonText({ value, [text]: text });
        assert.doesNotMatch(written, obeyed);
        assert.deepEqual(JSON.parse(written), JSON.parse(JSON.stringify({ value, [text]: text })));
      }),
    );
  });
});

describe("TERM-3: text is printable, and what is plain stays as it is", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "\u001b",
      "[",
      "]",
      "0;",
      "31",
      "m",
      "\u0007",
      "\u001b\\",
      "\u009b",
      "\u009c",
      "\u009d",
      "\n",
      "\t",
      "a",
      "\u202e",
      "P",
    ),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  test("of any text", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join("");
        assert.doesNotMatch(printableLines(text), obeyed);
        assert.doesNotMatch(printableLine(text), obeyed);
        assert.doesNotMatch(printableLine(text), /\n/);
      }),
      { numRuns: 5_000 },
    );
  });

  test("scripts, emoji and accents", () => {
    for (const text of ["größe = 5 µm", "שלום", "नमस्ते", "日本語", "❤️ 👍🏽", "e\u0301", "a\nb"])
      assert.equal(printableLines(text), text);
  });

  test("a coloured line reads as it was meant, and a link as its words", () => {
    assert.equal(printableLine("\u001b[1;31mloss\u001b[0m 0.7"), "loss 0.7");
    assert.equal(printableLine("\u001b]8;;http://x\u0007here\u001b]8;;\u0007"), "here");
  });

  test("a long hostile text takes no longer than its length", () => {
    for (const part of ["\u001b]", "\u009d", "\u001b[", "\u001b[1", "\u001bP\u001b", "\u001b "]) {
      const startedAt = processorMs();
      printableLines(part.repeat(200_000));
      assert.ok(processorMs() - startedAt < 2_000, JSON.stringify(part));
    }
  });
});
