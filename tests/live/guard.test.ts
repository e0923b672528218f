/** Guards, with processes of a shell's: whoever opened one is killed, and what bears its mark ends, in its order. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "node:test";
import { newMark } from "../../system/marked-process.ts";
import { gone, isAlive } from "../support/living-process.ts";
import { until } from "../support/until.ts";

const module = (name: string) =>
  JSON.stringify(
    new URL(`../../system/${name}${extname(fileURLToPath(import.meta.url))}`, import.meta.url).href,
  );

/** A process that runs `text` with guards at hand, and the pids that it has printed, as many as are wanted. */
async function opener(
  text: string,
  wanted: number,
): Promise<{ readonly kill: () => void; readonly pids: readonly number[] }> {
  const program = `
    import { spawn } from "node:child_process";
    import { openGuard } from ${module("guard")};
    import { guardedEnvironment } from ${module("own-guard")};
    import { markedEnvironment } from ${module("marked-process")};
    const start = (environment, script) => {
      const child = spawn("sh", ["-c", script], { env: environment, stdio: "ignore", detached: true });
      console.log(child.pid);
    };
    ${text}
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (more: string) => (said += more));
  const pids = await until("its processes", () => {
    const all = said.trim().split("\n").map(Number);
    return all.length >= wanted ? all : null;
  });
  return { pids, kill: () => child.kill("SIGKILL") };
}

/** Bears no mark in its environment, and waits at the end of a pipe of its opener's. */
function guardOf(mark: string): Promise<number> {
  return until("its guard", () => spawnedGuards().find((pid) => commandOf(pid).includes(mark)) ?? null);
}

function spawnedGuards(): readonly number[] {
  return allPids().filter((pid) => isAlive(pid) && commandOf(pid).startsWith("/bin/sh\0-c\0trap"));
}

function allPids(): readonly number[] {
  return readdirSync("/proc").map(Number).filter(Number.isInteger);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

const stubborn = "trap '' TERM INT HUP; while :; do sleep 1; done";

describe(
  "END-1: a guard",
  { skip: process.platform !== "linux" && "only Linux shows another's environment" },
  () => {
    test("ends what ignores being asked, what stands still, and what has left its group", async () => {
      const mark = newMark();
      const { kill, pids } = await opener(
        `openGuard({ mark: "${mark}", graceSeconds: 1 });
      const marked = markedEnvironment(process.env, "${mark}");
      start(marked, ${JSON.stringify(stubborn)});
      start(marked, "kill -STOP $$; sleep 60");
      start(marked, "setsid sleep 60 & sleep 60");`,
        3,
      );
      kill();
      await Promise.all(pids.map(gone));
    });

    test("lets those go first that it is to come after", async () => {
      const [first, last] = [newMark(), newMark()];
      const { kill, pids } = await opener(
        `openGuard({ mark: "${first}", graceSeconds: 2 });
      openGuard({ mark: "${last}", graceSeconds: 20, after: "${first}" });
      start(markedEnvironment(process.env, "${first}"), ${JSON.stringify(stubborn)});
      start(markedEnvironment(process.env, "${last}"), "sleep 60");`,
        2,
      );
      const [early = 0, late = 0] = pids;
      kill();
      await until("the end of the first", () => {
        if (isAlive(early)) assert.ok(isAlive(late));
        return !isAlive(early) || null;
      });
      await gone(late);
    });

    test("that is killed is opened again", async () => {
      const mark = newMark();
      const { kill, pids } = await opener(
        `openGuard({ mark: "${mark}", graceSeconds: 1 });
      start(markedEnvironment(process.env, "${mark}"), "sleep 60");`,
        1,
      );
      const before = await guardOf(mark);
      process.kill(before, "SIGKILL");
      await until("another guard", () => {
        const found = spawnedGuards().find((pid) => pid !== before && commandOf(pid).includes(mark));
        return found ?? null;
      });
      kill();
      await Promise.all(pids.map(gone));
    });

    test("of small programs on the way is one for the whole process, and bears no mark itself", async () => {
      const { kill, pids } = await opener(
        'for (const each of [1, 2, 3]) start(guardedEnvironment(), "sleep 60");',
        3,
      );
      const marks = pids.map(
        (pid) => /TRIALMESH_RUN=([^\0]+)/.exec(readFileSync(`/proc/${pid}/environ`, "latin1"))?.[1],
      );
      const [mark = ""] = marks;
      assert.equal(new Set(marks).size, 1);
      const own = mark.split(":").at(-1) ?? "";
      const guard = await guardOf(own);
      const guards = spawnedGuards().filter((pid) => commandOf(pid).includes(own));
      assert.deepEqual(guards, [guard]);
      assert.ok(!readFileSync(`/proc/${guard}/environ`, "latin1").includes("TRIALMESH_RUN"));
      kill();
      await Promise.all(pids.map(gone));
    });
  },
);
