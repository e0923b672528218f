/**
 * The terminal interface on the fake mesh, to look at and to drive: compiled, `node tests/support/tui-demo.js`.
 * SIGUSR2 cuts the connection and restores it. A first argument starts a sweep of so many trials.
 */
import { runTui } from "../../tui/run-tui.tsx";
import { openFakeMesh } from "./fake-client.ts";

const mesh = openFakeMesh();
const trials = process.argv[2];
const start =
  trials === undefined
    ? undefined
    : await mesh.launcher.submit({ file: "demo.yaml", trials, seed: "", models: "", max: "", budget: "" });
let connected = true;
process.on("SIGUSR2", () => {
  connected = !connected;
  mesh.setStatus(connected ? "connected" : "disconnected");
});
const timer = setInterval(mesh.advance, 500);
await runTui({
  client: mesh.client,
  readOnly: false,
  launch: mesh.launcher,
  stdin: process.stdin,
  stdout: process.stdout,
  ...(start?.ok === true ? { startWith: { sweep: start.value.sweep } } : {}),
});
clearInterval(timer);
