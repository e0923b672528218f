/** `trialmesh budget set`: an account's weight, its refill, and the most each of its sweeps may spend. */
import type { Command } from "commander";
import type { CommandBody } from "../../protocol/command.ts";
import { formatTokens } from "../../protocol/token.ts";
import { action, asking, examples, flag, nameArgument, tokensFlag, weightFlag } from "../shell/option.ts";
import { bucketText } from "../print/account-text.ts";
import { printAnswer } from "../shell/answer.ts";
import { durationText } from "../../text/duration.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly weight?: number;
  /** False: `--no-refill`. */
  readonly refill?: number | false;
  readonly every?: number;
  readonly upTo?: number;
  /** False: `--no-per-sweep`. */
  readonly perSweep?: number | false;
}

export function budgetSetCommand(terminal: Terminal): Command {
  return asking("set", "set an account's weight, refill and limit for each sweep; the rest stays as it is")
    .argument("<requester>", "name of the account", nameArgument)
    .option("--weight <w>", "share of the machines against others who wait", weightFlag)
    .option("--refill <tokens>", "add so many tokens every period", tokensFlag)
    .option("--every <span>", "the period of the refill, such as 90m, 12h or 1d", flag(durationText))
    .option("--up-to <tokens>", "refill only while less than this is available", tokensFlag)
    .option("--no-refill", "end the refill")
    .option("--per-sweep <tokens>", "the most each sweep may spend", tokensFlag)
    .option("--no-per-sweep", "end that limit")
    .addHelpText(
      "after",
      examples(
        "trialmesh budget set team-a --weight 3",
        "trialmesh budget set team-a --refill 100 --every 1d --up-to 500",
        "trialmesh budget set team-a --no-refill --per-sweep 50",
      ),
    )
    .action(
      action(terminal, (requester: string, options: Options, command: Command) => {
        const changes = changesOf(options);
        if (!changes.ok) return command.error(`error: ${changes.slip}`);
        return withMesh(terminal, options, async ({ client }) => {
          const answer = await client.command("account-set", { requester, ...changes.value });
          return printAnswer(terminal, options, answer, ({ refill, requester: name, sweepCap, weight }) =>
            [
              `${name}: weight ${weight}`,
              refill === null ? "no refill" : `refill ${bucketText(refill)}`,
              sweepCap === null ? "no limit for a sweep" : `at most ${formatTokens(sweepCap)} tokens a sweep`,
            ].join("; "),
          );
        });
      }),
    );
}

type Changes = Omit<CommandBody<"account-set">, "requester">;

/** What the flags ask for, or the slip in them: only together do the three of a refill mean anything. */
function changesOf({
  every,
  perSweep,
  refill,
  upTo,
  weight,
}: Options): { readonly ok: true; readonly value: Changes } | { readonly ok: false; readonly slip: string } {
  const stray = every === undefined ? (upTo === undefined ? null : "--up-to") : "--every";
  if (typeof refill !== "number" && stray !== null)
    return { ok: false, slip: `${stray} belongs to --refill TOKENS; give that too` };
  let bucket: Changes["refill"];
  if (refill === false) bucket = null;
  if (typeof refill === "number") {
    if (every === undefined || upTo === undefined)
      return { ok: false, slip: "--refill needs --every and --up-to, such as --every 1d --up-to 500" };
    if (upTo < refill) {
      const least = formatTokens(refill);
      return { ok: false, slip: `--up-to is below --refill; it must be at least ${least}` };
    }
    bucket = { amount: refill, everyMs: every, upTo };
  }
  const sweepCap = perSweep === false ? null : perSweep;
  if (weight === undefined && bucket === undefined && sweepCap === undefined)
    return {
      ok: false,
      slip: "there is nothing to set; give --weight, --refill, --no-refill, --per-sweep or --no-per-sweep",
    };
  return {
    ok: true,
    value: {
      ...(weight === undefined ? {} : { weight }),
      ...(bucket === undefined ? {} : { refill: bucket }),
      ...(sweepCap === undefined ? {} : { sweepCap }),
    },
  };
}
