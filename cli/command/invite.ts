/** `trialmesh invite`: one short line that lets another machine or person join; which there are, and taking one back. */
import { Argument, Option, type Command } from "commander";
import { isLoopback, makeInvitation, type Invitation } from "../../client/connect/make-invitation.ts";
import { homePath, openHome } from "../../mesh/home.ts";
import { idOf, usesMax } from "../../mesh/invitation.ts";
import { invitedRole, invitedRoles, lifeDefaultS, withdrawInvite } from "../../mesh/invite.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { accept } from "../../protocol/refusal.ts";
import { invitationViews } from "../../client/connect/invitation-view.ts";
import { invitationsText, lifeText } from "../print/invitations-text.ts";
import { durationText } from "../../text/duration.ts";
import { action, examples, flag, nameArgument, printing, textFlag } from "../shell/option.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import { sentenceCharactersMax, textOf } from "../../protocol/bound.ts";
import { wholeFlag } from "../shell/range.ts";
import type { Terminal } from "../shell/terminal.ts";

interface Options extends PrintOptions {
  readonly url?: string;
  readonly uses: number;
  readonly expires: number | "never";
  readonly list?: boolean;
  readonly revoke?: string;
}

/** What people pass on reads well up to here; only a long address makes it longer. */
const codeCharactersMax = 90;
const msPerS = 1_000;

const idCharactersMax = 20;
const idFlag = flag(
  textOf(idCharactersMax).regex(/^[a-z2-7]{8}$/iu),
  "an id as `trialmesh invite --list` shows it",
);
const spanFlag = flag(durationText.transform((ms) => Math.floor(ms / msPerS)));
/** Seconds, or `never`. */
const lifeFlag = (text: string): number | "never" => (text === "never" ? text : spanFlag(text));

export function inviteCommand(terminal: Terminal): Command {
  return printing("invite", "print the one line that lets another machine or person join")
    .addArgument(new Argument("[role]", "what it may do").choices([...invitedRoles]))
    .argument("[name]", "its name in the mesh", nameArgument)
    .option(
      "--url <url>",
      "address of the mesh as the other machine reaches it, such as nats://192.168.1.5:4222",
      textFlag("an address such as nats://192.168.1.5:4222", sentenceCharactersMax),
    )
    .option(
      "--uses <n>",
      "for so many machines; each further agent gets a number behind its name",
      wholeFlag(1, usesMax),
      1,
    )
    .addOption(
      new Option("--expires <time>", "how long it may be used, such as 30m, 24h, 7d, or never")
        .argParser(lifeFlag)
        .default(lifeDefaultS, "24h"),
    )
    .option("--list", "show the invitations there are, who came of each and who was turned away")
    .option("--revoke <id>", "take one back that was not used, by its id in the list", idFlag)
    .addHelpText(
      "after",
      examples(
        "trialmesh invite agent tower",
        "trialmesh invite requester team-a --expires 7d",
        "trialmesh invite agent pool --uses 8",
        "trialmesh invite agent tower --url nats://192.168.1.5:4222",
        "trialmesh invite --list",
      ),
    )
    .action(
      action(terminal, (role: string | undefined, name: string | undefined, options: Options) =>
        chosen(terminal, role, name, options),
      ),
    );
}

function chosen(
  terminal: Terminal,
  role: string | undefined,
  name: string | undefined,
  options: Options,
): Promise<ExitCode> {
  const nowS = Math.floor(Date.now() / 1000);
  const { list, revoke } = options;
  if (revoke !== undefined) return takeBack(terminal, revoke, options, nowS);
  if (list === true) return show(terminal, options, nowS);
  if (role !== undefined && name !== undefined) return invite(terminal, role, name, options, nowS);
  terminal.note(
    `trialmesh: say who is invited, as in \`trialmesh invite agent tower\` (${invitedRoles.join(", ")}), or --list (see \`trialmesh invite --help\`)`,
  );
  return Promise.resolve(exitCode.usage);
}

async function invite(
  terminal: Terminal,
  roleText: string,
  name: string,
  options: Options,
  nowS: number,
): Promise<ExitCode> {
  const role = invitedRole(roleText);
  if (!role.ok) return printRefusal(terminal, options, role.refusal);
  const { expires, url, uses } = options;
  const lifeS = expires === "never" ? null : expires;
  const made = await makeInvitation(terminal.environment, { role: role.value, name, url, uses, lifeS, nowS });
  const code = printAnswer(terminal, options, made, ({ line }) => line);
  if (made.ok) explain(terminal, made.value, nowS);
  return code;
}

function explain(terminal: Terminal, made: Invitation, nowS: number): void {
  const { code, expiresAt, id, name, replaced, role, url, uses } = made;
  const several =
    role === "requester" || role === "viewer" ? `${role} ${name}` : `${role}s ${name}, ${name}-2 and so on`;
  const whom =
    uses === 1
      ? `the first machine that does is ${role} ${name}`
      : `the first ${uses} machines that do are ${several}`;
  terminal.note(
    `Paste this line on the other machine${lifeText(expiresAt, nowS)}; ${whom}. \`trialmesh invite --revoke ${id}\` takes it back.`,
  );
  if (replaced > 0)
    terminal.note(`The earlier invitation of ${role} ${name}, which nobody used, is taken back.`);
  if (code.length > codeCharactersMax)
    terminal.note(
      `The line is long because the address is; --url with a shorter name of this machine makes it shorter.`,
    );
  if (isLoopback(made)) {
    terminal.note(
      `It names ${url}, which only this machine reaches; for another one, start the mesh with \`trialmesh up --listen 0.0.0.0:${url.split(":").at(-1)}\`.`,
    );
  }
}

async function takeBack(terminal: Terminal, id: string, options: Options, nowS: number): Promise<ExitCode> {
  const home = openHome(homePath(terminal.environment));
  if (!home.ok) return printRefusal(terminal, options, home.refusal);
  const withdrawn = await withdrawInvite(home.value, id, nowS);
  const value = withdrawn.ok
    ? accept({ id: idOf(withdrawn.value), role: withdrawn.value.role, name: withdrawn.value.name })
    : withdrawn;
  return printAnswer(
    terminal,
    options,
    value,
    (taken) => `invitation ${taken.id} of ${taken.role} ${taken.name} is taken back`,
  );
}

function show(terminal: Terminal, options: Options, nowS: number): Promise<ExitCode> {
  const home = openHome(homePath(terminal.environment));
  if (!home.ok) return Promise.resolve(printRefusal(terminal, options, home.refusal));
  const views = invitationViews(home.value, nowS);
  return Promise.resolve(printAnswer(terminal, options, views, invitationsText));
}
