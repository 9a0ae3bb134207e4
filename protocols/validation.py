"""Validation errors in an operator's words: where, what, and the nearest known key."""

import difflib
from collections.abc import Collection, Iterator

from pydantic import BaseModel, ValidationError


def explain(error: ValidationError, known_keys: Collection[str]) -> Iterator[str]:
    """Yield one line per problem, with the nearest known key for an unknown one."""
    problems = error.errors()
    for problem in problems:
        if problem["type"] == "too_short" and any(
            other["loc"][: len(problem["loc"])] == problem["loc"] and other != problem
            for other in problems
        ):
            continue  # short only because what is in it is not valid
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            key = str(problem["loc"][-1])
            near = nearest(key, known_keys)
            yield f"{where}: unknown key" + (
                f"; did you mean {near!r}?" if near else ""
            )
        elif problem["type"] in ("value_error", "missing"):
            yield f"{where or 'file'}: {problem['msg']}"
        else:
            yield f"{where or 'file'}: {problem['msg']} (it is {problem['input']!r})"


def nearest(key: str, known_keys: Collection[str]) -> str:
    """Return the known key most like one that is not known; empty when none is."""
    near = difflib.get_close_matches(key, known_keys, n=1)
    longer = sorted(each for each in known_keys if each.startswith(f"{key}_"))
    return (near or longer or [""])[0]


def keys_of(*models: type[BaseModel]) -> set[str]:
    """Return every key that some model, or a model inside it, knows."""
    found: set[str] = set()
    for model in models:
        found |= set(model.model_fields)
        for field in model.model_fields.values():
            inner = field.annotation
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                found |= keys_of(inner)
    return found
