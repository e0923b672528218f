/** The answers of a model to a file of rows: where they go, what is said meanwhile and at the end. */
import { existsSync } from "node:fs";
import { describeBad, predictedText, predictFile, type BadRow } from "../../client/predict/predict-file.ts";
import { predictionFormat, type PredictionFormat } from "../../client/predict/prediction-file.ts";
import { csvField } from "../../client/predict/prediction-table.ts";
import { TextFile } from "../../client/export/text-file.ts";
import { refuse } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import type { Explainer } from "../../serving/explain/explanation.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import type { OpenedModel } from "../../serving/model/open-served-model.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { glyphsFor } from "../../text/glyph.ts";
import { jsonText } from "../../text/printable.ts";
import { printRefusal, type PrintOptions } from "./answer.ts";
import { progressLine } from "./progress-line.ts";
import type { Terminal } from "./terminal.ts";

export interface PredictRowsOptions extends PrintOptions {
  readonly file?: string;
  readonly out?: string;
  readonly format?: PredictionFormat;
  readonly only?: boolean;
  readonly badRows?: string;
  /** What is there already is written anew. */
  readonly force?: boolean;
}

/** Bad rows that are told one by one; the rest are counted. */
const badShown = 10;
const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export async function predictRows(
  terminal: Terminal,
  options: PredictRowsOptions,
  model: OpenedModel | ServedModel,
  explainer: Explainer | null,
): Promise<ExitCode> {
  const format = predictionFormat(options.out, options.format);
  if (!format.ok) {
    printRefusal(terminal, options, format.refusal);
    return exitCode.usage;
  }
  const there = [options.out, options.badRows].find((path) => path !== undefined && existsSync(path));
  if (there !== undefined && options.force !== true) {
    const message = `${there} is there already; --force writes it anew`;
    return printRefusal(terminal, options, refuse("conflict", message).refusal);
  }
  const stop = new AbortController();
  const end = () => {
    stop.abort();
    // A stream that says nothing would be waited for.
    process.stdin.destroy();
  };
  for (const signal of endingSignals) process.once(signal, end);
  const progress = progressLine(
    process.stderr.isTTY ? (text) => void process.stderr.write(text) : null,
    () => performance.now(),
    glyphsFor(terminal.environment),
  );
  const bad = new BadRowTeller(terminal, options.badRows ?? null);
  try {
    const done = await predictFile({
      model,
      file: options.file ?? "",
      stdin: process.stdin,
      out: options.out ?? null,
      format: format.value,
      only: options.only === true,
      explainer,
      pour: (text) => terminal.pour(text),
      say: (line) => terminal.note(`trialmesh: ${line}`),
      onBad: (row) => {
        progress.clear();
        return bad.tell(row);
      },
      onProgress: (rows, bytes, of) => progress.show(rows, bytes, of),
      signal: stop.signal,
    });
    progress.clear();
    if (stop.signal.aborted) return exitCode.interrupted;
    if (!done.ok) return printRefusal(terminal, options, done.refusal);
    bad.tellRest();
    const { model: name, version } = model;
    if (options.json === true)
      terminal.out(jsonText({ model: name, version, ...done.value, out: options.out }));
    for (const line of predictedText(done.value).split("\n")) terminal.note(`trialmesh: ${line}`);
    return done.value.bad === 0 ? exitCode.ok : exitCode.failed;
  } catch (error) {
    const refused = refuseDisk(error, "write", options.badRows ?? options.out ?? "standard output");
    return refused.ok ? exitCode.failed : printRefusal(terminal, options, refused.refusal);
  } finally {
    progress.clear();
    await bad.close();
    for (const signal of endingSignals) process.off(signal, end);
  }
}

/** Tells of the first bad rows, and writes all of them to a file where one is named. */
class BadRowTeller {
  readonly #terminal: Terminal;
  readonly #path: string | null;
  #file: TextFile | null = null;
  #count = 0;

  constructor(terminal: Terminal, path: string | null) {
    this.#terminal = terminal;
    this.#path = path;
  }

  async tell(bad: BadRow): Promise<void> {
    this.#count++;
    if (this.#count <= badShown) this.#terminal.note(`trialmesh: ${describeBad(bad)}`);
    if (this.#path === null) return;
    if (this.#file === null) {
      this.#file = await TextFile.create(this.#path);
      await this.#file.add("line,column,value,reason\n");
    }
    const { column, line, reason, value } = bad;
    await this.#file.add(`${[line, column, value, reason].map(csvField).join(",")}\n`);
  }

  tellRest(): void {
    const rest = this.#count - badShown;
    if (rest <= 0) return;
    const where =
      this.#path === null ? "--bad-rows FILE writes all of them" : `all of them are in ${this.#path}`;
    this.#terminal.note(`trialmesh: ${rest} more like these; ${where}`);
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }
}
