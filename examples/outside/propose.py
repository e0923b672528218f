"""A sampler of your own, in Python: it proposes the trials of a sweep and learns from their results.

    trialmesh sweep run examples/outside/sweep.yaml --detach        # prints the sweep's id, such as s1
    trialmesh connection --json | python3 examples/outside/propose.py s1

Needs `pip install nats-py cryptography`. The messages are explained in docs/outside.md. Nothing is kept here: whoever
starts it again on the same sweep goes on from the trials that the mesh has.
"""

import argparse
import asyncio
import base64
import json
import math
import random
import re
import ssl
import sys
import time
import uuid

import nats
import nats.errors
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

OPEN = ("queued", "running", "paused")
POLL_S = 0.3
ATTEMPT_S = 3.0


# The sampler: random points first, then children of the best quarter. Put your own here.

LR_MIN, LR_MAX = 0.02, 2.0
CHAR_MAX = (2, 3, 4, 5)
WORD_NGRAMS = (1, 2)
RANDOM_TRIALS = 4


def next_point(judged, rng):
    """The next parameters to try. `judged`: (score, parameters) of finished trials, the best first."""
    if len(judged) < RANDOM_TRIALS:
        lr = math.exp(rng.uniform(math.log(LR_MIN), math.log(LR_MAX)))
        return {"lr": lr, "charMax": rng.choice(CHAR_MAX), "wordNgrams": rng.choice(WORD_NGRAMS)}
    _, parent = rng.choice(judged[: max(2, len(judged) // 4)])
    child = dict(parent)
    child["lr"] = min(LR_MAX, max(LR_MIN, parent["lr"] * math.exp(rng.gauss(0, 0.5))))
    if rng.random() < 0.4:
        child["charMax"] = rng.choice(CHAR_MAX)
    if rng.random() < 0.3:
        child["wordNgrams"] = rng.choice(WORD_NGRAMS)
    return child


# The mesh: one request, one answer, each {"ok": true, "value": ...} or {"ok": false, "refusal": {...}}.


class Refused(Exception):
    """What the mesh does not do, in one sentence; `code` is one of the refusal codes of docs/outside.md."""

    def __init__(self, message, code="unavailable"):
        super().__init__(message)
        self.code = code


def credentials_of(path):
    """The token and the key in a `.creds` file."""
    try:
        with open(path, encoding="ascii") as file:
            token, seed = re.findall(r"-----BEGIN [^-]+-----\s+(\S+)\s", file.read())
        # A seed is two bytes of kind, the 32 bytes of an Ed25519 key, and a checksum.
        seed_bytes = base64.b32decode(seed + "=" * (-len(seed) % 8))
        return token, Ed25519PrivateKey.from_private_bytes(seed_bytes[2:34])
    except (OSError, ValueError) as error:
        raise Refused(f"the credentials {path} cannot be read ({error})") from error


def tls_of(connection):
    """The server is the mesh's own where the mesh's authority signs for it; TLS begins before it says anything."""
    tls = connection.get("tls")
    if tls is None:
        return {}
    context = ssl.create_default_context(cafile=tls["ca"])
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return {"tls": context, "tls_handshake_first": tls["handshakeFirst"]}


class Mesh:
    def __init__(self, connection, patience_s):
        self.connection = connection
        self.patience_s = patience_s

    async def __aenter__(self):
        token, key = credentials_of(self.connection["credentials"])

        async def quiet(_error):
            """What goes wrong is told by whoever waits for it."""

        try:
            self.nats = await nats.connect(
                self.connection["url"],
                user_jwt_cb=lambda: token.encode(),
                signature_cb=lambda nonce: base64.b64encode(key.sign(nonce.encode())),
                inbox_prefix=self.connection["inboxPrefix"].encode(),
                name=f"{self.connection['name']} {sys.argv[0]}",
                error_cb=quiet,
                connect_timeout=3,
                max_reconnect_attempts=max(1, round(self.patience_s)),
                reconnect_time_wait=1,
                **tls_of(self.connection),
            )
        except (OSError, nats.errors.Error) as error:
            raise Refused(f"no mesh answers at {self.connection['url']} ({error})") from error
        return self

    async def __aexit__(self, *_):
        await self.nats.close()

    async def query(self, name, **body):
        return await self._ask(self.connection["queryPrefix"] + name, body)

    async def command(self, name, **body):
        prefix = self.connection["commandPrefix"]
        if prefix is None:
            raise Refused(f"viewer {self.connection['name']} may look and change nothing", "forbidden")
        # The key makes a repeat harmless: the mesh answers it as it did the first time.
        return await self._ask(prefix + name, {"key": str(uuid.uuid4()), "body": body})

    async def _ask(self, subject, message):
        until = time.monotonic() + self.patience_s
        while True:
            try:
                reply = await self.nats.request(subject, json.dumps(message).encode(), timeout=ATTEMPT_S)
                break
            except nats.errors.Error as error:
                if time.monotonic() < until:
                    await asyncio.sleep(POLL_S)
                    continue
                if isinstance(error, nats.errors.NoRespondersError):
                    why = "no coordinator answers; start one with `trialmesh up` or `trialmesh coordinator`"
                    raise Refused(why) from error
                raise Refused(f"the mesh at {self.connection['url']} does not answer ({error})") from error
        answer = json.loads(reply.data)
        if not answer["ok"]:
            raise Refused(answer["refusal"]["message"], answer["refusal"]["code"])
        return answer["value"]


async def drive(mesh, options):
    """Keeps `parallel` trials open until `trials` were proposed, seals the sweep, and waits for its end."""
    rng, told = random.Random(options.seed), set()
    while True:
        # Tell: the results so far. A sweep of more than a thousand trials is read in slices, by `offset`.
        view = await mesh.query("sweep", sweep=options.sweep, limit=1000)
        summary, trials = view["summary"], view["trials"]
        sign = 1 if summary["goal"] == "maximize" else -1
        done = [trial for trial in trials if trial["state"] not in OPEN]
        for trial in done:
            if trial["trial"] not in told:
                told.add(trial["trial"])
                print(f"{trial['state']} {trial['trial']} {summary['metric']} {trial['value']}", flush=True)
        judged = [(sign * trial["value"], trial["params"]) for trial in done if trial["value"] is not None]
        judged.sort(key=lambda one: one[0], reverse=True)
        if summary["state"] in ("done", "stopped"):
            return sign, judged, summary
        try:
            await propose(mesh, options, summary, judged, len(trials), len(trials) - len(done), rng)
        except Refused as refused:
            # It has just ended, or somebody sealed it: the next look at it will say so.
            if refused.code != "conflict":
                raise
        await asyncio.sleep(POLL_S)


async def propose(mesh, options, summary, judged, proposed, still_open, rng):
    """Ask: points for the trials that may be opened now. The last one seals the sweep, so that it can end."""
    wanted = min(options.trials, summary["total"])
    while proposed < wanted and still_open < options.parallel:
        params = next_point(judged, rng)
        answer = await mesh.command("trial-propose", sweep=options.sweep, model=options.model, params=params)
        if answer["known"]:
            return  # tried already, and not run again: another point is drawn the next time round
        print(f"proposed {answer['trial']} {json.dumps(params)}", flush=True)
        proposed, still_open = proposed + 1, still_open + 1
    if proposed >= wanted and proposed < summary["total"]:
        await mesh.command("sweep-seal", sweep=options.sweep)


async def main():
    parser = argparse.ArgumentParser(description="Propose the trials of a sweep from outside.")
    parser.add_argument("sweep", help="id of a running sweep, such as s1")
    parser.add_argument("--trials", type=int, default=12, help="trials the sweep is to have in the end")
    parser.add_argument("--parallel", type=int, default=2, help="trials open at a time")
    parser.add_argument("--model", default="linear")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=20, help="seconds to wait for a mesh that is away")
    options = parser.parse_args()
    if sys.stdin.isatty():
        parser.error("pipe the connection in: trialmesh connection --json | python3 propose.py SWEEP")
    try:
        connection = json.load(sys.stdin)
    except ValueError:
        parser.error("standard input is no connection; it should be the output of `trialmesh connection --json`")
    if "refusal" in connection:
        raise Refused(connection["refusal"]["message"], connection["refusal"]["code"])
    if "credentials" not in connection:
        parser.error("standard input has no credentials; it should be the output of `trialmesh connection --json`")
    async with Mesh(connection, options.patience) as mesh:
        sign, judged, summary = await drive(mesh, options)
    if not judged:
        raise Refused(f"{options.sweep} is {summary['state']} and no trial has a result")
    score, params = judged[0]
    print(f"best {summary['metric']} {sign * score:.4g} {json.dumps(params)}")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except Refused as refused:
        sys.exit(f"propose.py: {refused}")
    except KeyboardInterrupt:
        sys.exit(130)  # the sweep stays open; start again to go on
