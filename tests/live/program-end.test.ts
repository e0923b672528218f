/**
 * Programs that leave something behind, cannot be started, or print what is hard to read: each is its own trial's trouble,
 * and nobody else's. Real processes, most of them shell scripts.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import * as fc from "fast-check";
import { machineRunner } from "../../agent/child/machine-runner.ts";
import type { Job } from "../../agent/runner/runner.ts";
import { openLmdbStore } from "../../store/lmdb-store.ts";
import { fixtureCommand, hearJob, programJob } from "../support/program-job.ts";
import { runHere } from "../support/run-cli.ts";
import { gone, isAlive } from "../support/living-process.ts";
import { pidOfKilledAgent } from "../support/killed-agent.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-program-end-"));
const runner = machineRunner({
  slots: 2,
  machine: { cores: 2, gpus: 0 },
  environment: process.env,
  interpreter: "python3",
});
after(async () => {
  await runner.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const onLinux =
  process.platform === "linux" ? false : "only Linux shows another process's environment and files";
const noSetsid = spawnSync("setsid", ["true"]).status === 0 ? onLinux : "no setsid";

function scriptJob(text: string, more: Partial<Job> = {}, change: Partial<typeof fixtureCommand> = {}): Job {
  return programJob(
    folder,
    { "run.sh": text },
    { ...fixtureCommand, command: ["sh", "run.sh"], ...change },
    more,
  );
}

describe("PROG-11: what cannot be started fails its own trial, with what is missing or too long", () => {
  const files = {
    "windows.sh": "#!/bin/sh\r\necho score=1\r\n",
    "other.sh": "#!/opt/no-such-language/bin/run\necho score=1\n",
    "plain.txt": "no program\n",
    "env-windows.sh": "#!/usr/bin/env python3\r\nprint('score=1')\r\n",
    "env.sh": "#!/usr/bin/env -S no-such-language -u\n",
    "mark.sh": "\ufeff#!/usr/bin/env python3\nimport sys, os\nsys.exit(os.nothing(1))\n",
    "outer.sh": "#!./other.sh\n",
    "folder.sh": "#!/usr\n",
    "closed.sh": "#!./closed.txt\n",
    "closed.txt": "#!/bin/sh\n",
    "foreign.sh": `\u007fELF\u0002\u0001\u0001${"\0".repeat(9)}\u0002\0\u0015\0${"\0".repeat(44)}`,
    "no-line.sh": "import sys, os\nif (1\n",
  };
  const long = "x".repeat(20_000);
  const cases: readonly [string, Partial<typeof fixtureCommand>, RegExp, boolean][] = [
    [
      "a NUL in a word",
      { command: ["sh", "-c", "true \0"] },
      /word 3 of its command has a NUL character in it$/,
      false,
    ],
    [
      "a NUL in a variable",
      { environment: { OWN: "a\0b" } },
      /the variable "OWN" of its environment has a NUL character in it$/,
      false,
    ],
    [
      "words that are too many",
      { command: ["true", ...Array.from({ length: 900 }, () => long)] },
      /the command line is too long; pass the parameters by \$\{args_json_file\}$/,
      false,
    ],
    [
      "a word that is too long",
      { command: ["true", "${envvar:A}".repeat(9)], environment: { A: long } },
      /the command line is too long/,
      false,
    ],
    [
      "a variable that is too long",
      { command: ["true"], environment: { A: "x".repeat(140_000) } },
      /the variable "A" of its environment is too long; hand it over in a file$/,
      false,
    ],
    [
      "no first word",
      { command: ["${envvar:NONE}"], environment: { NONE: "" } },
      /its command has no first word that names a program$/,
      false,
    ],
    [
      "line ends of Windows",
      { command: ["./windows.sh"] },
      /the first line of "\.\/windows\.sh" ends as on Windows \(CRLF\), so its interpreter "\/bin\/sh\\r" is not found; `sed -i 's\/\\r\$\/\/'` mends it$/,
      false,
    ],
    [
      "an interpreter that is not there",
      { command: ["./other.sh"] },
      /the first line of "\.\/other\.sh" asks for "\/opt\/no-such-language\/bin\/run", which this machine does not have$/,
      true,
    ],
    [
      "line ends of Windows behind env",
      { command: ["./env-windows.sh"] },
      /the first line of "\.\/env-windows\.sh" ends as on Windows \(CRLF\), so its interpreter "python3\\r" is not found/,
      false,
    ],
    [
      "an interpreter that env does not find",
      { command: ["./env.sh"] },
      /the first line of "\.\/env\.sh" asks for "no-such-language", which this machine does not have on its path$/,
      true,
    ],
    [
      "a mark before the first line",
      { command: ["./mark.sh"] },
      /"\.\/mark\.sh" begins with a byte order mark, so its first line names no interpreter/,
      false,
    ],
    [
      "an interpreter that is a script without one",
      { command: ["./outer.sh"] },
      /the first line of "\.\/other\.sh" asks for "\/opt\/no-such-language\/bin\/run", which/,
      true,
    ],
    [
      "an interpreter that is a folder",
      { command: ["./folder.sh"] },
      /the first line of "\.\/folder\.sh" asks for "\/usr", which is a folder$/,
      false,
    ],
    [
      "an interpreter that may not be executed",
      { command: ["./closed.sh"] },
      /the first line of "\.\/closed\.sh" asks for "\.\/closed\.txt", which may not be executed on this machine$/,
      true,
    ],
    [
      "a program for another kind of machine",
      { command: ["./foreign.sh"] },
      /"\.\/foreign\.sh" is a program for ppc64, and this machine is /,
      true,
    ],
    [
      "a path through a file",
      { command: ["./plain.txt/run"] },
      /a folder in the path of "\.\/plain\.txt\/run" is a file/,
      false,
    ],
    ["a folder", { command: ["./"] }, /"\.\/" is a folder and no program$/, false],
  ];
  for (const [name, change, reason, elsewhere] of cases)
    test(name, { skip: process.platform === "win32" }, async () => {
      const { end } = await hearJob(
        runner,
        programJob(folder, files, { ...fixtureCommand, command: ["sh"], ...change }),
      );
      assert.ok(end.kind === "failed", JSON.stringify(end));
      assert.match(end.reason, /^trial s1-\d+ could not start: /);
      assert.match(end.reason, reason);
      assert.equal(end.retryable, elsewhere);
    });

  test(
    "generated words and variables never end the runner, and each trial ends",
    { skip: process.platform === "win32" },
    async () => {
      const text = fc.oneof(
        fc.string({ unit: "binary", maxLength: 8 }),
        fc.constantFrom(
          "",
          "\0",
          "/",
          ".",
          "..",
          "-",
          "./run.sh",
          "sh",
          "\ud800",
          "=",
          "a/b",
          "x".repeat(200_000),
        ),
      );
      const made = fc.record({
        command: fc.array(text, { minLength: 1, maxLength: 3 }),
        environment: fc.dictionary(fc.string({ unit: "binary", minLength: 1, maxLength: 4 }), text, {
          maxKeys: 2,
        }),
      });
      for (const change of fc.sample(made, { seed: 7, numRuns: 60 })) {
        // Nothing that could be a program of this machine but the script.
        const [first = "", ...rest] = change.command;
        const command = [
          /^[a-z]+$/.test(first) && first !== "sh" ? `no-${first}` : first,
          ...rest.map((word) => `--${word}`),
        ];
        const job = scriptJob("echo score=1", {}, { ...change, command });
        const { end } = await hearJob(runner, job);
        assert.ok(end.kind === "failed" || end.kind === "finished", JSON.stringify({ command, end }));
      }
    },
  );
});

test(
  "PROG-11: `sweep local` never ends with a fault of its own for a trial that cannot be started",
  { skip: process.platform === "win32" },
  async () => {
    const commands = [
      '["sh", "-c", "true \\0"]',
      `["true", "${"x".repeat(200_000)}"]`,
      '["./no-such-file"]',
      '["./sweep.yaml"]',
      '["/"]',
      '["${envvar:EMPTY_ONE}"]',
      '["./sweep.yaml/x"]',
    ];
    const place = join(folder, "local");
    mkdirSync(place, { recursive: true });
    for (const command of commands) {
      const file = join(place, "sweep.yaml");
      writeFileSync(
        file,
        `name: x\ncommand: ${command}\nobjective: { metric: score, keep: max }\nsearch: { trials: 2 }\nparameters: { a: [1, 2] }\n`,
      );
      const { code, err, out } = await runHere(["sweep", "local", file, "--json"], {
        ...process.env,
        EMPTY_ONE: "",
      });
      assert.equal(code, 1, `${command.slice(0, 40)}: ${code} ${out.slice(0, 200)} ${err.slice(0, 200)}`);
    }
  },
);

test("PROG-14: a pattern of before RE2 that takes for ever fails its trial alone, and the agent does not stand still", async () => {
  const startedAt = performance.now();
  let looked = performance.now();
  let longest = 0;
  const looks = setInterval(() => {
    longest = Math.max(longest, performance.now() - looked);
    looked = performance.now();
  }, 20);
  const hang = scriptJob(
    `echo ${"a".repeat(60)}; echo 'score=1'; sleep 60`,
    {},
    { metricFormat: ["((?:a+)+)=(\\S+)(?!b)"] },
  );
  const neighbour = scriptJob('for n in 1 2 3 4 5 6; do echo "score=0.$n"; sleep 0.2; done');
  const [{ end }, other] = await Promise.all([hearJob(runner, hang), hearJob(runner, neighbour)]);
  clearInterval(looks);
  assert.ok(end.kind === "failed" && !end.retryable, JSON.stringify(end));
  assert.match(
    end.reason,
    /^the output of trial s1-\d+ could not be read: the pattern \(\(\?:a\+\)\+\)=\(\\S\+\)\(\?!b\) of its metricFormat took longer than 2 s over one line; /,
  );
  assert.equal(other.end.kind, "finished");
  assert.ok(performance.now() - startedAt < 30_000);
  assert.ok(longest < 1_000, `it stood still for ${longest} ms`);
});

test("PROG-14: own patterns read every line, in order, of more output than waits at once", async () => {
  const text =
    'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo "step $i score: $i end of a line that is a little longer"; done';
  const { end, events } = await hearJob(runner, scriptJob(text, {}, { metricFormat: ["(score): (\\d+)"] }));
  assert.ok(end.kind === "finished", JSON.stringify(end));
  assert.equal(end.metrics["score"], 20_000);
  const values = events.flatMap((event) => (event.kind === "epoch" ? [event.metrics["score"] ?? NaN] : []));
  assert.deepEqual(
    values.slice(0, 1_000),
    Array.from({ length: 1_000 }, (_, n) => n + 1),
  );
});

test("PROG-14: a pattern that is none fails its trial and is not tried elsewhere", async () => {
  const { end } = await hearJob(
    runner,
    scriptJob("echo score=1; sleep 30", {}, { metricFormat: ["(score"] }),
  );
  assert.ok(end.kind === "failed" && !end.retryable, JSON.stringify(end));
  assert.match(end.reason, /its metricFormat cannot be used: \(score has a \( without a \)/);
});

test("PROG-14: 200 lines of 10,000 characters do not make the agent stand still", async () => {
  let looked = performance.now();
  let longest = 0;
  const looks = setInterval(() => {
    longest = Math.max(longest, performance.now() - looked);
    looked = performance.now();
  }, 10);
  const line = "a".repeat(10_000);
  const files = {
    "line.txt": `${line}\n`,
    "run.sh": "i=0; while [ $i -lt 200 ]; do i=$((i+1)); cat line.txt; done; echo score=1",
  };
  const { end } = await hearJob(
    runner,
    programJob(folder, files, { ...fixtureCommand, command: ["sh", "run.sh"] }),
  );
  clearInterval(looks);
  assert.equal(end.kind, "finished");
  assert.ok(longest < 500, `it stood still for ${longest} ms`);
});

describe("PROG-15: a trial ends with its process, and what it left behind ends with it", () => {
  const leave: readonly [string, string][] = [
    ["a helper that holds its output", 'sleep 60 & echo "left $!"'],
    [
      "a helper that ignores what it is asked",
      `sh -c 'trap "" TERM HUP INT; sleep 60 & wait; sleep 60' & echo "left $!"`,
    ],
    ["a helper in a session of its own", 'setsid sleep 60 & echo "left $!"; sleep 0.2'],
    [
      "one that left twice and holds nothing",
      `setsid sh -c 'cd /; exec >/dev/null 2>&1 </dev/null; setsid sleep 60 & echo $! > "$0"; sleep 60' "$PWD/pid" & while [ ! -s pid ]; do sleep 0.05; done; echo "left $(cat pid)"`,
    ],
    [
      "a helper that writes on",
      `setsid sh -c 'echo "left $$"; while :; do echo noise; sleep 0.01; done' & sleep 0.3`,
    ],
  ];
  for (const [name, text] of leave)
    test(name, { skip: noSetsid }, async () => {
      const startedAt = performance.now();
      const { end, lines } = await hearJob(runner, scriptJob(`${text}\necho score=1`));
      const tookMs = performance.now() - startedAt;
      assert.equal(end.kind, "finished", JSON.stringify(end));
      assert.ok(tookMs < 10_000, `it took ${tookMs} ms`);
      const pid = Number(/left (\d+)/.exec(lines.join("\n"))?.[1]);
      assert.ok(pid > 0, lines.join("\n"));
      assert.ok(!isAlive(pid), `process ${pid} outlived its trial`);
    });

  test("also where nobody can be found who holds it: it is not waited for", { skip: noSetsid }, async () => {
    // Without the environment that it was given nothing tells whose it is.
    const { end, lines } = await hearJob(
      runner,
      scriptJob('env -i setsid sleep 20 & echo "left $!"; echo score=1; sleep 0.3'),
    );
    const pid = Number(/left (\d+)/.exec(lines.join("\n"))?.[1]);
    assert.equal(end.kind, "finished");
    assert.ok(end.usedMs < 5_000);
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  });

  test("and past the time it may run in `sweep local`", { skip: noSetsid }, async () => {
    const place = join(folder, "timeout");
    mkdirSync(place, { recursive: true });
    writeFileSync(
      join(place, "run.sh"),
      'setsid sh -c "trap \'\' TERM; sleep 60" & sh -c "sleep 60" & echo score=1; trap "" TERM; sleep 60',
    );
    const file = join(place, "sweep.yaml");
    writeFileSync(
      file,
      "name: x\ncommand: [sh, run.sh]\nobjective: { metric: score, keep: max }\nsearch: { trials: 1 }\nparameters: { a: [1] }\n",
    );
    const startedAt = performance.now();
    const { out } = await runHere(["sweep", "local", file, "--json", "--timeout", "0.5"], process.env);
    assert.match(out, /ran longer than 0\.5 s/);
    assert.ok(performance.now() - startedAt < 15_000);
  });

  test("a suspended trial's helper in another session stands still too", { skip: noSetsid }, async () => {
    const text = `setsid sh -c 'while :; do echo x >> beat; sleep 0.02; done' & while [ ! -s beat ]; do sleep 0.02; done; echo score=1; sleep 60`;
    const job = scriptJob(text);
    const beat = join(job.checkpointDir, "program", "beat");
    const ended = hearJob(runner, job, (event) => {
      if (event.kind === "epoch") runner.suspend(job.fence);
    });
    await until("it to stand still", async () => {
      const before = existsSync(beat) ? readFileSync(beat).length : 0;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return (before > 0 && readFileSync(beat).length === before) || null;
    });
    runner.stop(job.fence, "kill");
    assert.equal((await ended).end.kind, "stopped");
  });

  test("what a module started ends with its trial, though its child is kept", { skip: onLinux }, async () => {
    const text = `
import { spawn } from "node:child_process";
export async function train({ report }) {
  const child = spawn("sleep", ["60"], { detached: true, stdio: "inherit" });
  console.log("left", child.pid);
  await report({ score: 1 });
}`;
    const objectives = fixtureCommand.objectives;
    const program = { kind: "module" as const, bundle: "", objectives, fullLength: null, entry: "train.ts" };
    for (let round = 0; round < 2; round++) {
      const { end, lines } = await hearJob(runner, programJob(folder, { "train.ts": text }, program));
      assert.equal(end.kind, "finished", JSON.stringify(end));
      const pid = Number(/left (\d+)/.exec(lines.join("\n"))?.[1]);
      assert.ok(pid > 0, lines.join("\n"));
      await gone(pid);
    }
  });

  test("PROG-42: a program whose folders were deleted says so once, and ends as it would", async () => {
    const text =
      'rm -rf "$TRIALMESH_CHECKPOINT_DIR" "$PWD"; for n in 1 2 3 4 5 6 7 8 9; do echo "score=0.$n"; sleep 0.6; done';
    const { end, lines } = await hearJob(runner, scriptJob(text));
    assert.equal(end.kind, "finished", JSON.stringify(end));
    const said = lines.filter((line) => line.startsWith("trialmesh: "));
    assert.deepEqual(said, [
      "trialmesh: its checkpoint folder was deleted, so nothing of it can be kept; leave the folder that TRIALMESH_CHECKPOINT_DIR names where it is",
    ]);
  });

  test("PROG-9: an agent killed with SIGKILL leaves none of them behind", { skip: noSetsid }, async () => {
    const job = scriptJob('setsid sleep 60 & echo "pid=$!"; sleep 60');
    mkdirSync(job.checkpointDir, { recursive: true });
    const pid = await pidOfKilledAgent(job);
    await gone(pid);
  });
});

describe("PROG-16: no open file of the agent's reaches what it runs", { skip: onLinux }, () => {
  /** A store open in this process, as an agent has one. */
  const withStore = async <T>(use: () => Promise<T>): Promise<T> => {
    const opening = await openLmdbStore({ path: join(folder, "store"), version: "test-1" });
    assert.ok(opening.kind === "opened");
    try {
      return await use();
    } finally {
      await opening.store.close();
    }
  };
  const mine = (lines: readonly string[]) =>
    lines.filter((line) => line.startsWith("open ") && !line.endsWith(" /dev/null"));

  test("a program", async () => {
    const text =
      'for file in /proc/self/fd/*; do echo "open ${file##*/} $(readlink "/proc/$$/fd/${file##*/}")"; done; echo score=1';
    const { end, lines } = await withStore(() => hearJob(runner, scriptJob(text)));
    assert.equal(end.kind, "finished");
    assert.ok(lines.some((line) => line.startsWith("open 1 ")));
    assert.deepEqual(
      mine(lines).filter((line) => line.includes(folder) && !line.includes("run.sh")),
      [],
      lines.join("\n"),
    );
    assert.deepEqual(
      mine(lines).filter((line) => / (\/|anon)/.test(line) && !line.includes("run.sh")),
      [],
      lines.join("\n"),
    );
  });

  test("a module's child", async () => {
    const text = `
import { readdirSync, readlinkSync } from "node:fs";
export async function train({ report }) {
  for (const name of readdirSync("/proc/self/fd"))
    try { console.log("open", name, readlinkSync("/proc/self/fd/" + name)); } catch {}
  await report({ score: 1 });
}`;
    const program = {
      kind: "module" as const,
      bundle: "",
      objectives: fixtureCommand.objectives,
      fullLength: null,
      entry: "train.ts",
    };
    const job = programJob(folder, { "train.ts": text }, program);
    const { end, lines } = await withStore(() => hearJob(runner, job));
    assert.equal(end.kind, "finished", JSON.stringify(end));
    assert.ok(
      lines.some((line) => line.startsWith("open ")),
      lines.join("\n"),
    );
    assert.deepEqual(
      mine(lines).filter((line) => / \/(?!dev|proc)/.test(line) && /\.mdb|store/.test(line)),
      [],
      lines.join("\n"),
    );
  });
});
