/** Whatever is killed, and whoever stops reading: nothing of a mesh outlives its `up`, and nothing waits for a line to be written. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test, { after, afterEach, describe } from "node:test";
import * as fc from "fast-check";
import { readUpRecord } from "../../mesh/part/up-record.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { findNatsServer, skipWithoutNats } from "../support/nats-server.ts";
import { allGone, processesOf } from "../support/home-process.ts";
import { mainFile } from "../support/run-cli.ts";
import { hasTmux, openTmux } from "../support/tmux.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-orphan-"));
const onLinux = process.platform === "linux" ? skipWithoutNats : "only Linux shows whose a process is";
const commandFile = join(projectFolder, "bin", "trialmesh.mjs");
let homes = 0;
const started: ChildProcess[] = [];

function newHome(): { readonly path: string; readonly environment: NodeJS.ProcessEnv } {
  const path = join(folder, `home-${(homes += 1)}`);
  const environment = {
    ...process.env,
    CI: "1",
    TRIALMESH_HOME: path,
    TRIALMESH_NATS_SERVER: findNatsServer(),
    TRIALMESH_LEASE_MS: "6000",
  };
  return { path, environment };
}

type Home = ReturnType<typeof newHome>;

function up({ environment }: Home, output: "ignore" | "pipe" | number = "ignore"): ChildProcess {
  const stdio: StdioOptions = ["ignore", output, output];
  const child = spawn(process.execPath, [mainFile, "up", "--port", "0", "--slots", "1"], {
    env: environment,
    stdio,
  });
  started.push(child);
  return child;
}

function isGuard(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("/bin/sh");
}

/** Once its server serves. */
function serving({ path }: Home): Promise<number> {
  return until("the server to serve", () => {
    const record = readUpRecord({ path });
    return record !== null && record.starting !== true ? record.pid : null;
  });
}

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

describe("END-1: nothing outlives what started it", { skip: onLinux }, () => {
  const startMs = fc.sample(fc.integer({ min: 0, max: 2_500 }), { seed: 11, numRuns: 6 });
  for (const atMs of startMs)
    test(`\`up\` killed ${atMs} ms after its start`, async () => {
      const home = newHome();
      const child = up(home);
      await sleep(atMs);
      child.kill("SIGKILL");
      await once(child, "exit");
      await allGone(home.path);
    });

  test("the command that finds a Node for `up` is killed", async () => {
    const home = newHome();
    const command = spawn(process.execPath, [commandFile, "up", "--port", "0", "--slots", "1"], {
      env: home.environment,
      stdio: "ignore",
    });
    started.push(command);
    await serving(home);
    command.kill("SIGKILL");
    await allGone(home.path);
  });

  test("also of parts that stand still, and of their programs", async () => {
    const home = newHome();
    const child = up(home);
    await serving(home);
    await until("three parts and their guards, and nothing just being started", async () => {
      const before = processesOf(home.path);
      await sleep(500);
      // One that is on its way to be a guard looks like what starts it, and must not be made to stand still.
      const isCalm = processesOf(home.path).join() === before.join();
      return (isCalm && before.filter(isGuard).length >= 3 && before.length >= 6) || null;
    });
    for (const pid of processesOf(home.path))
      if (pid !== child.pid && !isGuard(pid)) process.kill(pid, "SIGSTOP");
    child.kill("SIGKILL");
    await allGone(home.path);
  });
});

/** Ends it by the signal; it must end in time, and leave nothing. */
async function endsBy(signal: NodeJS.Signals, home: Home, child: ChildProcess): Promise<void> {
  const over = once(child, "exit");
  child.kill(signal);
  const ended = await Promise.race([over, sleep(endMaxMs, null, { ref: false })]);
  assert.ok(ended !== null, `it did not end within ${endMaxMs} ms`);
  assert.deepEqual(ended, [0, null]);
  await allGone(home.path);
}

/** Its agent may take 8 s over leaving. */
const endMaxMs = 25_000;

/** A pipe that is full and that nobody reads, to be written to; `close` ends it. */
function fullPipe(): { readonly descriptor: number; readonly close: () => void } {
  const path = join(folder, `pipe-${(homes += 1)}`);
  assert.equal(spawnSync("mkfifo", [path]).status, 0);
  const filler = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const line = Buffer.alloc(4_096, "x");
  try {
    for (;;) writeSync(filler, line);
  } catch {
    // It is full.
  }
  const descriptor = openSync(path, "r+");
  return {
    descriptor,
    close: () => {
      closeSync(filler);
      closeSync(descriptor);
    },
  };
}

describe("END-2: ending waits for no line to be written", { skip: onLinux }, () => {
  test("nobody reads what `up` says any longer: it goes on, and SIGTERM ends all of it", async () => {
    const home = newHome();
    const child = up(home, "pipe");
    await serving(home);
    child.stdout?.destroy();
    child.stderr?.destroy();
    const [part = 0] = processesOf(home.path).filter((pid) => pid !== child.pid && !isGuard(pid));
    process.kill(part, "SIGKILL"); // `up` has something to say of that
    await until("another in its place", () => (processesOf(home.path).includes(part) ? null : true));
    assert.equal(child.exitCode, null);
    await endsBy("SIGTERM", home, child);
  });

  test("its pipe is full and its reader stands still", async () => {
    const home = newHome();
    const pipe = fullPipe();
    const child = up(home, pipe.descriptor);
    await serving(home);
    await endsBy("SIGTERM", home, child);
    pipe.close();
  });

  test("its terminal is closed", async () => {
    const home = newHome();
    const child = up(home);
    await serving(home);
    await endsBy("SIGHUP", home, child);
  });

  test("its terminal shows nothing (ctrl-s)", { skip: hasTmux() ? onLinux : "no tmux" }, async () => {
    const home = newHome();
    const variables = ["TRIALMESH_HOME", "TRIALMESH_NATS_SERVER"].map(
      (name) => `${name}='${home.environment[name] ?? ""}'`,
    );
    const words = [process.execPath, mainFile, "up", "--port", "0", "--slots", "1"];
    const terminal = openTmux(["env", ...variables, ...words].join(" "), { columns: 80, rows: 24 });
    try {
      const pid = await serving(home);
      terminal.keys("C-s");
      process.kill(pid, "SIGTERM");
      await until("its end", () => (existsSync(`/proc/${pid}`) ? null : true));
      await allGone(home.path);
    } finally {
      terminal.close();
    }
  });
});
