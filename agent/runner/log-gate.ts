/**
 * Which lines of a program or a module are kept: so many a second, so many in all, so long, and the last ones whatever came before:
 * they say how it ended. What is left out is counted and said.
 */

const lineCharactersMax = 2_000;
const linesMax = 2_000;
const linesPerSecondMax = 200;
const lastLinesMax = 50;
const secondMs = 1_000;

export class LogGate {
  #kept = 0;
  #inWindow = 0;
  #windowFrom = -Infinity;
  /** Since the last line that was kept. */
  #leftOut = 0;
  /** Of those left out, the last ones: they are kept after all when the next line is, or none comes any more. */
  #last: string[] = [];
  #closed = false;

  /** The lines to keep for this one: none, or what was left out before it and itself. `now` in ms. */
  admit(line: string, now: number): readonly string[] {
    const kept = shortened(line);
    if (this.#closed) return this.#leave(kept);
    if (now - this.#windowFrom >= secondMs) {
      this.#windowFrom = now;
      this.#inWindow = 0;
    }
    if (++this.#inWindow > linesPerSecondMax) return this.#leave(kept);
    if (this.#kept < linesMax) return [...this.#between(), this.#keep(kept)];
    const before = this.#between();
    this.#closed = true;
    this.#leave(kept);
    return [...before, `(${linesMax} lines are kept, and the last ${lastLinesMax} once it ends)`];
  }

  /** No more comes: how many were left out, and the last of them. */
  end(): readonly string[] {
    return this.#between();
  }

  #leave(line: string): readonly string[] {
    this.#leftOut++;
    if (this.#last.push(line) > lastLinesMax) this.#last.shift();
    return [];
  }

  #keep(line: string): string {
    this.#kept++;
    return line;
  }

  #between(): readonly string[] {
    const missing = this.#leftOut - this.#last.length;
    const last = this.#last.map((line) => this.#keep(line));
    this.#leftOut = 0;
    this.#last = [];
    if (missing === 0) return last;
    const why = this.#closed ? "" : `: more than ${linesPerSecondMax} in a second`;
    return [`(${missing} lines left out${why})`, ...last];
  }
}

/** A longer line with how long it was. */
function shortened(line: string): string {
  return line.length <= lineCharactersMax
    ? line
    : `${line.slice(0, lineCharactersMax)}… (${line.length} characters)`;
}
