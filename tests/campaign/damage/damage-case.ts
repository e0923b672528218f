/**
 * One case: a home is damaged, the mesh is started, and what is damaged must be noticed, or mended by itself, and then be mended
 * by the documented command. Judged by the journal's messages and everybody's balance, never by what the mesh says of itself
 * alone. The mesh is started as `up` starts it, its coordinator a process of its own.
 */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { connectMesh } from "../../../client/connect/connect-mesh.ts";
import { startMesh, type StartedMesh } from "../../../mesh/part/start-mesh.ts";
import { hashOf } from "../../../coordinator/journal/batch.ts";
import { openLmdbStore } from "../../../store/lmdb-store.ts";
import { journalCopyVersion } from "../../../coordinator/journal/journal-copy.ts";
import { dirname } from "node:path";
import { mainFile } from "../../support/run-cli.ts";
import type { DamageKind, DamagePlace } from "./damage-kind.ts";
import { workAgain } from "./work-again.ts";
import { balancesOf, journalHashes, type WholeMesh } from "./whole-mesh.ts";

/**
 * `healed`: noticed, and whole again after the documented command. `mended`: noticed, or not visible at all, and whole again by
 * itself. `lost`: said to be beyond repair, where the kind allows it. The rest are defects.
 */
export type Outcome = "healed" | "mended" | "lost" | "MISSED" | "WRONG" | "NOT-HEALED" | "LATE";

export interface CaseResult {
  readonly kind: string;
  readonly outcome: Outcome;
  /** While it ran, when it started, or not at all. */
  readonly noticed: "running" | "start" | "none";
  readonly what: string;
  /** What the mesh said, for a defect. */
  readonly said: readonly string[];
}

/** From the damage on a running mesh until it must have said so, where it must at once. */
const atOnceMs = 8_000;
/** What is noticed later than this is left to the next start. */
const aWhileMs = 1_000;
/** How long a start may take until it leads or refuses; long, for such runs are made beside other work. */
const startMs = 120_000;
const pollMs = 50;
/** What heals by itself is said all the same. */
const tellsDamage =
  /was damaged|is damaged|is gone|not what its digest says|is not whole|cut off|was deleted|ended by SIG/;
const wayOut = /trialmesh up --restore-journal/;

interface Start {
  readonly mesh: StartedMesh | null;
  /** Why it does not run; null while it does. */
  readonly refused: string | null;
}

export class DamageCase {
  readonly #whole: WholeMesh;
  readonly #kind: DamageKind;
  readonly #place: DamagePlace;
  readonly #said: string[] = [];
  #what = "";
  #noticed: CaseResult["noticed"] = "none";

  constructor(whole: WholeMesh, kind: DamageKind, place: DamagePlace) {
    this.#whole = whole;
    this.#kind = kind;
    this.#place = place;
  }

