/**
 * ROLL-8. Has what happens to a version on trial recorded where everybody looks: in the ledger of the model's alias `canary`, which points to the version on trial, and
 * back to the one beside it once that is taken back; and moves the served alias where it is promoted. A mesh that is away hears of it later, in order.
 */
import type { MeshClient } from "../../protocol/client.ts";
import { noteCharactersMax } from "../../protocol/command.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { canaryAlias, type RolloutLedger, type RolloutMove } from "../serve/rollout-ledger.ts";
import type { CheckVersion } from "./check-version.ts";
import { readModelReference } from "./model-reference.ts";
import { askMove, moveAlias } from "./move-alias.ts";

export interface MeshLedgerOptions {
  readonly client: MeshClient;
  readonly check: CheckVersion;
  readonly say: (line: string) => void;
  readonly wait: (ms: number) => Promise<void>;
}

type AliasedMove = RolloutMove & { readonly alias: string };

/** What a name alone stands for. */
const usualAlias = "champion";
/** Between two tries while the mesh is away. */
const againMs = 5_000;

export class MeshLedger implements RolloutLedger {
  readonly #options: MeshLedgerOptions;
  /** Models whose alias is known to point to the version on trial. */
  readonly #onTrial = new Set<string>();
  readonly #ended: Promise<void>;
  #last: Promise<void> = Promise.resolve();
  #isOver = false;
  #end: () => void = () => undefined;

  constructor(options: MeshLedgerOptions) {
    this.#options = options;
    this.#ended = new Promise((resolve) => (this.#end = resolve));
  }

  aliasOf(reference: string): string | null {
    const read = readModelReference(reference, usualAlias);
    return read.ok && typeof read.value.version === "string" ? read.value.version : null;
  }

  begun(move: RolloutMove): void {
    this.#inTurn({ ...move, alias: canaryAlias }, () => this.#onTrial.add(move.model));
  }

  takenBack(move: RolloutMove): void {
    this.#onTrial.delete(move.model);
    this.#inTurn({ ...move, alias: canaryAlias }, () => undefined);
  }

  /** The version has to prove itself as for any other promotion. */
  async promoted(move: AliasedMove): Promise<boolean> {
    const moved = await this.#move(move, this.#options.check);
    if (!moved.ok) this.#options.say(`${move.model}@${move.alias} was not moved: ${moved.refusal.message}`);
    return moved.ok;
  }

  async movedTo(model: string, version: number): Promise<number | null> {
    if (!this.#onTrial.has(model)) return null;
    const found = await this.#pointed(model, canaryAlias);
    // Asked before it was taken back here, and heard after.
    if (!this.#onTrial.has(model) || !found.ok || found.value === version) return null;
    return found.value;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.#end();
    await this.#last;
  }

  #inTurn(move: AliasedMove, then: () => void): void {
    this.#last = this.#last.then(async () => {
      if (await this.#record(move)) then();
    });
  }

  /** Whether the alias points there now. */
  async #record(move: AliasedMove): Promise<boolean> {
    const { say, wait } = this.#options;
    const name = `${move.model}@${move.alias}`;
    for (let isFirst = true; ; isFirst = false) {
      const pointed = await this.#pointed(move.model, move.alias);
      if (pointed.ok && pointed.value === move.version) return true;
      // Both versions answer here: there is nothing to prove.
      const moved = await this.#move(move, () => Promise.resolve(accept({ answer: "it is served" })));
      if (moved.ok) return true;
      const { code, message } = moved.refusal;
      if (code !== "unavailable") say(`${name} was not moved to version ${move.version}: ${message}`);
      else if (isFirst) say(`${name} is moved to version ${move.version} once the mesh is there: ${message}`);
      if (code !== "unavailable" || this.#isOver) return false;
      await Promise.race([wait(againMs), this.#ended]);
    }
  }

  /** Null where there is no such alias. */
  async #pointed(model: string, wanted: string): Promise<Outcome<number | null>> {
    const view = await this.#options.client.query("model", { model });
    if (!view.ok) return view;
    return accept(view.value.aliases.find(({ alias }) => alias === wanted)?.version ?? null);
  }

  async #move({ alias, model, version, why }: AliasedMove, check: CheckVersion): Promise<Outcome<unknown>> {
    const { client } = this.#options;
    const wanted = { of: "promote", model, version, alias } as const;
    const shown = await askMove(client, wanted);
    if (!shown.ok) return shown;
    const noted = why.slice(0, noteCharactersMax);
    return moveAlias({ client, check, why: noted, say: () => undefined }, wanted, shown.value);
  }
}
