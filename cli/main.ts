/** The entry: reads the command line, runs one command, and turns whatever ends it into an exit status. */
import "./shell/first-statement.ts";
import { CommanderError } from "commander";
import { errorMessage, errorSentence } from "../protocol/error-sentence.ts";
import { exitCode } from "../protocol/exit-code.ts";
import { program } from "./command-tree.ts";
import { FolderError } from "../system/system-error.ts";
import { processTerminal, type Terminal } from "./shell/terminal.ts";

const lingerMs = 1_000;

async function main(terminal: Terminal): Promise<void> {
  // INV-11: a code lets its holder in, and everyone on a machine sees everyone's command lines. Also one of another version.
  if (process.argv.some((word) => /(?:^|=)\s*tm\d+\./iu.test(word)))
    process.title = `trialmesh ${process.argv[2] ?? ""}`;
  process.on("uncaughtException", (error) => crash(terminal, error));
  process.on("unhandledRejection", (error) => crash(terminal, error));
  const root = program(terminal);
  try {
    if (process.argv.length <= 2) {
      root.outputHelp();
      return;
    }
    await root.parseAsync(process.argv);
    // Whatever still holds the process open after its work is done may not hold it for ever.
    setTimeout(() => process.exit(), lingerMs).unref();
  } catch (error) {
    if (!(error instanceof CommanderError)) return crash(terminal, error);
    // Asking for help or the version "fails" with status 0; a group without a command shows its help.
    terminal.finish(error.exitCode === 0 ? exitCode.ok : exitCode.usage);
  }
}

/** A broken invariant: one sentence for people, the whole of it for those who will mend it. */
function crash(terminal: Terminal, error: unknown): never {
  // A folder that cannot be made is this machine's fault, wherever it was met.
  if (error instanceof FolderError) {
    terminal.note(`trialmesh: ${error.message}`);
    process.exit(exitCode.failed);
  }
  terminal.note(
    `trialmesh: a fault in trialmesh itself: ${errorSentence(error)} (TRIALMESH_DEBUG=1 shows where)`,
  );
  if (terminal.environment["TRIALMESH_DEBUG"] === "1")
    terminal.note(error instanceof Error ? (error.stack ?? errorMessage(error)) : errorMessage(error));
  process.exit(exitCode.crashed);
}

await main(processTerminal());
