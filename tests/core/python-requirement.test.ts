/** What a requirement asks of an installed distribution, beside Python's own `packaging` where that can be had. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { hasInstead, normalName, readPythonRequirement } from "../../protocol/python-requirement.ts";
import { packagingPeer } from "../support/packaging-peer.ts";

function meets(wanted: string, version: string | null, name = "torch"): boolean {
  const read = readPythonRequirement(wanted);
  assert.ok(read.ok, read.ok ? "" : read.refusal.message);
  const packages = version === null ? {} : { [name]: version };
  return hasInstead(read.value, { packages, python: "3.12.4" }) === null;
}

function refusal(wanted: string): string {
  const read = readPythonRequirement(wanted);
  assert.ok(!read.ok, `${wanted} is taken`);
  return read.refusal.message;
}

const number = fc.oneof(fc.nat(3), fc.constantFrom(9, 10, 2024, "20240131235959999999"));
const release = fc.array(number, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("."));
const mostlyNone = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 2, nil: null });
const epoch = mostlyNone(fc.nat(1)).map((one) => (one === null ? "" : `${one}!`));
const normalSuffix = fc
  .tuple(
    mostlyNone(fc.tuple(fc.constantFrom("a", "b", "rc"), fc.nat(2))),
    mostlyNone(fc.nat(2)),
    mostlyNone(fc.nat(2)),
  )
  .map(
    ([pre, post, dev]) =>
      (pre === null ? "" : pre.join("")) +
      (post === null ? "" : `.post${post}`) +
      (dev === null ? "" : `.dev${dev}`),
  );
const oddSuffix = fc
  .tuple(
    mostlyNone(
      fc.tuple(
        fc.constantFrom("", ".", "-", "_"),
        fc.constantFrom("alpha", "A", "beta", "c", "RC", "pre", "preview"),
        fc.constantFrom("", ".1", "-2", "3"),
      ),
    ),
    mostlyNone(fc.constantFrom("-1", ".rev2", "r3", "_post", ".POST4")),
    mostlyNone(fc.constantFrom("dev", "-dev1", "_DEV2")),
  )
  .map(([pre, post, dev]) => `${pre?.join("") ?? ""}${post ?? ""}${dev ?? ""}`);
const local = mostlyNone(fc.constantFrom("cu121", "cpu", "1", "2.x", "2.1", "CU_118", "10", "abc.1")).map(
  (one) => (one === null ? "" : `+${one}`),
);
const version = fc
  .tuple(fc.constantFrom("", "", "v"), epoch, release, fc.oneof(normalSuffix, oddSuffix), local)
  .map((parts) => parts.join(""));
const space = fc.constantFrom("", "", " ");
const condition = fc.oneof(
  fc
    .tuple(fc.constantFrom("~=", "==", "!=", "<=", ">=", "<", ">"), space, epoch, release, normalSuffix)
    .map((parts) => parts.join("")),
  fc
    .tuple(fc.constantFrom("==", "!="), space, epoch, release, fc.constant(".*"))
    .map((parts) => parts.join("")),
  fc.tuple(fc.constantFrom("==", "!=", ">="), release, oddSuffix, local).map((parts) => parts.join("")),
  version.map((one) => `===${one}`),
  fc.constantFrom(">", "=1", "==1.*.2", ">=1.*", "~=1", "=>2", "1.0", "==a", "==1+", ">=1+cpu", "==1.0a1.*"),
);
const requirement = fc
  .tuple(
    fc.constantFrom("torch", "Torch", "torch[extra]", "torch [a, b]"),
    space,
    fc.array(condition, { maxLength: 3 }),
    fc.constantFrom(",", ", ", " ,"),
  )
  .map(([name, gap, conditions, comma]) => `${name}${gap}${conditions.join(comma)}`)
  // Theirs takes a comma for a part of what stands after ===.
  .filter((text) => !/===[^,]*,/.test(text));

const peer = packagingPeer();

describe("NEED-2: a requirement means what it means to pip", () => {
  test("as packaging says, for thousands of pairs", { skip: "skip" in peer ? peer.skip : false }, () => {
    assert.ok("peer" in peer);
    const near = fc.tuple(requirement, version);
    // A version that the condition itself names is where the rules differ.
    const same = fc
      .tuple(
        fc.constantFrom("~=", "==", "!=", "<=", ">=", "<", ">"),
        epoch,
        release,
        normalSuffix,
        oddSuffix,
        local,
      )
      .map(([operator, age, numbers, own, other, end]): [string, string] => [
        `torch${operator}${age}${numbers}${own}`,
        `${age}${numbers}${other}${end}`,
      ]);
    const pairs = fc.sample(fc.oneof(near, same), { numRuns: 20_000, seed: 4_801 });
    const theirs = peer.peer(pairs);
    let met = 0;
    let refused = 0;
    for (const [index, [wanted, has]] of pairs.entries()) {
      const read = readPythonRequirement(wanted);
      const ours = read.ok
        ? hasInstead(read.value, { packages: { [read.value.name]: has }, python: "3" }) === null
        : null;
      assert.equal(ours, theirs[index], `${wanted} and ${has}`);
      if (ours === true) met++;
      if (ours === null) refused++;
    }
    assert.ok(
      met > 1_000 && refused > 500 && refused + met < pairs.length - 1_000,
      `${met} met, ${refused} refused`,
    );
  });

  test("and without it: local versions, pre-releases, compatible releases, wildcards, lists", () => {
    for (const [wanted, has, expected] of [
      ["torch>=2", "2.4.1+cu121", true],
      ["torch==2.4.1", "2.4.1+cu121", true],
      ["torch==2.4.1+cpu", "2.4.1+cu121", false],
      ["torch>2.4.1", "2.4.1+cu121", false],
      ["torch>=2", "2.0.0rc1", false],
      ["torch>=1.5", "2.0.0rc1", true],
      ["torch<2", "2.0.0rc1", false],
      ["torch~=2.1", "2.9", true],
      ["torch~=2.1", "3.0", false],
      ["torch~=2.1.3", "2.2", false],
      ["torch==1.*", "1.13.1", true],
      ["torch!=1.13.*", "1.13.1", false],
      ["torch>=1.2,<2,!=1.5", "1.5.0", false],
      ["torch>=1.2,<2,!=1.5", "1.5.1", true],
      ["torch (>=2)", "2", true],
      ["torch", "not-a-version", true],
      ["torch>=0", "not-a-version", false],
      ["torch", null, false],
    ] as const)
      assert.equal(meets(wanted, has), expected, `${wanted} and ${has}`);
  });
});

test("NEED-3: one distribution has one name, however it is written", () => {
  const part = fc.stringMatching(/^[a-z0-9]{1,6}$/);
  const separator = fc.stringMatching(/^[-_.]{1,3}$/);
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1, maxLength: 4 }),
      separator,
      fc.boolean(),
      (parts, between, upper) => {
        fc.pre(parts.join("-") !== "python");
        const written = upper ? parts.join(between).toUpperCase() : parts.join(between);
        assert.equal(normalName(written), parts.join("-"));
        assert.ok(meets(written, "1", parts.join("-")));
      },
    ),
  );
  assert.ok(meets("scikit_learn>=1", "1.5.0", "scikit-learn"));
});

test("NEED-3: what a machine has in its place is said", () => {
  const has = (
    wanted: string,
    packages: Record<string, string> | undefined,
    python: string | null = "3.12.4",
  ) => {
    const read = readPythonRequirement(wanted);
    assert.ok(read.ok);
    return hasInstead(read.value, { ...(packages === undefined ? {} : { packages }), python });
  };
  assert.equal(has("pandas>=2", { pandas: "1.5.3" }), "pandas 1.5.3");
  assert.equal(has("pandas", {}), "no pandas");
  assert.equal(has("constructor", {}), "no constructor");
  assert.equal(has("pandas", {}, null), "no Python");
  assert.match(has("pandas", undefined) ?? "", /nobody knows/);
  assert.equal(has("python>=3.11,<3.13", {}), null);
  assert.equal(has("python>=3.13", {}), "Python 3.12.4");
});

test("NEED-1: what is no requirement is refused, and what would be right is said", () => {
  for (const [wanted, said] of [
    ["torch=2", /two equal signs, as in ==2/],
    ["torch 2", />=2 or ==2/],
    ["torch==", /no version stands there/],
    ["torch>=two", /"two" is no version/],
    ["torch>=2.*", /== and != only/],
    ["torch~=2", /two numbers at least/],
    ["torch>=2,", /no condition/],
    ["torch; python_version<'3'", /after ;/],
    ["torch @ https://example.org/torch.whl", /where torch comes from/],
    ["", /no package's name/],
    ["-torch", /no package's name/],
    ["torch[a b]", /no list of extras/],
  ] as const)
    assert.match(refusal(wanted), said, wanted);
});
