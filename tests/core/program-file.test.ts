/** What a launch says of the file a command begins with, before its trials would all fail for it. */
import assert from "node:assert/strict";
import test from "node:test";
import { programFileFault } from "../../client/sweep/program-file.ts";

const files = [
  { path: "train.py", content: new Uint8Array(), executable: false },
  { path: "bin/train.sh", content: new Uint8Array(), executable: true },
  { path: "pack/__main__.py", content: new Uint8Array(), executable: false },
];
const faultOf = (command: string, program: string | null = null) =>
  programFileFault({ command: command.split(" "), program }, files);

test("PROG-40: a command that begins with a file that does not travel, or may not be executed, is refused with its name", () => {
  const missing = /^"[^"]+" is not among the files that travel/;
  assert.match(faultOf("./nothing.sh ${args}") ?? "", missing);
  assert.match(faultOf("${env} ${interpreter} ./nothing.py ${args}") ?? "", missing);
  assert.match(faultOf("python3 bin/../nothing.py") ?? "", missing);
  assert.match(faultOf("${interpreter} ${program} ${args}", "nothing.py") ?? "", /^"nothing\.py" is not/);
  if (process.platform !== "win32")
    assert.equal(faultOf("./train.py ${args}"), '"./train.py" may not be executed; `chmod +x` allows it');
});

test("PROG-41: what is there, or what only a machine of the mesh can know, is no fault", () => {
  for (const command of [
    "${env} ${interpreter} ${program} ${args}",
    "python ./train.py",
    "python3 pack",
    "python3 .",
    "bin/train.sh ${args}",
    "./bin/../bin/train.sh",
    "python3 -m package.train",
    "python3 -u nothing.py",
    "python3 ${parameter:script}",
    "python3 /opt/models/train.py",
    "/opt/models/train",
    "no-such-language train.py",
    "${envvar:TOOL}/run",
  ])
    assert.equal(faultOf(command, command.includes("${program}") ? "train.py" : null), null, command);
});
