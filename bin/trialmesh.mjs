#!/usr/bin/env node
/**
 * The `trialmesh` command: finds a Node that is new enough and the compiled code, brings in what is
 * missing, and hands over. It may be started from any folder, by a Node as old as 18.
 */
import { join } from "node:path";
import { nodeFlags } from "../scripts/node-flag.mjs";
import { prepareCode } from "../scripts/prepare.mjs";
import { foreground, root, runScript } from "../scripts/step.mjs";

await runScript(async (parameters) => {
  // INV-11: a code lets its holder in, and everyone on a machine sees everyone's command lines. Also one of another version.
  if (parameters.some((word) => /(?:^|=)\s*tm\d+\./i.test(word)))
    process.title = `trialmesh ${parameters[0]}`;
  const node = await prepareCode();
  return foreground(node, [...nodeFlags(parameters), join(root, "dist", "cli", "main.js"), ...parameters]);
});
