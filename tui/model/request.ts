/** The commands the screens send as they are, and the command line that does the same. */
import type { CommandBody, CommandName } from "../../protocol/command.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";

type RequestOf<N extends CommandName> = { readonly name: N; readonly body: Partial<CommandBody<N>> };
export type MeshRequest =
  | RequestOf<"sweep-stop">
  | RequestOf<"sweep-pause">
  | RequestOf<"sweep-resume">
  | RequestOf<"sweep-tune">
  | RequestOf<"trial-stop">
  | RequestOf<"account-set">
  | RequestOf<"budget-grant">
  | RequestOf<"agent-cordon">
  | RequestOf<"agent-drain">;

export function cliLine(request: MeshRequest): string {
  const { name, body } = request;
  switch (name) {
    case "sweep-stop":
      return `trialmesh sweep stop ${body.sweep}`;
    case "sweep-pause":
      return `trialmesh sweep pause ${body.sweep}${body.now === true ? " --now" : ""}`;
    case "sweep-resume":
      return `trialmesh sweep resume ${body.sweep}`;
    case "sweep-tune":
      return `trialmesh sweep tune ${body.sweep}${flag("priority", body.priority)}${flag("weight", body.weight)}`;
    case "trial-stop":
      return `trialmesh trial stop ${body.trial}`;
    case "account-set":
      return `trialmesh budget set ${body.requester}${flag("weight", body.weight)}`;
    case "budget-grant":
      return `trialmesh budget grant ${body.requester} ${(body.amount ?? 0) / milliTokensPerToken}`;
    case "agent-cordon":
      return `trialmesh agents cordon ${body.agent}${body.cordon === false ? " --end" : ""}`;
    case "agent-drain":
      return `trialmesh agents drain ${body.agent}${body.drain === false ? " --end" : ""}`;
  }
}

function flag(name: string, value: number | undefined): string {
  return value === undefined ? "" : ` --${name} ${value}`;
}
