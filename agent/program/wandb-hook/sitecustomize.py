# What Python imports at its start where trialmesh runs a program: it waits for wandb to be imported, which is heard then
# (trialmesh_wandb.py beside it), and runs the sitecustomize that would have been found without this one. It imports no wandb, costs
# every other script next to nothing, and lets no fault of its own be seen (WLOG-4).
import sys


def _listen():
    try:
        import os

        rows = os.environ.get("TRIALMESH_WANDB_ROWS")
        if rows:
            is_offline = os.environ.get("WANDB_MODE") in ("offline", "dryrun")
            sys.meta_path.insert(0, _Finder(rows, is_offline))
    except Exception:
        pass


class _Finder:
    """Has the other finders find the modules of wandb's that are changed once they have run; it finds none itself."""

    def __init__(self, rows, is_offline):
        self.rows = rows
        self.is_offline = is_offline

    def find_spec(self, name, path=None, target=None):
        if not name.startswith("wandb.sdk.wandb_"):
            return None
        try:
            import trialmesh_wandb
        except Exception:
            return None
        return trialmesh_wandb.find_changed(self, name, path, target)


def _rest_of_path():
    import os

    here = os.path.realpath(os.path.dirname(__file__))
    return [folder for folder in sys.path if os.path.realpath(folder or os.curdir) != here]


def _hidden_one():
    """The spec of the sitecustomize behind this one on the path; None where there is none."""
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec("sitecustomize", _rest_of_path())
        except Exception:
            continue
        if spec is not None and spec.loader is not None:
            return spec
    return None


def _go_on():
    spec = _hidden_one()
    if spec is None:
        return
    from importlib.util import module_from_spec

    module = module_from_spec(spec)
    # Whoever imports sitecustomize from here on means that one. Its faults are its own, and told as ever.
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _go_on_in_python_2():
    import imp

    try:
        found = imp.find_module("sitecustomize", _rest_of_path())
    except Exception:
        return
    del sys.modules["sitecustomize"]
    imp.load_module("sitecustomize", *found)


if sys.version_info >= (3, 6):
    _listen()
    _go_on()
elif sys.version_info < (3,):
    _go_on_in_python_2()
