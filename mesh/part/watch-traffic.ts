/**
 * Holds back whoever sends the server more than one identity may (`traffic-quota.ts`), as long as `trialmesh up` runs on the
 * machine with the keys: signs that user's account anew, without what it may no longer say. Others' accounts stay as they are.
 */
import { statfsSync } from "node:fs";
import * as z from "zod";
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import { listOf, textOf } from "../../protocol/bound.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { userAccount, userAccountToken } from "../account.ts";
import { connectServer } from "../connect-server.ts";
import type { Home } from "../home.ts";
import { loadIdentity, type Identity } from "../identity.ts";
import { pushAccounts, systemCredentialText } from "../push-account.ts";
import { sampleEveryMs, TrafficQuota, type Received } from "../traffic-quota.ts";
import { listUsers, revocationsOf, type User } from "../user.ts";

const countsSubject = "$SYS.REQ.ACCOUNT.PING.STATZ";
const countsTimeoutMs = 2_000;
/** Of the room on the server's disk when it starts: what one identity may send in a day where nobody says otherwise. */
const roomShare = 0.25;
/** A command beside us may have signed the account as it was: said again this often, in samples. */
const sayAgainSamples = 5;

const accountsMax = 100_000;
const count = z.number().nonnegative();
const countsSchema = z.object({
  data: z.object({
    account_statz: listOf(
      z.object({ acc: textOf(100), received: z.object({ msgs: count, bytes: count }) }),
      accountsMax,
    ),
  }),
});

export interface TrafficOptions {
  readonly home: Home;
  /** Of one identity in a day; null: a share of the room on the home's disk. */
  readonly bytesPerDay: number | null;
  /** Unix time in ms. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

export interface TrafficWatch {
  stop(): Promise<void>;
}

export async function watchTraffic(options: TrafficOptions): Promise<Outcome<TrafficWatch>> {
  const { home } = options;
  const identity = loadIdentity(home);
  if (!identity.ok) return identity;
  let bus: Bus;
  try {
    const creds = await systemCredentialText(identity.value, null);
    bus = await connectServer(home, {
      creds,
      name: "quotas",
      inboxPrefix: "_INBOX.quotas",
    });
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return refuse("unavailable", `nobody who floods the server is held back: ${error.message}`);
  }
  const watch = new Watch(options, identity.value, bus);
  return accept({
    stop: () => {
      watch.stop();
      return bus.close();
    },
  });
}

class Watch {
  readonly #options: TrafficOptions;
  readonly #identity: Identity;
  readonly #bus: Bus;
  readonly #quota: TrafficQuota;
  #timer: NodeJS.Timeout;
  #samples = 0;
  #stopped = false;

  constructor(options: TrafficOptions, identity: Identity, bus: Bus) {
    this.#options = options;
    this.#identity = identity;
    this.#bus = bus;
    this.#quota = new TrafficQuota(options.bytesPerDay ?? roomOf(options.home) * roomShare);
    this.#timer = this.#later();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #later(): NodeJS.Timeout {
    return setTimeout(() => {
      void this.#sample().then(() => {
        if (!this.#stopped) this.#timer = this.#later();
      });
    }, sampleEveryMs);
  }

  async #sample(): Promise<void> {
    const users = listUsers(this.#options.home);
    if (!users.ok) return;
    const known = this.#byAccount(users.value);
    const received = await this.#received(known);
    if (received === null) return;
    const changes = this.#quota.sample(received, performance.now());
    for (const { identity, why } of changes) this.#options.log(`quotas: ${identity} ${why}`);
    this.#samples += 1;
    const again = this.#samples % sayAgainSamples === 0;
    const changed = new Set(changes.map(({ identity }) => identity));
    const said = [...known.values()].filter((user) => {
      const name = nameOf(user);
      return changed.has(name) || (again && this.#quota.heldOf(name) !== null);
    });
    if (said.length > 0) await this.#say(said);
  }

  #byAccount(users: readonly User[]): ReadonlyMap<string, User> {
    const { mesh } = this.#options.home;
    const outer = users.flatMap((user) => {
      const { name, role, sharedSigner } = user;
      if (role === "coordinator" || sharedSigner !== undefined) return [];
      return [[userAccount(this.#identity, mesh, role, name).getPublicKey(), user] as const];
    });
    return new Map(outer);
  }

  /** By `role name`; null where the server does not answer just now. */
  async #received(known: ReadonlyMap<string, User>): Promise<ReadonlyMap<string, Received> | null> {
    try {
      const bytes = await this.#bus.request(countsSubject, toBytes({}), countsTimeoutMs);
      const counts = countsSchema.safeParse(fromBytes(bytes));
      if (!counts.success) return null;
      return new Map(
        counts.data.data.account_statz.flatMap(({ acc, received }) => {
          const user = known.get(acc);
          return user === undefined
            ? []
            : [[nameOf(user), { messages: received.msgs, bytes: received.bytes }] as const];
        }),
      );
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      return null;
    }
  }

  async #say(users: readonly User[]): Promise<void> {
    const { home, now } = this.#options;
    const accounts = await Promise.all(
      users.flatMap((user) => {
        const { name, role } = user;
        if (role === "coordinator") return [];
        const publicKey = userAccount(this.#identity, home.mesh, role, name).getPublicKey();
        const held = this.#quota.heldOf(nameOf(user));
        return [
          userAccountToken(this.#identity, home.mesh, role, name, revocationsOf([user]), held).then(
            (token) => ({ publicKey, token }),
          ),
        ];
      }),
    );
    // Where the server is away it starts with everybody's account as it should be, and counts anew.
    await pushAccounts(home, this.#identity, accounts, Math.floor(now() / 1_000));
  }
}

function nameOf({ name, role }: Pick<User, "name" | "role">): string {
  return `${role} ${name}`;
}

/** Bytes free on the home's disk, where the server of this home stores all; at least a little. */
function roomOf({ path }: Home): number {
  const { bavail, bsize } = statfsSync(path);
  return Math.max(bytesPerGiB, bavail * bsize);
}
