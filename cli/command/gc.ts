/** `trialmesh gc`: what nothing refers to is marked and goes after a grace; `--dry` only says what would. `gc policy`: what is kept. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import { garbageShownMax } from "../../protocol/command.ts";
import type { GarbageView } from "../../protocol/garbage-view.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { checkpointsKeptMax } from "../../protocol/retention.ts";
import { durationText } from "../../text/duration.ts";
import { garbageText, policyText, subjectText } from "../print/garbage-text.ts";
import { printAnswer } from "../shell/answer.ts";
import { action, asking, examples, flag, textFlag } from "../shell/option.ts";
import { wholeFlag } from "../shell/range.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly dry?: boolean;
  readonly why?: string;
  readonly grace?: number;
  readonly limit: number;
}

interface PolicyOptions extends MeshOptions {
  readonly checkpoints?: number;
  readonly grace?: number;
  readonly logs?: number;
  readonly removed?: number;
  readonly uploads?: number;
}

const limitDefault = 20;
const pollMs = 300;
/** A look at a million artifacts takes minutes. */
const lookPatienceMs = 600_000;
const digestCharactersMax = 64;
const triesMax = 15;

const span = flag(durationText);
const graceFlag = (text: string): number => (text === "0" ? 0 : span(text));

export function gcCommand(terminal: Terminal): Command {
  return asking(
    "gc",
    "remove from the mesh's store what nothing refers to, after a grace; it also happens by itself",
  )
    .option("--dry", "only say what would go, how large it is and why nothing refers to it")
    .option(
      "--why <digest>",
      "what refers to this artifact, or what became of it",
      textFlag("a digest", digestCharactersMax),
    )
    .option("--grace <span>", "until it goes, such as 30m or 2h, or 0, instead of what is set", graceFlag)
    .option(
      "--limit <n>",
      "how many are listed, the largest first",
      wholeFlag(1, garbageShownMax),
      limitDefault,
    )
    .addHelpText(
      "after",
      examples(
        "trialmesh gc --dry",
        "trialmesh gc --why 3f9a02c1",
        "trialmesh gc --grace 0",
        "trialmesh gc policy --checkpoints 5",
      ),
    )
    .addCommand(policyCommand(terminal))
    .action(
      action(terminal, ({ dry, grace, limit, why, ...options }: Options) =>
        withMesh(terminal, options, async ({ client }) => {
          const digest = why?.toLowerCase() ?? null;
          const isDry = dry === true || digest !== null;
          const answer = isDry ? await ask(client, { digest, limit }) : await run(client, grace, limit);
          return printAnswer(terminal, options, answer, (value) =>
            value.subject === null ? garbageText(value, isDry) : subjectText(value.subject),
          );
        }),
      ),
    );
}

/** A coordinator that has not looked through the whole store yet says so, and has more of it the next time. */
async function ask(
  client: Connected["client"],
  body: { readonly digest: string | null; readonly limit: number },
): Promise<Outcome<GarbageView>> {
  for (let tries = 1; ; tries++) {
    const answer = await client.query("garbage", body);
    if (answer.ok || answer.refusal.code !== "unavailable" || tries === triesMax) return answer;
    await sleep(pollMs);
  }
}

/** Asks for a look and waits until it has been taken. */
async function run(
  client: Connected["client"],
  grace: number | undefined,
  limit: number,
): Promise<Outcome<GarbageView>> {
  const asked = await client.command("gc-run", { graceMs: grace ?? null });
  if (!asked.ok) return asked;
  for (let waitedMs = 0; waitedMs < lookPatienceMs; waitedMs += pollMs) {
    const answer = await ask(client, { digest: null, limit });
    if (!answer.ok || !answer.value.isAsked) return answer;
    await sleep(pollMs);
  }
  return refuse(
    "unavailable",
    "the coordinator has not come to look yet; it will, and `trialmesh gc --dry` says what it has marked",
  );
}

function policyCommand(terminal: Terminal): Command {
  return asking("policy", "show how long bytes are kept that nothing needs to go on, and set it")
    .option("--checkpoints <n>", "best checkpoints of each sweep that stay", wholeFlag(0, checkpointsKeptMax))
    .option("--grace <span>", "between the mark and the removal, such as 1h, or 0", graceFlag)
    .option("--logs <span>", "what trials wrote, after they have ended, such as 90d", span)
    .option(
      "--removed <span>",
      "after `sweep rm`, what the sweep was run with and its best, such as 30d",
      span,
    )
    .option("--uploads <span>", "what nothing speaks of and may be part of an upload, such as 1d", span)
    .addHelpText("after", examples("trialmesh gc policy", "trialmesh gc policy --checkpoints 5 --grace 2h"))
    .action(
      action(terminal, ({ checkpoints, grace, logs, removed, uploads, ...options }: PolicyOptions) => {
        const given = {
          ...(checkpoints === undefined ? null : { checkpoints }),
          ...(grace === undefined ? null : { graceMs: grace }),
          ...(logs === undefined ? null : { logsMs: logs }),
          ...(removed === undefined ? null : { removedMs: removed }),
          ...(uploads === undefined ? null : { uploadMs: uploads }),
        };
        return withMesh(terminal, options, async ({ client }) => {
          if (Object.keys(given).length > 0)
            return printAnswer(terminal, options, await client.command("retention-set", given), policyText);
          const answer = await ask(client, { digest: null, limit: 1 });
          return printAnswer(
            terminal,
            options,
            answer.ok ? accept(answer.value.retention) : answer,
            policyText,
          );
        });
      }),
    );
}
