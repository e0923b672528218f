/** What the command's exit status says; documented in `trialmesh --help`. */
export const exitCode = {
  ok: 0,
  /** Refused or failed; the sentence on standard error says why. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** The sweep waits for tokens and nothing of it runs. */
  waitsForBudget: 3,
  /** A fault in trialmesh itself; TRIALMESH_DEBUG=1 shows where. */
  crashed: 70,
  /** Ended by ctrl-c. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
