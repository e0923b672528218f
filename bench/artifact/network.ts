/**
 * Networks of the bench: a namespace for each machine, all on one bridge, each with a link of its own that carries so many bits a
 * second either way. Needs the rights of an administrator and the `ip` and `tc` programs; Linux only.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const bridge = "tmbench0";
const burst = ["burst", "256kb", "latency", "100ms"];

export class BenchNetwork {
  readonly names: readonly string[];

  private constructor(names: readonly string[]) {
    this.names = names;
  }

  /** Null where this process may not make any, or the programs are missing. */
  static open(machines: number, megabits: number): BenchNetwork | null {
    const names = Array.from({ length: machines }, (_, index) => `tmbench-${index}`);
    const network = new BenchNetwork(names);
    try {
      network.close();
      run("ip", "link", "add", bridge, "type", "bridge");
      run("ip", "link", "set", bridge, "up");
      for (const [index, name] of names.entries()) network.#connect(name, index, megabits);
      return network;
    } catch {
      network.close();
      return null;
    }
  }

  host(index: number): string {
    return `10.231.77.${index + 1}`;
  }

  /** What went over this machine's link so far, bytes. */
  traffic(index: number): { readonly received: number; readonly sent: number } {
    const at = `/sys/class/net/tmbench-v${index}/statistics`;
    const count = (name: string) => Number(readFileSync(join(at, name), "utf8"));
    // What leaves the bridge's end of the link is what the machine receives.
    return { received: count("tx_bytes"), sent: count("rx_bytes") };
  }

  close(): void {
    for (const name of this.names) quietly("ip", "netns", "del", name);
    quietly("ip", "link", "del", bridge);
  }

  #connect(name: string, index: number, megabits: number): void {
    const outside = `tmbench-v${index}`;
    const inside = ["-n", name];
    const rate = ["root", "tbf", "rate", `${megabits}mbit`, ...burst];
    run("ip", "netns", "add", name);
    run("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", name);
    run("ip", "link", "set", outside, "master", bridge, "up");
    run("ip", ...inside, "addr", "add", `${this.host(index)}/24`, "dev", "eth0");
    run("ip", ...inside, "link", "set", "eth0", "up");
    run("ip", ...inside, "link", "set", "lo", "up");
    run("tc", "qdisc", "add", "dev", outside, ...rate);
    run("tc", ...inside, "qdisc", "add", "dev", "eth0", ...rate);
  }
}

function run(program: string, ...words: readonly string[]): void {
  execFileSync(program, words, { stdio: "ignore" });
}

function quietly(program: string, ...words: readonly string[]): void {
  try {
    run(program, ...words);
  } catch {
    // It was not there.
  }
}
