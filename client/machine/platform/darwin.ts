/** ADD-7: an agent as a service of its user under launchd. */
import type { ServicePlatform } from "./service.ts";

const labelOf = (name: string): string => `trialmesh.agent.${name}`;
const pathOf = (name: string): string => `Library/LaunchAgents/${labelOf(name)}.plist`;

export const darwin: ServicePlatform = {
  keeper: "launchd for its users",
  file: (name, home, words) => {
    const program = `${home}/.local/share/trialmesh/current/bin/trialmesh`;
    const log = `${home}/.local/share/trialmesh/agent-${name}.log`;
    const all = [program, ...words].map((word) => `    <string>${escaped(word)}</string>`).join("\n");
    return {
      path: pathOf(name),
      text: `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${labelOf(name)}</string>
  <key>ProgramArguments</key>
  <array>
${all}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>StandardOutPath</key>
  <string>${escaped(log)}</string>
  <key>StandardErrorPath</key>
  <string>${escaped(log)}</string>
</dict>
</plist>
`,
    };
  },
  enable: (name) => `launchctl bootout "gui/$(id -u)/${labelOf(name)}" 2>/dev/null
launchctl bootstrap "gui/$(id -u)" "$HOME/${pathOf(name)}"`,
  restart: (name) => `launchctl kickstart -k "gui/$(id -u)/${labelOf(name)}"`,
  // A machine where nobody is logged in on the screen has no such domain.
  probe: `launchctl print "gui/$(id -u)" >/dev/null 2>&1 && echo yes`,
};

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
