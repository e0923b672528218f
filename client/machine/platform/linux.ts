/** ADD-7: an agent as a service of its user under systemd. Not one of the whole system, which would take root. */
import type { ServicePlatform } from "./service.ts";

const unitOf = (name: string): string => `trialmesh-agent-${name}.service`;
/** Over ssh nobody sets it where the login made no session. */
const session = `export XDG_RUNTIME_DIR="\${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"`;

export const linux: ServicePlatform = {
  keeper: "systemd for its users",
  file: (name, home, words) => ({
    path: `.config/systemd/user/${unitOf(name)}`,
    text: `[Unit]
Description=trialmesh agent ${name}
After=network-online.target

[Service]
ExecStart="${specifierSafe(home)}/.local/share/trialmesh/current/bin/trialmesh" ${words.map((word) => `"${specifierSafe(word)}"`).join(" ")}
Restart=always
RestartSec=5
KillMode=mixed

[Install]
WantedBy=default.target
`,
  }),
  enable: (name) => `${session}
systemctl --user daemon-reload
systemctl --user enable --quiet ${unitOf(name)}
systemctl --user restart ${unitOf(name)}
loginctl enable-linger 2>/dev/null || echo "note=it ends when its user logs out, since lingering is not allowed there; loginctl enable-linger by root allows it"`,
  restart: (name) => `${session}
systemctl --user restart ${unitOf(name)}`,
  probe: `${session}; systemctl --user show-environment >/dev/null 2>&1 && echo yes`,
};

/** `%`, `$` and what ends a quoted word mean something to systemd (systemd.service(5), systemd.unit(5)). */
function specifierSafe(word: string): string {
  return word.replaceAll("%", "%%").replaceAll("$", "$$$$").replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}
