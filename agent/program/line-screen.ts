/**
 * Text as the lines that a terminal would show in the end: of a line that was written over (a progress bar, by returns of the
 * carriage, by backspaces, by going up to it) the last state. It follows no more of a terminal than that.
 */

/** Of a line that was longer: how long it was, and how much of it is there. */
export interface LineCut {
  readonly characters: number;
  readonly read: number;
}

export interface LineScreenOptions {
  /** Whatever was written, also what was written over later: once each. */
  readonly onText: (text: string, cut: LineCut | null) => void;
  /** What stands in the end, line by line. */
  readonly onLine: (line: string) => void;
}

/** Of a longer line the beginning and the end are kept, and an ellipsis stands for what lay between. */
const lineCharactersMax = 1_048_576;
const halfCharactersMax = lineCharactersMax / 2;
/** Lines that can be gone up to; as many are held back as a program has gone up. */
const rowsMax = 64;
/** What a piece ends within waits for the next piece; where that is longer it does not. */
const waitingCharactersMax = 4_096;

// oxlint-disable-next-line no-control-regex
const control = /[\r\n]|\u0008+|\u001b\[(\d{0,4})([ABEF])/g;
// oxlint-disable-next-line no-control-regex
const unendedSequence = /\u001b(?:\[\d{0,4})?$/;
const sequenceCharactersMax = 6;

interface Row {
  /** What stands in it; null where nothing ever did. */
  stands: string | null;
  /** What was written since the carriage returned. */
  text: string;
  /** Characters that were let go from the middle of the text. */
  dropped: number;
}

const emptyRow = (): Row => ({ stands: null, text: "", dropped: 0 });

export class LineScreen {
  readonly #options: LineScreenOptions;
  #rows: Row[] = [emptyRow()];
  /** The row that is written into. */
  #at = 0;
  /** How far up it was gone so far: so many rows above the last may still change. */
  #upMost = 0;
  #waiting = "";

  constructor(options: LineScreenOptions) {
    this.#options = options;
  }

  take(piece: string): void {
    const given = this.#waiting + piece;
    const waits = unendedAt(given);
    this.#waiting = given.slice(waits);
    this.#write(given.slice(0, waits));
  }

  /** No more comes: every line is told. */
  end(): void {
    this.#write(this.#waiting);
    this.#waiting = "";
    for (const row of this.#rows) {
      this.#settle(row);
      this.#tell(row);
    }
    this.#rows = [emptyRow()];
    this.#at = 0;
  }

  #write(text: string): void {
    let from = 0;
    for (const { 0: found, 1: count = "", 2: way, index } of text.matchAll(control)) {
      this.#append(text.slice(from, index));
      from = index + found.length;
      if (found === "\n") this.#down();
      else if (found === "\r") this.#settle(this.#row);
      else if (way === undefined) this.#back(found.length);
      else this.#go(way, Math.max(1, Number(count)));
    }
    this.#append(text.slice(from));
  }

  get #row(): Row {
    const row = this.#rows[this.#at];
    if (row === undefined) throw new Error("broken invariant: there is no line to write into");
    return row;
  }

  #append(text: string): void {
    if (text === "") return;
    const row = this.#row;
    row.text += text;
    // Not each time: what is let go is copied around.
    if (row.text.length > 2 * lineCharactersMax) shorten(row);
  }

  /** The carriage returns: what stands there is read, and stays unless something is written over it. */
  #settle(row: Row): void {
    if (row.text === "") return;
    if (row.text.length > lineCharactersMax) shorten(row);
    const { dropped, text } = row;
    const whole =
      dropped === 0 ? text : `${text.slice(0, halfCharactersMax)}…${text.slice(-halfCharactersMax)}`;
    row.stands = whole;
    row.text = "";
    row.dropped = 0;
    this.#options.onText(
      whole,
      dropped === 0 ? null : { characters: text.length + dropped, read: text.length },
    );
  }

  #tell({ stands }: Row): void {
    if (stands !== null) this.#options.onLine(stands);
  }

  #down(): void {
    const row = this.#row;
    this.#settle(row);
    row.stands ??= "";
    this.#at++;
    if (this.#at < this.#rows.length) return;
    this.#rows.push(emptyRow());
    while (this.#rows.length > this.#upMost + 1) {
      const first = this.#rows.shift();
      if (first !== undefined) this.#tell(first);
      this.#at--;
    }
  }

  /** All of a line taken back is a return of the carriage; a part of it is taken as not written. */
  #back(count: number): void {
    const row = this.#row;
    if (count >= row.text.length) this.#settle(row);
    else row.text = row.text.slice(0, -count);
  }

  #go(way: string, count: number): void {
    this.#settle(this.#row);
    if (way === "B" || way === "E") {
      this.#at = Math.min(this.#rows.length - 1, this.#at + count);
      return;
    }
    const missing = Math.min(count - this.#at, rowsMax - this.#rows.length);
    // Those lines are told already; what is written there now is told once more.
    for (let n = 0; n < missing; n++) this.#rows.unshift(emptyRow());
    this.#at = Math.max(0, this.#at + Math.max(0, missing) - count);
    this.#upMost = Math.max(this.#upMost, this.#rows.length - 1 - this.#at);
  }
}

/** Where a run of backspaces or a sequence begins that may go on in the next piece. */
function unendedAt(text: string): number {
  let at = text.length;
  while (text.charAt(at - 1) === "\b") at--;
  if (at === text.length) {
    const begun = unendedSequence.exec(text.slice(-sequenceCharactersMax));
    return begun === null ? at : at - begun[0].length;
  }
  return text.length - at > waitingCharactersMax ? text.length : at;
}

function shorten(row: Row): void {
  row.dropped += row.text.length - lineCharactersMax;
  row.text = row.text.slice(0, halfCharactersMax) + row.text.slice(-halfCharactersMax);
}
