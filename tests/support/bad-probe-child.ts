/** A probe's child that goes wrong, in the way its second parameter names. */
process.on("disconnect", () => process.exit(0));
const say = (line: unknown): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(line, () => resolve());
  });

await say({ type: "opened", version: "1", device: null });
switch (process.argv[3]) {
  case "crash":
    await say({ type: "trains", kind: "text-classification/linear", examplesPerSecond: 5, load: 0 });
    process.kill(process.pid, "SIGSEGV");
    break;
  case "hang":
    await say({ type: "trains", kind: "text-classification/linear", examplesPerSecond: 5, load: 0 });
    setInterval(() => undefined, 1_000_000);
    break;
  case "slow":
    await say({ type: "trains", kind: "text-classification/linear", examplesPerSecond: 5, load: 0 });
    setInterval(() => void say({ type: "cannot", reason: "another one" }), 200);
    break;
  case "babble":
    await say({ type: "opinion", about: "gradients" });
    process.exit(0);
    break;
  default:
    process.exit(0);
}
