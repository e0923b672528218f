/** `trialmesh lineage`: from an answer that a served model gave back to the model, the trial, the machines and the data behind it. */
import type { Command } from "commander";
import { answerLineage, type AnswerLineage } from "../../client/model/answer-lineage.ts";
import type { ModelReference } from "../../client/model/model-reference.ts";
import { lineageText } from "../print/lineage-text.ts";
import { printAnswer } from "../shell/answer.ts";
import { modelArgument } from "../shell/model-option.ts";
import { action, asking, examples } from "../shell/option.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function lineageCommand(terminal: Terminal): Command {
  return asking("lineage", "go back from an answer of a served model to what made it, and its data's sources")
    .argument(
      "<answer>",
      "id of the answer, from its x-trialmesh-answer header; or name@version",
      modelArgument,
    )
    .addHelpText("after", examples("trialmesh lineage language-id@1~89babe44241e0"))
    .action(
      action(terminal, (answer: ModelReference, options: MeshOptions) =>
        withMesh(terminal, options, async (connected) =>
          printAnswer(
            terminal,
            options,
            await answerLineage(connected, answer, surroundingsOf(terminal)),
            answerText,
          ),
        ),
      ),
    );
}

function answerText(answer: AnswerLineage): string {
  const sources = (answer.sources ?? []).map(
    ({ digest, name, rows }) => `source      ${name}, ${rows} rows, SHA-256 ${digest}`,
  );
  return [lineageText(answer), ...sources].join("\n");
}
