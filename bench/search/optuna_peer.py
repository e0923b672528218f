"""Optuna's side of `npm run bench -- search`: proposes trials, asks for their values line by line.

First line in: {"sampler", "space", "trials", "jobs": [{"seed", "batch"}]}. Then, for every batch of proposals, one line
out {"seed", "batch", "ask": [params]} and one line in [values]. It knows no function: values come from outside.
"""

import json
import sys
import warnings

import optuna

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)


def sampler_of(name, seed):
    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if name == "tpe":  # As it comes: multivariate, with a constant liar.
        return optuna.samplers.TPESampler(seed=seed)
    if name == "tpe-group":
        return optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True)
    if name == "gp":
        return optuna.samplers.GPSampler(seed=seed)
    if name == "cma-es":
        return optuna.samplers.CmaEsSampler(seed=seed)
    sys.exit(f"no peer sampler is called {name}")


def holds(condition, value):
    if isinstance(condition, list):
        return value in condition
    if not isinstance(condition, dict):
        return value == condition
    if "not" in condition:
        unwanted = condition["not"]
        return value not in unwanted if isinstance(unwanted, list) else value != unwanted
    return condition.get("min", value) <= value <= condition.get("max", value)


def suggest(trial, space):
    params = {}
    for name, d in space.items():
        when = d.get("when", {})
        if not all(key in params and holds(rule, params[key]) for key, rule in when.items()):
            continue
        kind = d["distribution"]
        if kind == "choice":
            params[name] = trial.suggest_categorical(name, d["values"])
        elif kind in ("int", "log-int"):
            params[name] = trial.suggest_int(name, d["min"], d["max"], log=kind == "log-int")
        elif kind in ("uniform", "log-uniform"):
            params[name] = trial.suggest_float(name, d["min"], d["max"], log=kind == "log-uniform")
        else:
            sys.exit(f"the peer cannot draw from a {kind} distribution")
    return params


def main():
    task = json.loads(sys.stdin.readline())
    for job in task["jobs"]:
        study = optuna.create_study(sampler=sampler_of(task["sampler"], job["seed"]))
        done = 0
        while done < task["trials"]:
            trials = [study.ask() for _ in range(min(job["batch"], task["trials"] - done))]
            asked = [suggest(trial, task["space"]) for trial in trials]
            print(json.dumps({**job, "ask": asked}), flush=True)
            for trial, value in zip(trials, json.loads(sys.stdin.readline())):
                study.tell(trial, value)
            done += len(trials)


main()
