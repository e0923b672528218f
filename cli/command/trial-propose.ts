/**
 * `trialmesh trial propose`: one point to try in a running sweep, by hand or from a script. Whether it is a point of the
 * sweep's space is for the coordinator to say; here only the words become values.
 */
import type { Command } from "commander";
import type { MeshClient } from "../../protocol/client.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { valueSchema, type Params, type Value } from "../../protocol/value.ts";
import { action, asking, examples, sweepArgument } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { formatParams } from "../../text/figure.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly model?: string;
}

export function trialProposeCommand(terminal: Terminal): Command {
  return asking(
    "propose",
    "propose one trial of a running sweep; a point it has tried already is not run again",
  )
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .argument("<parameters...>", "every parameter of the model's space as name=value, constants too")
    .option("--model <model>", "the model to train; may be left out where the sweep has only one")
    .addHelpText(
      "after",
      examples(
        "trialmesh trial propose s7 lr=0.3 charMax=5",
        "trialmesh trial propose s7 --model textcnn lr=0.01 unit=word windows=2-3",
      ),
    )
    .addHelpText(
      "after",
      "\nNumbers, true and false are read as such, the rest as text; id='\"16\"' is the text 16.\n",
    )
    .action(
      action(terminal, (sweep: string, words: readonly string[], options: Options, command: Command) => {
        const params = paramsOf(words);
        if (!params.ok) return command.error(`error: ${params.slip}`);
        return withMesh(terminal, options, async ({ client }) => {
          const model = options.model === undefined ? await onlyModel(client, sweep) : accept(options.model);
          if (!model.ok) return printRefusal(terminal, options, model.refusal);
          const body = { sweep, model: model.value, params: params.value };
          return printAnswer(terminal, options, await client.command("trial-propose", body), (value) =>
            value.known
              ? `${value.trial} is this point already; it is not run again`
              : `${value.trial} proposed: ${model.value} ${formatParams(params.value)}`,
          );
        });
      }),
    );
}

type Read = { readonly ok: true; readonly value: Params } | { readonly ok: false; readonly slip: string };

function paramsOf(words: readonly string[]): Read {
  const params = new Map<string, Value>();
  for (const word of words) {
    const at = word.indexOf("=");
    const name = word.slice(0, at);
    if (at < 1) return { ok: false, slip: `"${word}" is no parameter; write name=value, such as lr=0.3` };
    if (params.has(name)) return { ok: false, slip: `parameter ${name} is given twice` };
    params.set(name, valueOf(word.slice(at + 1)));
  }
  return { ok: true, value: Object.fromEntries(params) };
}

/** A JSON scalar where it is one (and a finite number), else the text itself. */
function valueOf(text: string): Value {
  try {
    const read = valueSchema.safeParse(JSON.parse(text));
    return read.success ? read.data : text;
  } catch {
    return text;
  }
}

async function onlyModel(client: MeshClient, sweep: string): Promise<Outcome<string>> {
  const found = await client.query("sweep", { sweep, limit: 1 });
  if (!found.ok) return found;
  const [model, second] = found.value.models;
  if (model !== undefined && second === undefined) return accept(model);
  const models = found.value.models.join(", ");
  return refuse("invalid", `${sweep} has several models; say which with --model: ${models}`, ["model"]);
}
