/** `trialmesh down`: ends the `up` of this home, wherever it runs. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { homePath, openHome } from "../../mesh/home.ts";
import { stopServer } from "../../mesh/server-process.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { action, printing } from "../shell/option.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { readUpRecord } from "../../mesh/part/up-record.ts";
import { processIsAlive } from "../../system/process-alive.ts";

const pollMs = 50;
const stopTimeoutMs = 60_000;

export function downCommand(terminal: Terminal): Command {
  return printing("down", "end the mesh that `trialmesh up` started from this home").action(
    action(terminal, async (options: PrintOptions) => {
      const home = openHome(homePath(terminal.environment));
      if (!home.ok) return printRefusal(terminal, options, home.refusal);
      const record = readUpRecord(home.value);
      if (record === null) {
        // A killed `up` leaves its server behind.
        const left = await stopServer(home.value);
        const answer = left
          ? accept({ stopped: "server" })
          : refuse("conflict", `no mesh of ${home.value.path} is up`);
        return printAnswer(
          terminal,
          options,
          answer,
          () => "the server an earlier start left behind is stopped",
        );
      }
      process.kill(record.pid, "SIGTERM");
      const deadline = performance.now() + stopTimeoutMs;
      while (processIsAlive(record.pid) && performance.now() < deadline) await sleep(pollMs);
      const answer = processIsAlive(record.pid)
        ? refuse("unavailable", `process ${record.pid} did not end within ${stopTimeoutMs / 1000} s`)
        : accept({ stopped: "mesh", pid: record.pid });
      return printAnswer(terminal, options, answer, () => `the mesh of ${home.value.path} is down`);
    }),
  );
}
