/** What long work reads and whom it tells, handed in as arguments: rooms that need it can be run by a command, a gateway or a test. */

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Surroundings {
  readonly environment: Environment;
  /** One line of progress or warning, without its newline. */
  readonly say: (line: string) => void;
}
