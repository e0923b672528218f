/** `trialmesh add user@host`: a machine joins over the user's own ssh, with nothing installed there before. */
import { Option, type Command } from "commander";
import { addMachine, type Added } from "../../client/machine/add-machine.ts";
import { portMax } from "../../mesh/port.ts";
import { sentenceCharactersMax } from "../../protocol/bound.ts";
import { programsAllowed } from "../../protocol/program.ts";
import { accept } from "../../protocol/refusal.ts";
import { printAnswer, type PrintOptions } from "../shell/answer.ts";
import { action, examples, fileArgument, nameArgument, printing, textFlag } from "../shell/option.ts";
import { wholeFlag } from "../shell/range.ts";
import { sshDestination } from "../shell/ssh-destination.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";

const slotsMax = 1024;

interface Options extends PrintOptions {
  readonly slots?: number;
  readonly programs?: string;
  readonly service?: boolean;
  readonly port?: number;
  readonly identity?: string;
  readonly name?: string;
  readonly url?: string;
}

export function addCommand(terminal: Terminal): Command {
  return printing("add", "add a machine over ssh: bring Node and this build, join it, start its agent")
    .argument("<destination>", "user@host, or a name of your ssh configuration", sshDestination)
    .option("--slots <n>", "trials at a time there; one per core at first", wholeFlag(0, slotsMax))
    .addOption(
      new Option("--programs <whose>", "run programs there of nobody, of you, or of anyone").choices([
        ...programsAllowed,
      ]),
    )
    .option("--service", "start its agent whenever the machine starts, as a service of that user")
    .option("--port <n>", "of its ssh server", wholeFlag(1, portMax))
    .option("--identity <file>", "private key to come with", fileArgument)
    .option("--name <name>", "of its agent; what the machine calls itself by default", nameArgument)
    .option(
      "--url <url>",
      "address of the mesh as that machine reaches it, such as nats://192.168.1.5:4222",
      textFlag("an address such as nats://192.168.1.5:4222", sentenceCharactersMax),
    )
    .addHelpText(
      "after",
      `\nEverything lies in ~/.local/share/trialmesh and ~/.trialmesh there; no root is needed, and no internet where the machine is of the same
kind as this one. Its own flags are kept there and may be changed with \`trialmesh agent\`. Running it again changes nothing.\n${examples(
        "trialmesh add me@attic-pc --slots 2",
        "trialmesh add me@192.168.1.7 --service --port 2222 --identity ~/.ssh/mesh",
      )}`,
    )
    .action(
      action(terminal, async (destination: string, options: Options) => {
        const added = await addMachine(surroundingsOf(terminal), {
          place: { destination, port: options.port ?? null, identity: options.identity ?? null },
          name: options.name ?? null,
          words: ownerWords(options),
          service: options.service ?? false,
          url: options.url ?? null,
        });
        return printAnswer(terminal, options, added.ok ? accept(added.value) : added, addedText);
      }),
    );
}

function ownerWords({ programs, slots }: Options): readonly string[] {
  return [
    ...(slots === undefined ? [] : ["--slots", String(slots)]),
    ...(programs === undefined ? [] : ["--programs", programs]),
  ];
}

function addedText({ agent, already, destination, service, version }: Added): string {
  if (already) return `${destination} is agent ${agent} already, with this build of trialmesh ${version}`;
  const lasting = service
    ? "it starts with the machine"
    : "it runs until that machine stops; --service makes it start with the machine";
  return `${destination} is agent ${agent} of the mesh now, with trialmesh ${version}; ${lasting}`;
}
