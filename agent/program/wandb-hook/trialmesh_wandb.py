"""Has what a script says to wandb heard by trialmesh: rows of JSON, appended to the file that TRIALMESH_WANDB_ROWS names.

It is imported by the finder in sitecustomize.py once a script imports wandb, changes what is imported then, and judges nothing: what a
row means is the agent's (wandb-runs.ts). Where wandb is made otherwise than it is known here, rows are missing and nothing else is.
"""
import os
import sys

ROW_MAX_BYTES = 200_000
NAMES_MAX = 500
NAME_MAX_CHARACTERS = 250
KIND_MAX_CHARACTERS = 60
DEPTH_MAX = 20
# Of the file: from here on only what the sweep asks for is written, and from there nothing.
FULL_BYTES = 32 << 20
END_BYTES = 63 << 20

_rows = None
_is_offline = False


def find_changed(finder, name, path, target):
    """What the other finders find for a module of wandb's, so that the module is changed once it has run."""
    global _rows, _is_offline
    _rows, _is_offline = finder.rows, finder.is_offline
    change = _changes.get(name)
    for other in list(sys.meta_path):
        find = None if other is finder or change is None else getattr(other, "find_spec", None)
        spec = None if find is None else find(name, path, target)
        if spec is not None:
            _run_after(spec.loader, change)
            return spec
    return None


def _run_after(loader, change):
    try:
        run = loader.exec_module

        def exec_module(module):
            run(module)
            _quietly(change, module)

        loader.exec_module = exec_module
    except Exception:
        pass


def _quietly(act, *given):
    try:
        act(*given)
    except Exception:
        pass


def _followed(owner, name, follow):
    """After each call of `owner.name` that raised nothing, `follow` is told its arguments by their names, the run as `self`."""
    import functools
    import inspect

    original = getattr(owner, name)
    signature = inspect.signature(original)

    @functools.wraps(original)
    def call(*args, **kwargs):
        result = original(*args, **kwargs)
        _quietly(lambda: follow(signature.bind(*args, **kwargs).arguments))
        return result

    setattr(owner, name, call)


def _first_of(owner, *names):
    return next(name for name in names if hasattr(owner, name))


def _change_run(module):
    run = module.Run
    # The inner ones where there are: what integrations call, and what is reached in a worker that was handed the run.
    _followed(run, _first_of(run, "_log", "log"), _say_log)
    _followed(run, "_summary_update_callback", _say_summary)
    _followed(run, _first_of(run, "_define_metric", "define_metric"), _say_metric)
    _followed(run, _first_of(run, "_finish", "finish"), _say_finish)


def _change_init(module):
    import functools

    original = module.init

    @functools.wraps(original)
    def init(*args, **kwargs):
        _quietly(_fit, kwargs)
        run = original(*args, **kwargs)
        _quietly(_say_start, run)
        return run

    module.init = init


def _fit(kwargs):
    """A script's `mode="online"` asks for a login and a network, which a trial has not; one that wants no wandb gets none."""
    settings = kwargs.get("settings")
    within = settings.get("mode") if isinstance(settings, dict) else getattr(settings, "mode", None)
    # What such an object has without being told is no wish.
    within = None if within == "online" else within
    asked = (kwargs.get("mode"), within, os.environ.get("WANDB_MODE"))
    if next((mode for mode in asked if mode), None) != "disabled":
        if _is_offline:
            kwargs["mode"] = "offline"
        return
    # A disabled run of older versions takes no value twice, and the sweep's are the ones that count.
    config = kwargs.get("config")
    given = config if isinstance(config, dict) else getattr(config, "__dict__", None)
    if given:
        import yaml

        with open(os.environ["WANDB_SWEEP_PARAM_PATH"]) as file:
            swept = yaml.safe_load(file)
        kwargs["config"] = {name: value for name, value in given.items() if name not in swept}


def _change_login(module):
    import functools

    original = module.login

    @functools.wraps(original)
    def login(*args, **kwargs):
        return True if _is_offline else original(*args, **kwargs)

    module.login = login


_changes = {
    "wandb.sdk.wandb_run": _change_run,
    "wandb.sdk.wandb_init": _change_init,
    "wandb.sdk.wandb_login": _change_login,
}


