/**
 * What is run on a machine that is added, as scripts of the Bourne shell with nothing that a bare system lacks. Names, digests and
 * words come in quoted. Everything lies below `~/.local/share/trialmesh`: whole builds by their digest, and `current`, which
 * names one of them. Nothing is seen there before it is whole (ADD-3).
 */
import { quoted } from "./ssh-session.ts";

const root = `root="$HOME/.local/share/trialmesh"`;
/** A bare system has no `ps`, and macOS no `/proc`. */
const runs = `runs() {
  case $({ tr "\\000" " " <"/proc/\${1:-0}/cmdline" || ps -o args= -p "\${1:-0}"; } 2>/dev/null) in *trialmesh*) return 0 ;; esac
  return 1
}`;
const fail = `fail() { echo "$1" >&2; exit 1; }`;

/** Prints what `host-fact.ts` reads, a line a fact. `services`: shell lines by the name that `uname` has for a system. */
export function probeScript(services: Readonly<Record<string, string>>): string {
  const probes = Object.entries(services).map(([uname, probe]) => `    ${uname}) services=$(${probe}) ;;`);
  return `${root}
say() { printf "%s=%s\\n" "$1" "$2"; }
say probe 1
say os "$(uname -s)"
say arch "$(uname -m)"
say host "$(uname -n)"
say home "$HOME"
say clock "$(date +%s)"
say ssh "$SSH_CONNECTION"
say libc "$( (getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1) | head -n 1)"
say free "$(df -Pk "$HOME" 2>/dev/null | tail -n 1 | sed "s/.* \\([0-9][0-9]*\\)  *[0-9][0-9]*%.*/\\1/")"
[ -d "$HOME" ] && place="$HOME" || place=/
[ -d "$HOME/.local" ] && place="$HOME/.local"
[ -d "$HOME/.local/share" ] && place="$HOME/.local/share"
[ -d "$root" ] && place="$root"
[ -w "$place" ] && [ "$place" != / ] && say writable yes
for program in tar gzip; do command -v "$program" >/dev/null || say missing "$program"; done
command -v npm >/dev/null && say npm yes
say node "$(node --version 2>/dev/null)"
say trialmesh "$(command -v trialmesh)"
link=$(readlink "$root/current" 2>/dev/null) && say current "$link"
for build in "$root"/build/*; do [ -x "$build/bin/trialmesh" ] && say build "\${build##*/}"; done
if [ -f "$HOME/.trialmesh/mesh.json" ]; then
  say mesh "$(sed -n "s/.*\\"mesh\\": *\\"\\([a-z0-9-]*\\)\\".*/\\1/p" "$HOME/.trialmesh/mesh.json" | head -n 1)"
  for creds in "$HOME"/.trialmesh/creds/agent.*.creds; do [ -f "$creds" ] && say agent "\${creds##*/agent.}"; done
fi
services=
case $(uname -s) in
${probes.join("\n")}
esac
say services "$services"
exit 0`;
}

/** Standard input is the build, packed. `npm`: its packages are for another platform and come from npm's registry. */
export function unpackScript(build: string, npm: boolean): string {
  const packages = npm
    ? `cd "$part/package" || fail "the build has no package in it"
npm install --omit=dev --no-audit --no-fund --loglevel=error >"$part/npm.log" 2>&1 </dev/null || fail "npm could not install what trialmesh runs by: $(grep -v "^npm warn" "$part/npm.log" | head -n 1)"
cd /`
    : "";
  return `${root}
${fail}
umask 077
mkdir -p "$root/build" || fail "no folder can be made in $HOME"
for old in "$root"/build/.part-*; do
  [ -e "$old" ] || continue
  # One that has ended and that nobody has taken note of yet still has its number.
  case $(kill -0 "\${old##*-}" 2>/dev/null && { ps -o stat= -p "\${old##*-}" 2>/dev/null || echo S; }) in ""|Z*) rm -rf "$old" ;; esac
done
part="$root/build/.part-$$"
trap "rm -rf \\"$part\\"" EXIT
trap "exit 1" HUP INT TERM
mkdir "$part" || fail "no folder can be made in $root"
{ gzip -dc | tar -xf - -C "$part"; } 2>"$part/said" || fail "the build could not be unpacked: $(tail -n 1 "$part/said")"
rm -f "$part/said"
${packages}
said=$("$part/bin/trialmesh" --version 2>&1) || fail "the build does not run there: $(echo "$said" | tail -n 1)"
if [ -e "$root/build/${build}" ]; then rm -rf "$part"; else mv "$part" "$root/build/${build}" || fail "the build could not be put in its place"; fi
echo done`;
}

