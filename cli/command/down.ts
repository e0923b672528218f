/** `trialmesh down`: ends the `up` of this home, wherever it runs. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { homePath, openHome, type Home } from "../../mesh/home.ts";
import { stopServer } from "../../mesh/server-process.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { action, printing } from "../shell/option.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { findUp, type UpRecord } from "../../mesh/part/up-record.ts";
import { isSameProcess } from "../../system/process-alive.ts";
import { systemCode } from "../../system/system-error.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";

const pollMs = 50;
/** An `up` that ends each of its parts by force takes almost as long. */
const stopTimeoutMs = 60_000;
/** After SIGKILL; its guards end what it has started. */
const killTimeoutMs = 5_000;

export function downCommand(terminal: Terminal): Command {
  return printing("down", "end the mesh that `trialmesh up` started from this home").action(
    action(terminal, async (options: PrintOptions) => {
      const home = openHome(homePath(terminal.environment));
      if (!home.ok) return printRefusal(terminal, options, home.refusal);
      const record = await findUp(home.value);
      return record === null
        ? endServer(terminal, options, home.value)
        : endUp(terminal, options, home.value, record);
    }),
  );
}

/** An `up` that was killed a moment ago has left its server behind, until its guard ends it. */
async function endServer(terminal: Terminal, options: PrintOptions, home: Home): Promise<ExitCode> {
  const answer = (await stopServer(home))
    ? accept({ stopped: "server" })
    : refuse("conflict", `no mesh of ${home.path} is up`);
  return printAnswer(terminal, options, answer, () => "the server an earlier start left behind is stopped");
}

async function endUp(
  terminal: Terminal,
  options: PrintOptions,
  home: Home,
  record: UpRecord,
): Promise<ExitCode> {
  const { pid } = record;
  try {
    process.kill(pid, "SIGTERM");
    // One that stands still hears nothing else.
    process.kill(pid, "SIGCONT");
    if (!(await isOver(record, stopTimeoutMs))) {
      terminal.note(`process ${pid} did not end within ${stopTimeoutMs / 1000} s; ending it by force`);
      process.kill(pid, "SIGKILL");
      await isOver(record, killTimeoutMs);
      await stopServer(home);
    }
  } catch (error) {
    if (systemCode(error) === "EPERM")
      return printRefusal(
        terminal,
        options,
        refuse("forbidden", `process ${pid} belongs to another user, who must end it`).refusal,
      );
    // It has ended a moment ago.
    if (systemCode(error) !== "ESRCH") throw error;
  }
  const answer = (await isOver(record, 0))
    ? accept({ stopped: "mesh", pid })
    : refuse("unavailable", `process ${pid} cannot be ended just now; the system holds it`);
  return printAnswer(terminal, options, answer, () => `the mesh of ${home.path} is down`);
}

async function isOver({ pid, started }: UpRecord, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (isSameProcess(pid, started ?? null)) {
    if (performance.now() >= deadline) return false;
    await sleep(pollMs);
  }
  return true;
}
