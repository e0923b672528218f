/** A real terminal to drive: tmux on a server of its own, its screen read as text. */
import { spawnSync } from "node:child_process";
import type { Size } from "../../tui/screen-frame.ts";
import { until } from "./until.ts";

export interface TmuxTerminal {
  /** Key names as tmux has them (`Enter`, `Down`, `BSpace`), or characters. */
  keys(...names: readonly string[]): void;
  screen(): string;
  /** With the sequences for colour. */
  colouredScreen(): string;
  /** Resolves once the screen matches, or is as asked. */
  until(wanted: RegExp | ((screen: string) => boolean)): Promise<string>;
  resize(size: Size): void;
  /** Whether the program is on the alternate screen, and whether it shows the cursor. */
  modes(): { readonly alternate: boolean; readonly cursor: boolean };
  /** The process that runs in the terminal. */
  pid(): number;
  close(): void;
}

let opened = 0;

export function hasTmux(): boolean {
  return spawnSync("tmux", ["-V"]).status === 0;
}

/** Runs a shell command in a terminal of that size; the terminal stays when the command has ended. */
export function openTmux(command: string, size: Size): TmuxTerminal {
  opened += 1;
  const socket = `trialmesh-test-${process.pid}-${opened}`;
  const tmux = (...parameters: readonly string[]): string => {
    const run = spawnSync("tmux", ["-L", socket, "-f", "/dev/null", ...parameters], { encoding: "utf8" });
    if (run.status !== 0) throw new Error(`tmux ${parameters[0]}: ${run.stderr}`);
    return run.stdout;
  };
  const { columns, rows } = size;
  tmux(
    "new-session",
    "-d",
    "-s",
    "t",
    "-x",
    String(columns),
    "-y",
    String(rows),
    `${command}; echo ended $?; exec sleep 600`,
  );
  const screen = () => tmux("capture-pane", "-p", "-t", "t");
  return {
    keys: (...names) => void tmux("send-keys", "-t", "t", ...names),
    screen,
    colouredScreen: () => tmux("capture-pane", "-e", "-p", "-t", "t"),
    async until(wanted) {
      let text = "";
      const shown = await until(`the terminal to show ${String(wanted)}`, () => {
        text = screen();
        return (typeof wanted === "function" ? wanted(text) : wanted.test(text)) ? text : null;
      }).catch((error: unknown) => {
        throw new Error(`it shows:\n${text}`, { cause: error });
      });
      return shown;
    },
    resize: (next) =>
      void tmux("resize-window", "-t", "t", "-x", String(next.columns), "-y", String(next.rows)),
    modes() {
      const [alternate, cursor] = tmux("display-message", "-p", "-t", "t", "#{alternate_on} #{cursor_flag}")
        .trim()
        .split(" ");
      return { alternate: alternate === "1", cursor: cursor === "1" };
    },
    pid: () => Number(tmux("display-message", "-p", "-t", "t", "#{pane_pid}").trim()),
    close: () => void tmux("kill-server"),
  };
}
