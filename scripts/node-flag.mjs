/** How Node is started for a command. */

/**
 * Requests live for a moment, and of a few MB the dead ones are found just as cheaply as of the usual 16: a server that answers with a small
 * model takes 50 MB less.
 */
const ofCommand = { serve: ["--max-semi-space-size=4"] };

/**
 * @param {readonly string[]} parameters the command line after `trialmesh`
 * @returns {readonly string[]}
 */
export function nodeFlags(parameters) {
  const [command = ""] = parameters;
  return Object.hasOwn(ofCommand, command) ? ofCommand[command] : [];
}
