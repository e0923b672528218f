/** The commands the screens send, and the command line that does the same. */
import type { CommandBody, CommandName } from "../../protocol/command.ts";

type RequestOf<N extends CommandName> = { readonly name: N; readonly body: Partial<CommandBody<N>> };
export type MeshRequest =
  | RequestOf<"model-promote">
  | RequestOf<"model-rollback">
  | RequestOf<"sweep-stop">
  | RequestOf<"agent-drain">;

export function cliLine(request: MeshRequest): string {
  const { name, body } = request;
  switch (name) {
    case "model-promote":
      return `trialmesh model promote ${body.model}@${body.version} ${body.alias}`;
    case "model-rollback":
      return `trialmesh model rollback ${body.model} ${body.alias} --to ${body.to}`;
    case "sweep-stop":
      return `trialmesh sweep stop ${body.sweep}`;
    case "agent-drain":
      return `trialmesh agents drain ${body.agent}${body.drain === false ? " --end" : ""}`;
  }
}
