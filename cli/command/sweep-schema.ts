/** `trialmesh sweep schema`: the JSON Schema of sweep files, for editors that complete and check them. */
import type { Command } from "commander";
import { exitCode } from "../../protocol/exit-code.ts";
import { action, examples, printing } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { jsonText } from "../../text/printable.ts";

export function sweepSchemaCommand(terminal: Terminal): Command {
  return printing(
    "schema",
    "print the JSON Schema of sweep files, which the package has as schema/sweep.schema.json",
  )
    .addHelpText("after", examples("trialmesh sweep schema > sweep.schema.json"))
    .action(
      action(terminal, async () => {
        const { models } = await import("../../training/catalog/model-catalog.ts");
        const { sweepJsonSchema } = await import("../../spec/sweep/json-schema.ts");
        terminal.out(jsonText(sweepJsonSchema(models)));
        return exitCode.ok;
      }),
    );
}
