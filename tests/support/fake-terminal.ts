/** A terminal's two streams without a terminal: what is typed is read, what is written is kept. */
import { PassThrough, Writable } from "node:stream";
import { until } from "./until.ts";
import type { Size } from "../../tui/screen-frame.ts";

export interface FakeTerminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  /** Everything written so far. */
  written(): string;
  type(text: string): void;
  resize(size: Size): void;
  /** Raw mode as it was set last; null before. */
  rawMode(): boolean | null;
  /** Resolves once what was written after `from` holds a match, escape sequences aside. */
  shows(pattern: RegExp, from?: number): Promise<void>;
}

// oxlint-disable-next-line no-control-regex
const escapes = /\u001b\[[0-9;?]*[A-Za-z]/g;

export function openFakeTerminal(size: Size): FakeTerminal {
  let all = "";
  let raw: boolean | null = null;
  const stdout = Object.assign(
    new Writable({
      decodeStrings: false,
      write(chunk, _encoding, done) {
        all += String(chunk);
        done();
      },
    }),
    { isTTY: true, columns: size.columns, rows: size.rows },
  );
  const input = new PassThrough();
  const stdin = Object.assign(input, {
    isTTY: true,
    setRawMode(mode: boolean) {
      raw = mode;
      return input;
    },
    ref: () => input,
    unref: () => input,
  });
  return {
    stdin,
    stdout,
    written: () => all,
    type: (text) => void input.write(text),
    resize(next) {
      Object.assign(stdout, next);
      stdout.emit("resize");
    },
    rawMode: () => raw,
    async shows(pattern, from = 0) {
      const shows = () => pattern.test(all.slice(from).replace(escapes, "")) || null;
      await until(`the terminal to show ${String(pattern)}`, shows).catch((error: unknown) => {
        throw new Error(`it shows:\n${all.slice(from).replace(escapes, "")}`, { cause: error });
      });
    },
  };
}