def _say_start(run):
    import wandb

    mode = "disabled" if getattr(run, "disabled", False) is True or type(run).__name__ == "RunDisabled" else "on"
    name = getattr(run, "name", None)
    _write(
        {
            "kind": "start",
            "run": _id(run),
            "name": name[:NAME_MAX_CHARACTERS] if isinstance(name, str) else "",
            "mode": mode,
            "rank": _rank(),
            "version": str(wandb.__version__)[:KIND_MAX_CHARACTERS],
        }
    )


def _say_log(given):
    step, commit = given.get("step"), given.get("commit")
    row = {"kind": "log", "run": _id(given["self"])}
    row["step"] = None if step is None else int(step)
    row["commit"] = None if commit is None else bool(commit)
    _say_values(row, given["data"])


def _say_summary(given):
    record = next(value for name, value in given.items() if name != "self")
    data = {".".join(str(part) for part in item.key): item.value for item in record.update}
    _say_values({"kind": "summary", "run": _id(given["self"])}, data)


def _say_metric(given):
    summary = given.get("summary")
    if not summary:
        return
    ways = [way.strip().lower()[:KIND_MAX_CHARACTERS] for way in str(summary).split(",")]
    row = {"kind": "metric", "run": _id(given["self"]), "name": str(given["name"])[:NAME_MAX_CHARACTERS]}
    row["ways"] = ways[:10]
    # Of versions that still know "best".
    row["goal"] = "maximize" if str(given.get("goal")).startswith("max") else "minimize"
    _write(row)


def _say_finish(given):
    _write({"kind": "finish", "run": _id(given["self"])})


def _id(run):
    return str(run.id)[:NAME_MAX_CHARACTERS]


def _rank():
    """Of several processes that train together, which this is."""
    for name in ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK"):
        given = os.environ.get(name, "")
        if given.isdigit():
            return int(given[:6])
    return 0


def _say_values(row, data):
    numbers, others = {}, {}
    _sort(data, numbers, others, "", 0)
    _write(dict(row, numbers=numbers, others=others))


def _sort(data, numbers, others, prefix, depth):
    for key, value in data.items():
        name = prefix + str(key)
        if len(numbers) + len(others) >= NAMES_MAX:
            return
        if len(name) > NAME_MAX_CHARACTERS or value is None:
            continue
        if hasattr(value, "items") and hasattr(value, "keys") and depth < DEPTH_MAX:
            _sort(value, numbers, others, name + ".", depth + 1)
            continue
        number = _number(value)
        if number is None:
            others[name] = type(value).__name__[:KIND_MAX_CHARACTERS]
        else:
            numbers[name] = number


def _number(value):
    """A finite float, or the word for what is none; None for what is no number: what wandb takes for a scalar is one."""
    from numbers import Real

    try:
        if not isinstance(value, Real):
            value = _single(value)
        if isinstance(value, bool) or not isinstance(value, Real):
            return None
        number = float(value)
    except Exception:
        return None
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    return number


def _single(value):
    """What an array or tensor of one element holds; None for anything else."""
    shape = getattr(value, "shape", None)
    if shape is None or not all(int(length) == 1 for length in shape):
        return None
    return (value if hasattr(value, "item") else value.numpy()).item()


def _write(row):
    import json

    # Opened each time: a worker may have been forked, and a line that is written whole stays whole.
    rows = os.open(_rows, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
    try:
        held = os.fstat(rows).st_size
        if held > END_BYTES:
            return
        line = _line(row, json)
        if "numbers" in row and (held > FULL_BYTES or len(line) > ROW_MAX_BYTES):
            kept = {name: value for name, value in row["numbers"].items() if _is_wanted(name)}
            line = _line(dict(row, numbers=kept, others={}), json)
        if len(line) <= ROW_MAX_BYTES:
            os.write(rows, line)
    finally:
        os.close(rows)


def _line(row, json):
    return (json.dumps(row, separators=(",", ":")) + "\n").encode("ascii")


def _is_wanted(name):
    wanted = os.environ.get("TRIALMESH_WANDB_METRICS", "").split("\n")
    return any(metric == name or metric.startswith(name + ".") for metric in wanted)