  async run(random: () => number): Promise<CaseResult> {
    if (this.#kind.when === "running") {
      const missed = await this.#damageRunning(random);
      if (missed !== null) return this.#result(missed);
    } else this.#what = await this.#kind.apply(this.#place, random);
    const first = await this.#start(false);
    if (first.mesh !== null) {
      const fault = (await this.#fault()) ?? (await this.#workFault());
      await first.mesh.stop();
      if (this.#noticed === "none" && this.#said.some((line) => tellsDamage.test(line)))
        this.#noticed = "start";
      if (fault === null) return this.#result("mended");
      return this.#result(fault.startsWith("balances") ? "WRONG" : "MISSED", fault);
    }
    if (this.#noticed === "none") this.#noticed = "start";
    if (!wayOut.test(first.refused ?? "")) return this.#result("NOT-HEALED", "it does not say the way out");
    return this.#heal();
  }

  /** What is wrong where it must be noticed at once and was not; null where the case goes on. */
  async #damageRunning(random: () => number): Promise<Outcome | null> {
    const { mesh, refused } = await this.#start(false);
    if (mesh === null) throw new Error(`the undamaged mesh does not start: ${refused ?? ""}`);
    this.#what = await this.#kind.apply(this.#place, random);
    const patienceMs = this.#kind.atOnce === true ? atOnceMs : aWhileMs;
    const said = await Promise.race([mesh.failed, sleep(patienceMs, null)]);
    if (said !== null) this.#noticed = "running";
    await mesh.stop();
    return said === null && this.#kind.atOnce === true ? "LATE" : null;
  }

  async #heal(): Promise<CaseResult> {
    const { mesh, refused } = await this.#start(true);
    if (mesh === null) {
      const isSaid = /lost|cannot be put back/.test(refused ?? "") && this.#kind.mayBeLost === true;
      return this.#result(isSaid ? "lost" : "NOT-HEALED", refused ?? "");
    }
    const fault = await this.#fault();
    await mesh.stop();
    if (fault !== null) return this.#result(fault.startsWith("balances") ? "WRONG" : "NOT-HEALED", fault);
    // And it stays so.
    const again = await this.#start(false);
    if (again.mesh === null) return this.#result("NOT-HEALED", again.refused ?? "");
    const later = await this.#fault();
    await again.mesh.stop();
    return this.#result(later === null ? "healed" : "NOT-HEALED", later ?? "");
  }

  async #start(restore: boolean): Promise<Start> {
    const environment = this.#whole.environment(this.#place);
    const started = await startMesh({
      path: this.#place.path,
      environment,
      program: mainFile,
      mesh: null,
      name: this.#place.name,
      host: null,
      port: 0,
      anyPort: true,
      restoreJournal: restore,
      agent: this.#kind.works === true ? ["--slots", "2"] : null,
      log: (line) => this.#said.push(line),
    });
    if (!started.ok) return { mesh: null, refused: started.refusal.message };
    const { failed, home } = started.value;
    this.#place.url = home.url;
    const refused = await Promise.race([failed, this.#answers()]);
    if (refused === null) return { mesh: started.value, refused: null };
    await started.value.stop();
    this.#said.push(`refused: ${refused}`);
    return { mesh: null, refused };
  }

  /** Null once a leader answers. */
  async #answers(): Promise<string | null> {
    const deadline = performance.now() + startMs;
    const connected = await connectMesh(this.#whole.environment(this.#place));
    if (!connected.ok) return connected.refusal.message;
    try {
      while (performance.now() < deadline) {
        const mesh = await connected.value.client.query("mesh", {});
        if (mesh.ok) return null;
        await sleep(pollMs);
      }
    } finally {
      await connected.value.client.close();
    }
    return "nobody leads, and nobody says why";
  }

  /** What differs from the undamaged home, while the mesh runs; null where nothing does. */
  async #fault(): Promise<string | null> {
    const { balances, hashes } = this.#whole;
    const connected = await connectMesh(this.#whole.environment(this.#place));
    if (!connected.ok) return connected.refusal.message;
    const found = await balancesOf(connected.value.client);
    await connected.value.client.close();
    if (found !== balances) return `balances are ${found}, not ${balances}`;
    const journal = await journalHashes(this.#place.path);
    const differs = hashes.findIndex((hash, at) => journal[at] !== hash);
    if (differs >= 0) return `the server's journal differs at message ${differs + 1}`;
    const copied = await this.#copyFault();
    if (copied !== null) return copied;
    const others = (await this.#kind.differences?.(this.#place)) ?? [];
    return others[0] ?? null;
  }

  async #workFault(): Promise<string | null> {
    if (this.#kind.works !== true) return null;
    return workAgain(this.#place.path, this.#whole.environment(this.#place));
  }

  async #copyFault(): Promise<string | null> {
    const file = this.#place.copyFile();
    if (!existsSync(file)) return "there is no copy of the journal";
    const opening = await openLmdbStore({ path: dirname(file), version: journalCopyVersion });
    if (opening.kind === "refused") return opening.refusal.message;
    const { store } = opening;
    try {
      const messages = Array.from(store.range("journal/"), ([, bytes]) => bytes);
      const differs = this.#whole.hashes.findIndex((hash, at) => {
        const bytes = messages[at];
        return !(bytes instanceof Uint8Array) || hashOf(bytes) !== hash;
      });
      return differs < 0 ? null : `the copy of the journal differs at message ${differs + 1}`;
    } finally {
      await store.close();
    }
  }

  #result(outcome: Outcome, why = ""): CaseResult {
    const isDefect = outcome !== "healed" && outcome !== "mended";
    const said = isDefect ? [...(why === "" ? [] : [why]), ...this.#said] : [];
    return { kind: this.#kind.name, outcome, noticed: this.#noticed, what: this.#what, said };
  }
}
