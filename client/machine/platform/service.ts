/** What it takes for an agent to run as a service of its user, by the system that the machine has. */

export interface ServiceFile {
  /** Relative to the user's own folder. */
  readonly path: string;
  readonly text: string;
}

export interface ServicePlatform {
  /** As people call what keeps the services. */
  readonly keeper: string;
  /** Words of the agent's command line, the program excluded. `home`: the user's own folder there. */
  readonly file: (name: string, home: string, words: readonly string[]) => ServiceFile;
  /** Shell lines that start it, now and whenever the machine does; the file lies in its place. */
  readonly enable: (name: string) => string;
  readonly restart: (name: string) => string;
  /** Shell line that says `yes` where the user may have services. */
  readonly probe: string;
}
