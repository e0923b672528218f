/**
 * Machines with networks of their own, for tests: a namespace each, joined by bridges that lie in one more namespace, where all that passes can be
 * heard. A machine on two bridges passes nothing on. Needs the rights of an administrator and the `ip` program; Linux only.
 */
import { execFileSync } from "node:child_process";

const lists = new Map<string, NetworkSpace>();

export class NetworkSpace {
  readonly #prefix: string;
  /** The machines of each bridge; the first has the address that ends with 1. */
  readonly #bridges: readonly (readonly string[])[];

  private constructor(prefix: string, bridges: readonly (readonly string[])[]) {
    this.#prefix = prefix;
    this.#bridges = bridges;
  }

  /** Why there are none here, for a test's `skip`; false where there can be. */
  static missing(): string | false {
    if (process.platform !== "linux") return "network namespaces are Linux's";
    try {
      new NetworkSpace(`tmtry-${process.pid}`, [["one"]]).#make().close();
      return false;
    } catch (error) {
      const why = error instanceof Error ? (error.message.split("\n").at(-1) ?? "") : "";
      return `network namespaces cannot be made here: ${why}`;
    }
  }

  /** One list of machines for each bridge. */
  static open(...bridges: readonly (readonly string[])[]): NetworkSpace {
    return new NetworkSpace(`tm${process.pid}-${lists.size}`, bridges).#make();
  }

  /** The words before a command that is to run on that machine; the command has the process's own id. */
  on(machine: string): readonly string[] {
    return ["ip", "netns", "exec", this.#name(machine)];
  }

  /** Before a command that is to see what passes over a bridge, whose device is `bridge`. */
  readonly besideBridges = (): readonly string[] => this.on("bridges");

  bridge(index: number): string {
    return `br${index}`;
  }

  address(machine: string, bridge = 0): string {
    const at = this.#bridges[bridge]?.indexOf(machine) ?? -1;
    if (at < 0) throw new Error(`${machine} is not on bridge ${bridge}`);
    return `10.231.${bridge}.${at + 1}`;
  }

  close(): void {
    lists.delete(this.#prefix);
    // With a namespace its devices go, and with one end of a cable the other.
    for (const machine of [...this.#machines(), "bridges"])
      quietly("ip", "netns", "del", this.#name(machine));
  }

  #make(): this {
    lists.set(this.#prefix, this);
    try {
      for (const machine of [...this.#machines(), "bridges"]) {
        run("ip", "netns", "add", this.#name(machine));
        run("ip", "-n", this.#name(machine), "link", "set", "lo", "up");
      }
      for (const [index, machines] of this.#bridges.entries()) {
        this.#inBridges("link", "add", this.bridge(index), "type", "bridge");
        this.#inBridges("link", "set", this.bridge(index), "up");
        for (const machine of machines) this.#connect(machine, index);
      }
      return this;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #connect(machine: string, bridge: number): void {
    const [inside, outside] = [
      `eth${bridge}`,
      `v${bridge}-${this.address(machine, bridge).split(".").at(-1)}`,
    ];
    this.#inBridges("link", "add", outside, "type", "veth", "peer", inside, "netns", this.#name(machine));
    this.#inBridges("link", "set", outside, "master", this.bridge(bridge), "up");
    const own = ["-n", this.#name(machine)];
    run("ip", ...own, "addr", "add", `${this.address(machine, bridge)}/24`, "dev", inside);
    run("ip", ...own, "link", "set", inside, "up");
  }

  #inBridges(...words: readonly string[]): void {
    run("ip", "-n", this.#name("bridges"), ...words);
  }

  #machines(): readonly string[] {
    return [...new Set(this.#bridges.flat())];
  }

  #name(machine: string): string {
    return `${this.#prefix}-${machine}`;
  }
}

// A test that is ended before its clean-up leaves none behind.
process.once("exit", () => {
  for (const left of [...lists.values()]) left.close();
});

function run(program: string, ...words: readonly string[]): void {
  execFileSync(program, words, { stdio: ["ignore", "ignore", "pipe"] });
}

function quietly(program: string, ...words: readonly string[]): void {
  try {
    run(program, ...words);
  } catch {
    // It was not there.
  }
}
