"""A strategy in Python: the user's own code, run because the user named its file.

Only a file that belongs to the user, that nobody else can write in, gets this far (see
`trusted_file.py`); configuration and signals never name one.
"""

from __future__ import annotations

import sys
import traceback
from types import ModuleType

from ibkr_trader.rules.program import StrategyProgram, strategy_of
from ibkr_trader.rules.rule import Strategy
from ibkr_trader.rules.strategy_text import Fault, StrategyError, checked, version_of

MODULE = "ibkr_trader_strategy"  # and its version: what its classes say they are of


def read_program(text: str, *, where: str) -> Strategy:
    """Return the strategy of the one `StrategyProgram` that a Python text defines.

    Raises:
        StrategyError: If it cannot be run, or defines none, or more than one.
    """
    version = version_of(text)
    module = ModuleType(f"{MODULE}_{version}")
    # Dataclasses and the like look their own module up by its name.
    sys.modules[module.__name__] = module
    try:
        code = compile(text, where, "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - the user's own strategy, named by the user
        return checked(strategy_of(_program(module), version=version))
    except StrategyError:
        raise
    except SystemExit as error:
        fault = Fault(_line(error, where), "", "it wants to end the process")
        raise StrategyError((fault,)) from error
    except SyntaxError as error:
        fault = Fault(error.lineno or 0, "", f"it is no Python: {error.msg}")
        raise StrategyError((fault,)) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the edge: whatever the user's code raises is told by line
        fault = Fault(_line(error, where), "", f"{type(error).__name__}: {error}")
        raise StrategyError((fault,)) from error


def _program(module: ModuleType) -> StrategyProgram:
    """The one program of a module, whatever names it has; what others derive from is none.

    Raises:
        StrategyError: If there is none, or more than one.
    """
    kinds = [one for one in vars(module).values() if _is_program(one, module)]
    found = [
        one
        for one in dict.fromkeys(kinds)
        if not any(other is not one and issubclass(other, one) for other in kinds)
    ]
    if len(found) != 1:
        names = ", ".join(one.__name__ for one in found) or "none"
        message = f"it must define one subclass of StrategyProgram; there are: {names}"
        raise StrategyError((Fault(0, "", message),))
    program: StrategyProgram = found[0]()
    return program


def _is_program(one: object, module: ModuleType) -> bool:
    return (
        isinstance(one, type)
        and issubclass(one, StrategyProgram)
        and one is not StrategyProgram
        and one.__module__ == module.__name__
    )


def _line(error: BaseException, where: str) -> int:
    """The last line of the file that led to an error; 0 if none did."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno or 0 for frame in frames if frame.filename == where]
    return lines[-1] if lines else 0
