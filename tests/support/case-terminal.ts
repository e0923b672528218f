/** The terminal interface of a case's mesh, in a real terminal. Not a fake mesh: for that see tui-screen.ts. */
import type { Size } from "../../tui/screen-frame.ts";
import type { CasePlace } from "./case-place.ts";
import { mainFile } from "./run-cli.ts";
import { openTmux, type TmuxTerminal } from "./tmux.ts";

/** Opens it, waits until it is connected, and closes the terminal after `use`. */
export async function onTerminal(
  place: CasePlace,
  size: Size,
  use: (terminal: TmuxTerminal) => Promise<void>,
): Promise<void> {
  const command = `exec env -u CI -u NO_COLOR LC_ALL=C.UTF-8 TRIALMESH_HOME='${place.home}' '${process.execPath}' '${mainFile}' tui`;
  const terminal = openTmux(`sh -c "${command}"`, size);
  try {
    await terminal.until(/ live\b/u);
    await use(terminal);
  } finally {
    terminal.close();
  }
}
