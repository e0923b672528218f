/** `trialmesh trial why`: why a trial does not run, or that it does. */
import type { Command } from "commander";
import { formatTokens } from "../../protocol/token.ts";
import type { WhyView } from "../../protocol/view.ts";
import { action, asking, trialArgument } from "../option.ts";
import { printAnswer } from "../print/answer.ts";
import { plural } from "../print/figure.ts";
import { table } from "../print/table.ts";
import type { Terminal } from "../terminal.ts";
import { withMesh, type MeshOptions } from "../with-mesh.ts";

export function trialWhyCommand(terminal: Terminal): Command {
  return asking("why", "say why a trial is not running: agents that do not fit, tokens short, who is ahead")
    .argument("<trial>", "id of the trial, such as s7-12", trialArgument)
    .action(
      action(terminal, (trial: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.query("why", { trial }), whyText),
        ),
      ),
    );
}

function whyText(why: WhyView): string {
  const { budget } = why;
  const parts = [`${why.trial} is ${why.state}: ${why.sentence}`];
  parts.push(
    table(
      why.agents,
      [
        { head: "AGENT", cell: (agent) => agent.agent },
        { head: "FITS", cell: (agent) => (agent.fits ? "yes" : "no") },
        { head: "BECAUSE", cell: (agent) => agent.reasons.join("; ") || "-" },
      ],
      "no agent has joined",
    ),
  );
  const short = budget.short > 0 ? `, ${formatTokens(budget.short)} short` : "";
  parts.push(
    `tokens: ${formatTokens(budget.needed)} needed, ${formatTokens(budget.available)} available${short}`,
  );
  const ahead = why.ahead.map((entry) => `${entry.requester} (${plural(entry.queued, "trial")})`);
  parts.push(
    `ahead of it: ${ahead.join(", ") || "nobody"}; ${plural(why.aheadInSweep, "trial")} of its own sweep`,
  );
  return parts.join("\n\n");
}
