/** `trialmesh predict`: what a registered model says of a text, or of a file of rows, however many. */
import { Option, type Command } from "commander";
import type { PredictionFormat } from "../../client/predict/prediction-file.ts";
import { predictionFormats } from "../../client/predict/prediction-file.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import type { Explainer } from "../../serving/explain/explanation.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { glyphsFor } from "../../text/glyph.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { asking, action, eachOf, examples, fileArgument, textFlag } from "../shell/option.ts";
import { namedModelArgument } from "../shell/model-option.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

/** Longer ones come from a file: no system passes much more in one word. */
const textCharactersMax = 65_536;
const textOption = textFlag("a text", textCharactersMax);

export interface PredictOptions extends MeshOptions {
  readonly text?: readonly string[];
  readonly file?: string;
  readonly out?: string;
  readonly format?: PredictionFormat;
  readonly only?: boolean;
  readonly explain?: boolean;
  readonly force?: boolean;
  readonly badRows?: string;
}

export function predictCommand(terminal: Terminal): Command {
  return asking("predict", "ask a registered model: of a text, or of every row of a file")
    .argument(
      "<model>",
      "name, name@version, name@alias or name@best; a name alone is its champion",
      namedModelArgument,
    )
    .option("--text <text>", "a text to answer; may be given several times", eachOf(textOption))
    .option(
      "--file <rows>",
      "answer each row of this CSV, JSON lines or Parquet file, or - for standard input",
      fileArgument,
    )
    .option("--out <file>", "where the answers to a file go (default: standard output)", fileArgument)
    .addOption(
      new Option("--format <format>", "what to write (default: what --out is called, else csv)").choices(
        predictionFormats,
      ),
    )
    .option("--only", "write predictions alone, without the rows' own columns and probabilities")
    .option("--force", "write anew what is there already")
    .option(
      "--explain",
      "say which words, phrases or columns count for each answer (linear, nbsvm, fasttext)",
    )
    .option(
      "--bad-rows <file>",
      "write the rows that cannot be answered, and why, to this CSV file",
      fileArgument,
    )
    .addHelpText(
      "after",
      examples(
        'trialmesh predict language-id --text "wo ist der Bahnhof"',
        "trialmesh predict reviews@3 --file reviews.csv --out answered.csv",
        "cat rows.jsonl | trialmesh predict prices@champion --file - > answered.csv",
      ),
    )
    .action(
      action(terminal, (reference: string, options: PredictOptions) => predict(terminal, reference, options)),
    );
}

async function predict(terminal: Terminal, reference: string, options: PredictOptions): Promise<ExitCode> {
  const wrong = wrongUsage(options);
  if (wrong !== null) {
    printRefusal(terminal, options, refuse("invalid", wrong).refusal);
    return exitCode.usage;
  }
  return withMesh(terminal, options, async (connected) => {
    const { openModel } = await import("../../client/model/open-model.ts");
    const opened = await openModel(connected, reference, surroundingsOf(terminal));
    if (!opened.ok) return printRefusal(terminal, options, opened.refusal);
    const model = opened.value;
    const { isRegistered } = await import("../../client/model/registered-model.ts");
    const { recordFacts } = await import("../../client/model/record-fact.ts");
    try {
      const explainer = options.explain === true ? await explainerOf(connected, model.digest) : accept(null);
      if (!explainer.ok) return printRefusal(terminal, options, explainer.refusal);
      if (options.text === undefined) {
        const { predictRows } = await import("../shell/predict-rows.ts");
        return await predictRows(terminal, options, model, explainer.value);
      }
      const { answerTexts } = await import("../../client/predict/answer-text.ts");
      const { textAnswers } = await import("../print/text-answer.ts");
      const answered = await answerTexts(model, options.text, explainer.value);
      if (!answered.ok) return printRefusal(terminal, options, answered.refusal);
      return printAnswer(terminal, options, accept(answered.value), (value) =>
        textAnswers(value, terminal.columns, glyphsFor(terminal.environment)),
      );
    } finally {
      // It has answered; what could not be told of it is told by the next.
      if (isRegistered(model)) await recordFacts(connected.client, model).catch(() => undefined);
      model.dispose();
    }
  });
}

async function explainerOf(connected: Connected, digest: string): Promise<Outcome<Explainer>> {
  const { fetchBytes } = await import("../../client/artifact/fetch-bytes.ts");
  const { openExplainer } = await import("../../serving/explain/open-explainer.ts");
  const bytes = await fetchBytes(connected, digest);
  return bytes.ok ? openExplainer(bytes.value) : bytes;
}

/** Flags that contradict each other, in a sentence. */
function wrongUsage({
  badRows,
  file,
  force,
  format,
  json = false,
  only,
  out,
  text,
}: PredictOptions): string | null {
  if (text === undefined && file === undefined)
    return 'nothing to answer; give --text "…", or --file with rows (- for standard input)';
  if (text !== undefined && file !== undefined)
    return "--text and --file are two questions; ask one at a time";
  const ofFile = {
    "--out": out,
    "--format": format,
    "--only": only,
    "--bad-rows": badRows,
    "--force": force,
  };
  const stray = Object.entries(ofFile).find(([, value]) => value !== undefined)?.[0];
  if (text !== undefined && stray !== undefined) return `${stray} is for the answers to a --file`;
  if (json && file !== undefined && out === undefined)
    return "--json prints a summary of what was answered; the answers themselves go to a file, so give --out";
  return null;
}
