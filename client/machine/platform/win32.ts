/** What of Windows is known here. A machine with it is added through the Linux that it runs (WSL 2), where an ssh server listens. */

/** Shells of Windows have names of their own for it. */
export function isWindowsSystem(uname: string): boolean {
  return /^(?:MINGW|MSYS|CYGWIN|Windows)/iu.test(uname);
}

export function windowsSentence(destination: string): string {
  return `${destination} answers as Windows, which is not added over ssh; install WSL 2 there with \`wsl --install\`, start an ssh server inside it, and add that`;
}
