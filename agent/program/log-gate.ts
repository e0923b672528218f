/** Which of a program's lines are kept: so many a second, so many in all, so long. What is left out is counted and said. */

const lineCharactersMax = 2_000;
const linesMax = 2_000;
const linesPerSecondMax = 200;
const secondMs = 1_000;

export class LogGate {
  #kept = 0;
  #inWindow = 0;
  #windowFrom = -Infinity;
  #leftOut = 0;
  #closed = false;

  /** The lines to keep for this one: none, itself, or what was left out before it and itself. `now` in ms. */
  admit(line: string, now: number): readonly string[] {
    if (this.#closed) return [];
    if (now - this.#windowFrom >= secondMs) {
      this.#windowFrom = now;
      this.#inWindow = 0;
    }
    if (++this.#inWindow > linesPerSecondMax) {
      this.#leftOut++;
      return [];
    }
    if (this.#kept >= linesMax) {
      this.#closed = true;
      return [...this.#missing(), `(${linesMax} lines are kept; what follows is only read for metrics)`];
    }
    this.#kept++;
    return [...this.#missing(), line.slice(0, lineCharactersMax)];
  }

  #missing(): readonly string[] {
    if (this.#leftOut === 0) return [];
    const text = `(${this.#leftOut} lines left out: more than ${linesPerSecondMax} in a second)`;
    this.#leftOut = 0;
    return [text];
  }
}
