/**
 * Tells a server that has just started of all accounts on record. Who was invited, let in or revoked while it was starting stands in
 * no configuration, and whoever noted it found no server to tell (`push-account.ts`): without this a line would be refused until the
 * next start.
 */
import { accept } from "../../protocol/refusal.ts";
import type { Home } from "../home.ts";
import { exclusively } from "../home-lock.ts";
import { loadIdentity } from "../identity.ts";
import { pushAccounts } from "../push-account.ts";
import { trustOf } from "../trust.ts";

/** After a start, ms: at once, and when whoever looked for the server in vain has noted what it was about. */
const lookMs = [200, 8_000] as const;

export class LateAccounts {
  readonly #home: Home;
  readonly #log: (line: string) => void;
  #timers: NodeJS.Timeout[] = [];

  constructor(home: Home, log: (line: string) => void) {
    this.#home = home;
    this.#log = log;
  }

  tellSoon(): void {
    this.end();
    this.#timers = lookMs.map((ms) => setTimeout(() => void this.#tell(), ms));
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #tell(): Promise<void> {
    const home = this.#home;
    const identity = loadIdentity(home);
    if (!identity.ok) return;
    // Nobody notes anything else meanwhile, so that nothing older is told after something newer.
    const told = await exclusively(home, async () => {
      const trust = await trustOf(home, "");
      if (!trust.ok) return trust;
      const nowS = Math.floor(Date.now() / 1_000);
      const pushed = await pushAccounts(home, identity.value, trust.value.accounts, nowS);
      // It has ended again, and learns all of it at its next start.
      return pushed.ok || pushed.refusal.code === "unavailable" ? accept(null) : pushed;
    });
    if (!told.ok) this.#log(`server: it was not told of all accounts: ${told.refusal.message}`);
  }
}