/** `current` names the build from now on, if it runs, else it goes; the one before stays for whatever runs of it, and those before that go. */
export function switchScript(build: string): string {
  return `${root}
${fail}
before=$(readlink "$root/current" 2>/dev/null)
next="$root/.current-$$"
if said=$("$root/build/${build}/bin/trialmesh" --version 2>&1); then :; else
  [ "$before" = "build/${build}" ] || rm -rf "$root/build/${build}"
  fail "the build does not run there: $(echo "$said" | tail -n 1)"
fi
ln -s "build/${build}" "$next"
${renamed("$next", "$root/current")} || { rm -f "$next"; fail "$root/current could not be made to name the build"; }
for old in "$root"/build/*; do
  case "build/\${old##*/}" in "build/${build}"|"$before") ;; *) rm -rf "$old" ;; esac
done
mkdir -p "$HOME/.local/bin"
own="$HOME/.local/bin/trialmesh"
case $(readlink "$own" 2>/dev/null) in
  */trialmesh/current/bin/trialmesh) ;;
  *) if [ -e "$own" ] || [ -h "$own" ]; then echo "note=$own was there already and stays"; else ln -s "$root/current/bin/trialmesh" "$own"; fi ;;
esac
echo "before=$before"
exit 0`;
}

/** A rename is atomic and takes the place of a link to a folder; how `mv` is told that differs, so the two ways are tried. */
function renamed(from: string, to: string): string {
  return `{ mv -fT "${from}" "${to}" 2>/dev/null || mv -fh "${from}" "${to}" 2>/dev/null; }`;
}

/** Standard input is the invitation: no command line there ever shows it (INV-11). */
export function joinScript(build: string): string {
  return `${root}
exec "$root/build/${build}/bin/trialmesh" join - --json`;
}

/** Starts the agent so that it outlives this connection. Standard input is not used. */
export function startScript(name: string, words: readonly string[]): string {
  return `${root}
umask 077
cd "$HOME" || exit 1
log="$root/agent-${name}.log"
away=$(command -v setsid)
$away nohup "$root/current/bin/trialmesh" ${words.map(quoted).join(" ")} >>"$log" 2>&1 </dev/null &
echo $! >"$root/agent-${name}.pid"`;
}

/** Standard input is the service's file. */
export function serviceScript(path: string, enable: string): string {
  return `${root}
${fail}
umask 077
file="$HOME/${path}"
mkdir -p "\${file%/*}" && cat >"$file.part-$$" && mv -f "$file.part-$$" "$file" || fail "$file could not be written"
${enable}`;
}

/** Ends an agent that `startScript` started, if it is still the same; prints whether it ran. Waits until it has ended. */
export function stopScript(name: string): string {
  return `${root}
${runs}
pid=$(cat "$root/agent-${name}.pid" 2>/dev/null)
runs "$pid" || { echo ran=no; exit 0; }
kill "$pid" 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
  kill -0 "$pid" 2>/dev/null || { echo ran=yes; exit 0; }
  sleep 1
done
echo "the agent there (process $pid) does not end" >&2
exit 1`;
}

/** Whether one runs that `startScript` started, and the last line it said. */
export function lookScript(name: string): string {
  return `${root}
${runs}
pid=$(cat "$root/agent-${name}.pid" 2>/dev/null)
if runs "$pid"; then echo runs=yes; else echo runs=no; fi
echo "said=$(tail -n 1 "$root/agent-${name}.log" 2>/dev/null)"`;
}
