/** What a command changes in a fake world; which version is meant the coordinator's own rule says. */
import { resolvePromote, resolveRollback } from "../../coordinator/registry/resolve-version.ts";
import { commandSchemas, type CommandName } from "../../protocol/command.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { FakeWorld } from "./fake-world.ts";

export function fakeChange(
  world: FakeWorld,
  name: CommandName,
  body: Record<string, unknown>,
): Outcome<unknown> {
  const model = world.models.find((each) => each.model === body["model"]);
  const alias = String(body["alias"]);
  if ((name === "model-promote" || name === "model-rollback") && model !== undefined) {
    const found =
      name === "model-promote"
        ? resolvePromote(world.registry(), commandSchemas[name].parse(body))
        : resolveRollback(world.registry(), commandSchemas[name].parse(body));
    if (!found.ok) return found;
    const { from, version: to } = found.value;
    model.aliases = [...model.aliases.filter((each) => each.alias !== alias), { alias, version: to }];
    const kind = name === "model-promote" ? "promote" : "rollback";
    model.ledger.push({ alias, from, to, who: "ada", why: "", kind, at: world.now });
    return accept({ model: model.model, alias, version: to, from });
  }
  const sweep = world.sweepOf(body["sweep"]);
  if (name === "sweep-stop" && sweep !== undefined) {
    sweep.summary = { ...sweep.summary, state: "stopped", finishedAt: world.now };
    return accept({ sweep: sweep.summary.sweep });
  }
  if ((name === "sweep-pause" || name === "sweep-resume") && sweep !== undefined) {
    sweep.summary = { ...sweep.summary, state: name === "sweep-pause" ? "paused" : "running" };
    return accept({ sweep: sweep.summary.sweep, running: 0, queued: 0 });
  }
  if (name === "sweep-tune" && sweep !== undefined) {
    return accept({ sweep: sweep.summary.sweep, weight: 1, priority: 0, ...body });
  }
  const account = world.accounts.find((each) => each.requester === body["requester"]);
  if (name === "budget-grant" && account !== undefined) {
    account.granted += Number(body["amount"]);
    account.available += Number(body["amount"]);
    return accept({ requester: account.requester, granted: account.granted });
  }
  if (name === "agent-cordon" || name === "agent-drain")
    return accept({ agent: String(body["agent"]), running: [] });
  return refuse("unknown", `${name} names something that does not exist`);
}
