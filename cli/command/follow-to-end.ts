/** The end of `sweep run`, and all of `sweep watch`: how far a sweep is, and what it found. Submits and changes nothing. */
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { printRefusal } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import type { MeshOptions } from "../shell/with-mesh.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import { jsonText } from "../../text/printable.ts";

/**
 * Follows a sweep, prints its result, and says by the exit status how it ended. On ctrl-c it
 * lets the sweep go on, unless `mayLeave` is false because the caller ends the mesh with itself.
 */
export async function followToEnd(
  terminal: Terminal,
  { client }: Connected,
  sweep: string,
  options: MeshOptions,
  mayLeave = true,
): Promise<ExitCode> {
  const { followSweep } = await import("../../client/follow/follow-sweep.ts");
  const { sweepResult } = await import("../print/sweep-result.ts");
  const leave = (): never => {
    terminal.note(
      `\ndetached: ${sweep} goes on without this command; \`trialmesh sweep watch ${sweep}\` follows it again, \`trialmesh sweep stop ${sweep}\` ends it`,
    );
    process.exit(exitCode.interrupted);
  };
  if (mayLeave) process.once("SIGINT", leave);
  try {
    const followed = await followSweep(client, sweep, (line) => terminal.note(line));
    if (!followed.ok) return printRefusal(terminal, options, followed.refusal);
    const { view, end } = followed.value;
    if (options.json === true) terminal.out(jsonText(view));
    else terminal.out(`\n${sweepResult(view)}`);
    if (end === "waits-for-budget") {
      const { requester } = view.summary;
      terminal.note(
        `trialmesh: ${sweep} waits for tokens; \`trialmesh budget grant ${requester} TOKENS\` lets it go on, \`trialmesh budget show ${requester}\` shows the account`,
      );
      return exitCode.waitsForBudget;
    }
    if (end === "waits-at-cap") {
      terminal.note(
        `trialmesh: ${sweep} has come to its cap: ${view.summary.waiting}; \`trialmesh sweep extend ${sweep} --tokens N\` raises that, \`trialmesh sweep stop ${sweep}\` ends it with what it has`,
      );
      return exitCode.waitsForBudget;
    }
    if (end === "done" && view.summary.best === null) {
      const why = view.trials.find((trial) => trial.failure !== null);
      terminal.note(
        `trialmesh: no trial of ${sweep} has a result${why === undefined ? "" : `; ${why.trial}: ${why.failure}`}`,
      );
      return exitCode.failed;
    }
    return end === "done" ? exitCode.ok : exitCode.failed;
  } finally {
    process.off("SIGINT", leave);
  }
}
