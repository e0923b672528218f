/**
 * Tells a server that has just started of the accounts that were noted while it was starting. Who was invited, let in or revoked then
 * stands in no configuration, and whoever noted it found no server to tell (`push-account.ts`): without this a line would be refused
 * until the next start. Of all others nothing is said again: the server drops answers that are on their way in an account that it is told of.
 */
import { decode } from "@nats-io/jwt";
import { accept } from "../../protocol/refusal.ts";
import type { Home } from "../home.ts";
import { exclusively } from "../home-lock.ts";
import { loadIdentity } from "../identity.ts";
import { pushAccounts } from "../push-account.ts";
import type { AccountToken } from "../server-config.ts";
import { trustOf } from "../trust.ts";

/** After a start, ms: at once, and when whoever looked for the server in vain has noted what it was about. */
const lookMs = [200, 8_000] as const;

export class LateAccounts {
  readonly #home: Home;
  readonly #log: (line: string) => void;
  #timers: NodeJS.Timeout[] = [];
  /** By account what the server was told of it, without when. */
  #told = new Map<string, string>();

  /** `home`: also while its server has no address yet. */
  constructor(home: Home, log: (line: string) => void) {
    this.#home = home;
    this.#log = log;
  }

  /** To be called before the server's configuration is written from the records. */
  async begin(): Promise<void> {
    this.end();
    const trust = await trustOf(this.#home, "");
    this.#told = new Map(
      (trust.ok ? trust.value.accounts : []).map((one) => [one.publicKey, contentOf(one)]),
    );
  }

  /** It has started, at this address. */
  tellSoon(home: Home): void {
    this.end();
    this.#timers = lookMs.map((ms) => setTimeout(() => void this.#tell(home), ms));
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #tell(home: Home): Promise<void> {
    const identity = loadIdentity(home);
    if (!identity.ok) return;
    // Nobody notes anything else meanwhile, so that nothing older is told after something newer.
    const told = await exclusively(home, async () => {
      const trust = await trustOf(home, "");
      if (!trust.ok) return trust;
      const late = trust.value.accounts.filter((one) => this.#told.get(one.publicKey) !== contentOf(one));
      if (late.length === 0) return accept(null);
      const nowS = Math.floor(Date.now() / 1_000);
      const pushed = await pushAccounts(home, identity.value, late, nowS);
      if (pushed.ok) for (const one of late) this.#told.set(one.publicKey, contentOf(one));
      // It has ended again, and learns all of it at its next start.
      return pushed.ok || pushed.refusal.code === "unavailable" ? accept(null) : pushed;
    });
    if (!told.ok) this.#log(`server: it was not told of all accounts: ${told.refusal.message}`);
  }
}

/** What a token says but for when it was signed. */
function contentOf({ token }: AccountToken): string {
  const { iat: _, jti: __, ...content } = decode(token);
  return JSON.stringify(content);
}
