/** `trialmesh doctor`: looks at everything a mesh needs on this machine and says what to do about what is missing. */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { exitCode } from "../../protocol/exit-code.ts";
import { action, printing } from "../shell/option.ts";
import { printAnswer, type PrintOptions } from "../shell/answer.ts";
import { table } from "../../text/table.ts";
import type { Terminal } from "../shell/terminal.ts";

export function doctorCommand(terminal: Terminal): Command {
  return printing("doctor", "check this machine and its mesh; exits 1 when something must be mended").action(
    action(terminal, async (options: PrintOptions) => {
      const { examine } = await import("../../client/doctor/examine.ts");
      const examination = await examine(terminal.environment);
      printAnswer(terminal, options, accept(examination), (value) =>
        table(
          value.findings,
          [
            { head: "", cell: (finding) => finding.verdict },
            { head: "CHECK", cell: (finding) => finding.check },
            {
              head: "FOUND",
              cell: (finding) =>
                finding.advice === null ? finding.found : `${finding.found}; ${finding.advice}`,
            },
          ],
          "nothing to check",
        ),
      );
      return examination.findings.some((finding) => finding.verdict === "fail")
        ? exitCode.failed
        : exitCode.ok;
    }),
  );
}
