/** `trialmesh sweep schema`: the JSON Schema of sweep files, for editors that complete and check them. */
import type { Command } from "commander";
import { exitCode } from "../exit-code.ts";
import { action, examples, printing } from "../option.ts";
import type { Terminal } from "../terminal.ts";

export function sweepSchemaCommand(terminal: Terminal): Command {
  return printing(
    "schema",
    "print the JSON Schema of sweep files, which the package has as schema/sweep.schema.json",
  )
    .addHelpText("after", examples("trialmesh sweep schema > sweep.schema.json"))
    .action(
      action(terminal, async () => {
        const { models } = await import("../../agent/task/table.ts");
        const { sweepJsonSchema } = await import("../sweep-file/json-schema.ts");
        terminal.out(JSON.stringify(sweepJsonSchema(models), null, 2));
        return exitCode.ok;
      }),
    );
}
