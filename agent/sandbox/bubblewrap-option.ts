/**
 * The options of bubblewrap that make a sandbox: namespaces of its own, what is mounted in which order, the environment. Pure: what
 * there is on the machine was found out before.
 */
import type { Environment } from "../../system/environment.ts";

export type Mount =
  /** Left out where `from` is not there. */
  | { readonly kind: "readable" | "device"; readonly from: string; readonly to: string }
  | { readonly kind: "writable"; readonly from: string; readonly to: string }
  | { readonly kind: "link"; readonly target: string; readonly to: string }
  /** A folder with nothing in it, over whatever is there. */
  | { readonly kind: "empty"; readonly to: string };

export interface BubblewrapPlace {
  /** In this order: the later covers the earlier. */
  readonly mounts: readonly Mount[];
  readonly environment: Environment;
  readonly folder: string;
  /** Only a loopback of its own. */
  readonly ownNetwork: boolean;
}

/** SANDBOX-1, SANDBOX-5. */
export function bubblewrapOptions({ environment, folder, mounts, ownNetwork }: BubblewrapPlace): string[] {
  return [
    // It ends with the agent. Its signals, traces and names of processes end at its own namespaces.
    ...["--die-with-parent", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"],
    ...["--unshare-cgroup-try", "--cap-drop", "ALL"],
    ...(ownNetwork ? ["--unshare-net"] : []),
    ...["--proc", "/proc", "--dev", "/dev"],
    ...mounts.flatMap(mountWords),
    ...["--remount-ro", "/", "--chdir", folder, "--clearenv"],
    ...Object.entries(environment).flatMap(([name, value]) =>
      value === undefined ? [] : ["--setenv", name, value],
    ),
  ];
}

function mountWords(mount: Mount): string[] {
  switch (mount.kind) {
    case "readable":
      return ["--ro-bind-try", mount.from, mount.to];
    case "device":
      return ["--dev-bind-try", mount.from, mount.to];
    case "writable":
      return ["--bind", mount.from, mount.to];
    case "link":
      return ["--symlink", mount.target, mount.to];
    case "empty":
      return ["--tmpfs", mount.to];
  }
}
